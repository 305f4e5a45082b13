"""Which patches of a view a model does not get to see."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform

from bgaug_mm.registry import TRANSFORMS

from .functional import Array
from .photometric_transform import check_probability


def block_mask(
    grid: tuple[int, int],
    count: int,
    *,
    min_patches: int,
    aspect_ratio: tuple[float, float],
    attempts: int = 10,
) -> Array:
    """A mask of rectangles, drawn from numpy's global generator.

    BEiT's blockwise masking (Bao et al., ICLR 2022, algorithm 1): rectangles of random area
    and aspect ratio at random places are added until ``count`` patches are masked. Where
    algorithm 1 would mask more, the rectangle is drawn again; after so many attempts in a row
    without a new patch the mask stays smaller.

    Args:
        grid (tuple[int, int]): Rows and columns of patches.
        count (int): Patches to mask at most.
        min_patches (int): Least area of a rectangle, in patches, before rounding; fewer when
            fewer are left.
        aspect_ratio (tuple[float, float]): Range of height / width, drawn log-uniformly.
        attempts (int): Draws in a row without success that end it. Defaults to 10.

    Returns:
        Array: (rows, columns) bool.
    """
    mask = np.zeros(grid, bool)
    low, high = np.log(aspect_ratio)
    failed = 0
    while (left := count - int(mask.sum())) > 0 and failed < attempts:
        area = np.random.uniform(min(min_patches, left), left)
        ratio = math.exp(np.random.uniform(low, high))
        height, width = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
        failed += 1
        if not (1 <= height <= grid[0] and 1 <= width <= grid[1]):
            continue
        top = np.random.randint(grid[0] - height + 1)
        start = np.random.randint(grid[1] - width + 1)
        block = mask[top : top + height, start : start + width]
        if 0 < block.size - int(block.sum()) <= left:
            block[:] = True
            failed = 0
    return mask


@TRANSFORMS.register_module()
class RandomBlockMask(BaseTransform):
    """Draw which patches of a view are masked (iBOT), in blocks.

    Zhou et al., "iBOT", ICLR 2022, section 3 and its released settings: half of the global
    views are masked, each by a share of its patches that is uniform in [0.1, 0.5], in blocks
    as in BEiT (see :func:`block_mask`). Put it last in the view's pipeline; the model must
    have the same patches. ``bgaug_mm.PackSaliencyInputs(with_block_mask=True)`` takes the mask
    along, as a channel of the view.

    Required Keys:

    - img

    Added Keys:

    - block_mask

    ``block_mask`` is (H, W) uint8, 1 in masked patches, 0 elsewhere; rows and columns of
    pixels that fill no patch stay 0.

    Args:
        patch_size (int): Side of a patch in pixels, at least 1. Defaults to 16.
        prob (float): Probability that a view is masked, in [0, 1]. Defaults to 0.5.
        ratio (tuple[float, float]): Range of the masked share, in [0, 1]. Defaults to
            (0.1, 0.5).
        aspect_ratio (tuple[float, float]): Range of the blocks' height / width. Defaults to
            (0.3, 1 / 0.3).
        min_patches (int, optional): Least area of a block in patches, at least 1. Defaults to
            None: the square of a third (rounded down) of the grid's shorter side, 16 on
            BEiT's grid of 14 x 14.

    Raises:
        ValueError: For arguments out of range; for a view smaller than a patch.
    """

    def __init__(
        self,
        *,
        patch_size: int = 16,
        prob: float = 0.5,
        ratio: tuple[float, float] = (0.1, 0.5),
        aspect_ratio: tuple[float, float] = (0.3, 1 / 0.3),
        min_patches: int | None = None,
    ) -> None:
        if not isinstance(patch_size, int) or patch_size < 1:
            raise ValueError(f'`patch_size` must be an integer from 1, but got {patch_size!r}')
        if len(ratio) != 2 or not 0 <= ratio[0] <= ratio[1] <= 1:
            raise ValueError(f'`ratio` must be (min, max) in [0, 1], but got {ratio}')
        if len(aspect_ratio) != 2 or not 0 < aspect_ratio[0] <= aspect_ratio[1]:
            raise ValueError(
                f'`aspect_ratio` must be (min, max) with 0 < min <= max, but got {aspect_ratio}'
            )
        if min_patches is not None and min_patches < 1:
            raise ValueError(f'`min_patches` must be at least 1, but got {min_patches}')
        self.patch_size = patch_size
        self.prob = check_probability(prob)
        self.ratio = (float(ratio[0]), float(ratio[1]))
        self.aspect_ratio = (float(aspect_ratio[0]), float(aspect_ratio[1]))
        self.min_patches = min_patches

    def draw(self, grid: tuple[int, int]) -> Array:
        """The masked patches of a grid (rows, columns); bool."""
        if np.random.rand() >= self.prob:
            return np.zeros(grid, bool)
        count = int(np.random.uniform(*self.ratio) * grid[0] * grid[1])
        least = self.min_patches or max(1, (min(grid) // 3) ** 2)
        return block_mask(grid, count, min_patches=least, aspect_ratio=self.aspect_ratio)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Add the mask."""
        size = results['img'].shape[:2]
        grid = (size[0] // self.patch_size, size[1] // self.patch_size)
        if min(grid) < 1:
            raise ValueError(f'a view of {size} pixels is smaller than a patch, {self.patch_size}')
        mask = np.zeros(size, np.uint8)
        patches = np.kron(self.draw(grid), np.ones((self.patch_size,) * 2, np.uint8))
        mask[: patches.shape[0], : patches.shape[1]] = patches
        results['block_mask'] = mask
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(patch_size={self.patch_size}, prob={self.prob}, '
            f'ratio={self.ratio}, aspect_ratio={self.aspect_ratio}, '
            f'min_patches={self.min_patches})'
        )
