"""Put our photometric transforms in the place of upstream's, for use in config files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Type names of upstream (mmcv, mmselfsup, mmcls, mmpretrain) and the transforms of ours
#: that take the same arguments, draw the same and compute the same faster.
PHOTOMETRIC = {
    name: f'bgaug_mm.{name}'
    for name in (
        'ColorJitter',
        'GaussianBlur',
        'RandomGaussianBlur',
        'RandomGrayscale',
        'RandomSolarize',
        'Solarize',
    )
}

#: Scopes whose transforms of these names ours stand for.
_SCOPES = ('mmcv', 'mmcls', 'mmpretrain', 'mmselfsup')


def fast_photometric(pipeline: Sequence[Any]) -> list[Any]:
    """A pipeline with upstream's photometric transforms replaced by ours.

    Only the ``type`` changes. Goes into the ``transforms`` of RandomApply, MultiView and
    the like. What ours do not offer stays upstream's: ``ColorJitter(backend='cv2')``,
    ``RandomGrayscale(color_format='hsv')``, and types of other scopes.

    Args:
        pipeline (Sequence): Configs of transforms, not changed.

    Returns:
        list: New configs.
    """
    return [_fast(item) for item in pipeline]


def _fast(item: Any) -> Any:
    if isinstance(item, (list, tuple)):
        return fast_photometric(item)
    if not isinstance(item, Mapping):
        return item
    config = dict(item)
    if 'transforms' in config:
        config['transforms'] = _fast(config['transforms'])
    scope, _, name = str(config.get('type')).rpartition('.')
    offered = config.get('backend', 'pillow') == 'pillow' and config.get('color_format') != 'hsv'
    if name in PHOTOMETRIC and scope in ('', *_SCOPES) and offered:
        config['type'] = PHOTOMETRIC[name]
    return config
