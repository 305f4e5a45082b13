"""Pack views for the model, with their masks when the model wants them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import BaseDataElement

from bgaug_mm.registry import TRANSFORMS

from .functional import Array


@TRANSFORMS.register_module()
class PackSaliencyInputs(BaseTransform):
    """Pack the views, and on request the masks as further channels.

    For mmselfsup's and mmpretrain's algorithms alike; upstream's packing transforms
    serve as well where no mask is wanted.

    Required Keys:

    - img
    - gt_seg_map (optional)
    - block_mask (optional)
    - ``*meta_keys``

    Added Keys:

    - inputs
    - data_samples

    All other keys are dropped. ``inputs`` is a list of V tensors, (3, H, W) or with
    ``with_mask`` (4, H, W), uint8, contiguous; views with a ``block_mask`` have that as one
    more, last channel with ``with_block_mask``. ``data_samples`` is an mmengine
    ``BaseDataElement`` whose metainfo holds ``meta_keys``.

    Args:
        with_mask (bool): Append the view's ``gt_seg_map`` as a fourth channel, for
            operations on the GPU. Defaults to False.
        with_block_mask (bool): Append the view's ``block_mask`` as its last channel, where it
            has one (RandomBlockMask in the pipelines of the global views), for IBOT. Defaults
            to False.
        meta_keys (Sequence[str]): Keys to put into the metainfo. Defaults to
            ('img_path',).

    Raises:
        ValueError: If a key is missing or an image is not (H, W, 3) uint8, with
            ``with_mask`` also if a mask does not fit its image.
    """

    def __init__(
        self,
        *,
        with_mask: bool = False,
        with_block_mask: bool = False,
        meta_keys: Sequence[str] = ('img_path',),
    ) -> None:
        self.with_mask = with_mask
        self.with_block_mask = with_block_mask
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack; the results are left as they are."""
        masked = {'gt_seg_map': self.with_mask, 'block_mask': self.with_block_mask}
        kinds = [key for key, wanted in masked.items() if wanted]
        needed = ('img', *kinds, *self.meta_keys)
        missing = [key for key in needed if key not in results]
        if missing:
            raise ValueError(
                f'`PackSaliencyInputs` needs the keys {list(needed)}, but {missing} is missing'
            )
        views = _as_list(results['img'])
        masks = {key: _as_list(results[key]) for key in kinds}
        for key, items in masks.items():
            if len(items) != len(views):
                raise ValueError(f'there are {len(views)} views in `img` but {len(items)} `{key}`')
        inputs = [
            _pack(view, {key: items[i] for key, items in masks.items()})
            for i, view in enumerate(views)
        ]
        metainfo = {key: results[key] for key in self.meta_keys}
        return {'inputs': inputs, 'data_samples': BaseDataElement(metainfo=metainfo)}

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(with_mask={self.with_mask}, '
            f'with_block_mask={self.with_block_mask}, meta_keys={self.meta_keys})'
        )


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _pack(view: Array, masks: dict[str, Array | None]) -> torch.Tensor:
    if view.ndim != 3 or view.shape[2] != 3 or view.dtype != np.uint8:
        raise ValueError(
            f'`img` must be (H, W, 3) uint8 in every view, but got {view.shape} {view.dtype}'
        )
    channels = []
    for key, mask in masks.items():
        if mask is None and key == 'block_mask':  # of a local view
            continue
        if mask is None or mask.shape != view.shape[:2] or mask.dtype != np.uint8:
            found = None if mask is None else f'{mask.shape} {mask.dtype}'
            raise ValueError(
                f'`{key}` must be {view.shape[:2]} uint8 like its view, but got {found}'
            )
        channels.append(mask)
    packed = np.empty((3 + len(channels), *view.shape[:2]), np.uint8)
    packed[:3] = view.transpose(2, 0, 1)
    for channel, mask in enumerate(channels, start=3):
        packed[channel] = mask
    return torch.from_numpy(packed)
