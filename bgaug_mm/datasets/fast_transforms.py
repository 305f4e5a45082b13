"""Faster transforms in the place of upstream's, for use in config files.

All draw what upstream's draw; the pixels are Pillow's within rounding. The docstring of
each says how far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .transforms.resize import TORCH_INTERPOLATIONS

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


def fast_transforms(pipeline: Sequence[Any]) -> list[Any]:
    """A pipeline with the faster of two transforms that do the same.

    Upstream's photometric transforms become ours: only the ``type`` changes. Our
    RandomResizedCrop gets the backend 'torch' for 'pillow' where it has the interpolation.
    Goes into the ``transforms`` of RandomApply, MultiView and the like. What ours do not
    offer stays as it is: ``ColorJitter(backend='cv2')``,
    ``RandomGrayscale(color_format='hsv')``, types of other scopes.

    Args:
        pipeline (Sequence): Configs of transforms, not changed.

    Returns:
        list: New configs.
    """
    return [_fast(item) for item in pipeline]


def _fast(item: Any) -> Any:
    if isinstance(item, (list, tuple)):
        return fast_transforms(item)
    if not isinstance(item, Mapping):
        return item
    config = dict(item)
    if 'transforms' in config:
        config['transforms'] = _fast(config['transforms'])
    scope, _, name = str(config.get('type')).rpartition('.')
    backend = config.get('backend', 'pillow')
    if name in PHOTOMETRIC and scope in ('', *_SCOPES):
        if backend == 'pillow' and config.get('color_format') != 'hsv':
            config['type'] = PHOTOMETRIC[name]
    elif (scope, name) == ('bgaug_mm', 'RandomResizedCrop') and 'backend' in config:
        known = config.get('interpolation', 'bilinear') in TORCH_INTERPOLATIONS
        config['backend'] = 'torch' if backend == 'pillow' and known else backend
    return config
