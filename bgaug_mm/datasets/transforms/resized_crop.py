"""RandomResizedCrop for an image and its mask."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from bgaug_mm.registry import TRANSFORMS

from .functional import Array, Box
from .resize import check_resize, resize


def _range(name: str, value: Sequence[float]) -> tuple[float, float]:
    if len(value) != 2 or not 0 < value[0] <= value[1]:
        raise ValueError(f'`{name}` must be (min, max) with 0 < min <= max, but got {value}')
    return float(value[0]), float(value[1])


def _pair(name: str, value: Any) -> tuple[int, int]:
    pair = tuple(value) if isinstance(value, Sequence) else (value, value)
    if len(pair) != 2 or not all(isinstance(v, int) and v > 0 for v in pair):
        raise ValueError(
            f'`{name}` must be a positive int or two of them (height, width), but got {value!r}'
        )
    return pair


@TRANSFORMS.register_module()
class RandomResizedCrop(BaseTransform):
    """Random crop resized to a fixed size; the mask, if there is one, goes along.

    Takes the arguments of mmselfsup's transform of this name and those of
    mmpretrain's (and mmcls'), so that a config only swaps the ``type``: with ``size``
    given they mean what they mean in mmselfsup, without it what they mean in
    mmpretrain. The same generator state gives the same crop as the transform it
    replaces, bit by bit with its backends (mmselfsup draws from ``random``, mmpretrain
    from ``np.random``).

    With ``min_foreground`` > 0 a crop is drawn again until it holds that share of the
    image's foreground; when no attempt does, the attempt that holds most is taken.
    CAST (§3.1: crops cover at least 20 % of the mask, 10 tries, then fall back)
    leaves open what it falls back to; taking the best attempt is our choice. Without
    a mask, or with an empty one, the first crop is taken.

    Required Keys:

    - img
    - gt_seg_map (optional)

    Modified Keys:

    - img
    - img_shape
    - gt_seg_map (optional)

    Added Keys:

    - crop_bbox

    Args:
        size (int | Sequence[int], optional): Output (height, width); mmselfsup's name.
        scale (int | Sequence): With ``size``: range of the crop's area as a share of
            the image, defaults to (0.08, 1.0). Without: the output (height, width).
        ratio (Sequence[float], optional): Range of width/height; mmselfsup's name.
            Defaults to (3/4, 4/3).
        crop_ratio_range (Sequence[float], optional): mmpretrain's name for the range
            of areas. Defaults to (0.08, 1.0).
        aspect_ratio_range (Sequence[float], optional): mmpretrain's name for
            ``ratio``. Defaults to (3/4, 4/3).
        max_attempts (int): Draws of a box that fits before the central crop is taken.
            Defaults to 10.
        interpolation (str): Of the image: 'nearest', 'bilinear', 'bicubic', 'area' or
            'lanczos'. Defaults to 'bilinear'.
        backend (str): Of the image: 'cv2', 'pillow', or 'torch': Pillow's filters within
            rounding, four times as fast, 'bilinear' and 'bicubic' alone (see
            :func:`~bgaug_mm.datasets.transforms.resize.resize`). Defaults to 'cv2'.
        mask_interpolation (str): Of the mask, always by cv2. Defaults to 'bilinear'.
        min_foreground (float): Share of the image's foreground that the crop must
            hold, in [0, 1]. Defaults to 0.
        max_attempts_foreground (int): Crops drawn at most for it. Defaults to 10.

    Raises:
        ValueError: For arguments out of range, or of both libraries at once.
    """

    def __init__(
        self,
        size: int | Sequence[int] | None = None,
        scale: Any = None,
        ratio: Sequence[float] | None = None,
        max_attempts: int = 10,
        interpolation: str = 'bilinear',
        backend: str = 'cv2',
        *,
        crop_ratio_range: Sequence[float] | None = None,
        aspect_ratio_range: Sequence[float] | None = None,
        mask_interpolation: str = 'bilinear',
        min_foreground: float = 0.0,
        max_attempts_foreground: int = 10,
    ) -> None:
        self.style = 'mmselfsup' if size is not None else 'mmpretrain'
        if size is not None:
            if crop_ratio_range is not None or aspect_ratio_range is not None:
                raise ValueError(
                    'with `size`, give `scale` and `ratio`, not `crop_ratio_range` and '
                    '`aspect_ratio_range`'
                )
            self.size = _pair('size', size)
            self.scale = _range('scale', scale or (0.08, 1.0))
            self.ratio = _range('ratio', ratio or (3 / 4, 4 / 3))
        else:
            if scale is None:
                raise ValueError('give `size` (or, as in mmpretrain, `scale`): the output size')
            if ratio is not None:
                raise ValueError(
                    'without `size`, `scale` is the output size and the ranges are '
                    '`crop_ratio_range` and `aspect_ratio_range`, but got `ratio`'
                )
            self.size = _pair('scale', scale)
            self.scale = _range('crop_ratio_range', crop_ratio_range or (0.08, 1.0))
            self.ratio = _range('aspect_ratio_range', aspect_ratio_range or (3 / 4, 4 / 3))
        check_resize(interpolation, backend)
        check_resize(mask_interpolation, 'cv2', name='mask_interpolation')
        if max_attempts < 0:
            raise ValueError(f'`max_attempts` must be at least 0, but got {max_attempts}')
        if not 0 <= min_foreground <= 1:
            raise ValueError(f'`min_foreground` must be in [0, 1], but got {min_foreground}')
        if max_attempts_foreground < 1:
            raise ValueError(
                f'`max_attempts_foreground` must be at least 1, but got {max_attempts_foreground}'
            )
        self.max_attempts = max_attempts
        self.interpolation = interpolation
        self.backend = backend
        self.mask_interpolation = mask_interpolation
        self.min_foreground = min_foreground
        self.max_attempts_foreground = max_attempts_foreground

    def _draw_box(self, height: int, width: int) -> Box:
        """One box as upstream draws it: (x1, y1, x2, y2), ends exclusive."""
        # mmselfsup draws from `random`, mmpretrain from `np.random`
        mmselfsup = self.style == 'mmselfsup'
        uniform = random.uniform if mmselfsup else np.random.uniform
        log_ratio = (math.log(self.ratio[0]), math.log(self.ratio[1]))
        for _ in range(self.max_attempts):
            area = uniform(*self.scale) * (height * width)
            aspect = math.exp(uniform(*log_ratio))
            box_w = round(math.sqrt(area * aspect))
            box_h = round(math.sqrt(area / aspect))
            if 0 < box_w <= width and 0 < box_h <= height:
                if mmselfsup:
                    y = random.randint(0, height - box_h)
                    x = random.randint(0, width - box_w)
                else:
                    y = np.random.randint(0, height - box_h + 1)
                    x = np.random.randint(0, width - box_w + 1)
                return x, y, x + box_w, y + box_h
        # as upstream: the largest central crop within the range of ratios
        box_h, box_w = height, width
        if width / height < self.ratio[0]:
            box_h = round(width / self.ratio[0])
        elif width / height > self.ratio[1]:
            box_w = round(height * self.ratio[1])
        y, x = (height - box_h) // 2, (width - box_w) // 2
        return x, y, x + box_w, y + box_h

    @cache_randomness
    def rand_crop_params(self, height: int, width: int, mask: Array | None) -> Box:
        """Draw the crop box.

        Args:
            height (int): Of the image, in pixels.
            width (int): Of the image, in pixels.
            mask (ndarray, optional): (H, W) uint8.

        Returns:
            tuple[int, int, int, int]: (x1, y1, x2, y2), ends exclusive.
        """
        best = self._draw_box(height, width)
        if mask is None or self.min_foreground == 0:
            return best
        total = int(mask.sum(dtype=np.int64))
        if total == 0:
            return best
        box, best_share = best, -1.0
        for attempt in range(self.max_attempts_foreground):
            if attempt:
                box = self._draw_box(height, width)
            x1, y1, x2, y2 = box
            share = int(mask[y1:y2, x1:x2].sum(dtype=np.int64)) / total
            if share >= self.min_foreground:
                return box
            if share > best_share:
                best, best_share = box, share
        return best

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Crop and resize ``img`` and, if present, ``gt_seg_map``."""
        image, mask = results['img'], results.get('gt_seg_map')
        height, width = image.shape[:2]
        if mask is not None and mask.shape[:2] != (height, width):
            raise ValueError(
                f'`gt_seg_map` must have the size of `img` ({height}, {width}), but has '
                f'{mask.shape[:2]}; `LoadSaliencyMask` belongs directly behind the image loading'
            )
        x1, y1, x2, y2 = self.rand_crop_params(height, width, mask)
        results['img'] = resize(image[y1:y2, x1:x2], self.size, self.interpolation, self.backend)
        results['img_shape'] = results['img'].shape[:2]
        if mask is not None:
            results['gt_seg_map'] = resize(
                mask[y1:y2, x1:x2], self.size, self.mask_interpolation, 'cv2'
            )
        results['crop_bbox'] = (x1, y1, x2, y2)
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(size={self.size}, scale={self.scale}, ratio={self.ratio}, '
            f'max_attempts={self.max_attempts}, interpolation={self.interpolation!r}, '
            f'backend={self.backend!r}, mask_interpolation={self.mask_interpolation!r}, '
            f'min_foreground={self.min_foreground}, style={self.style!r})'
        )
