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
    """Pack the views, and on request the masks as a fourth channel.

    For mmselfsup's and mmpretrain's algorithms alike; upstream's packing transforms
    serve as well where no mask is wanted.

    Required Keys:

    - img
    - gt_seg_map (optional)
    - ``*meta_keys``

    Added Keys:

    - inputs
    - data_samples

    All other keys are dropped. ``inputs`` is a list of V tensors, (3, H, W) or with
    ``with_mask`` (4, H, W), uint8, contiguous; ``data_samples`` is an mmengine
    ``BaseDataElement`` whose metainfo holds ``meta_keys``.

    Args:
        with_mask (bool): Append the view's ``gt_seg_map`` as a fourth channel, for
            operations on the GPU. Defaults to False.
        meta_keys (Sequence[str]): Keys to put into the metainfo. Defaults to
            ('img_path',).

    Raises:
        ValueError: If a key is missing or an image is not (H, W, 3) uint8, with
            ``with_mask`` also if a mask does not fit its image.
    """

    def __init__(
        self, *, with_mask: bool = False, meta_keys: Sequence[str] = ('img_path',)
    ) -> None:
        self.with_mask = with_mask
        self.meta_keys = tuple(meta_keys)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Pack; the results are left as they are."""
        needed = ('img', *(('gt_seg_map',) if self.with_mask else ()), *self.meta_keys)
        missing = [key for key in needed if key not in results]
        if missing:
            raise ValueError(
                f'`PackSaliencyInputs` needs the keys {list(needed)}, but {missing} is missing'
            )
        views = _as_list(results['img'])
        masks = _as_list(results['gt_seg_map']) if self.with_mask else [None] * len(views)
        if len(masks) != len(views):
            raise ValueError(f'there are {len(views)} views in `img` but {len(masks)} `gt_seg_map`')
        inputs = [_pack(view, mask) for view, mask in zip(views, masks, strict=True)]
        metainfo = {key: results[key] for key in self.meta_keys}
        return {'inputs': inputs, 'data_samples': BaseDataElement(metainfo=metainfo)}

    def __repr__(self) -> str:
        return f'{type(self).__name__}(with_mask={self.with_mask}, meta_keys={self.meta_keys})'


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _pack(view: Array, mask: Array | None) -> torch.Tensor:
    if view.ndim != 3 or view.shape[2] != 3 or view.dtype != np.uint8:
        raise ValueError(
            f'`img` must be (H, W, 3) uint8 in every view, but got {view.shape} {view.dtype}'
        )
    if mask is None:
        return torch.from_numpy(view.transpose(2, 0, 1).copy())
    if mask.shape != view.shape[:2] or mask.dtype != np.uint8:
        raise ValueError(
            f'`gt_seg_map` must be {view.shape[:2]} uint8 like its view, but got {mask.shape} '
            f'{mask.dtype}'
        )
    packed = np.empty((4, *mask.shape), np.uint8)
    packed[:3] = view.transpose(2, 0, 1)
    packed[3] = mask
    return torch.from_numpy(packed)
