"""Cut a frame of fixed width off."""

from __future__ import annotations

from typing import Any

from mmcv.transforms import BaseTransform

from bgaug_mm.registry import TRANSFORMS


@TRANSFORMS.register_module()
class CropBorder(BaseTransform):
    """Cut the same number of pixels off each side: the red border of ObjectNet's images.

    Required Keys:

    - img
    - gt_seg_map (optional)

    Modified Keys:

    - img
    - img_shape
    - gt_seg_map (optional)

    Added Keys:

    - (none)

    Args:
        width (int): Pixels, at least 0. Defaults to 2, ObjectNet's.

    Raises:
        ValueError: For a negative width, or an image of which nothing is left.
    """

    def __init__(self, width: int = 2) -> None:
        if width < 0:
            raise ValueError(f'`width` must be at least 0, but got {width}')
        self.width = width

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """The sample with a smaller image."""
        height, width = results['img'].shape[:2]
        if min(height, width) <= 2 * self.width:
            raise ValueError(
                f'an image of {height} x {width} has nothing within {self.width} px '
                f'({results.get("img_path", "its path is not given")})'
            )
        inner = slice(self.width, height - self.width), slice(self.width, width - self.width)
        results['img'] = results['img'][inner]
        results['img_shape'] = results['img'].shape[:2]
        if 'gt_seg_map' in results:
            results['gt_seg_map'] = results['gt_seg_map'][inner]
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(width={self.width})'
