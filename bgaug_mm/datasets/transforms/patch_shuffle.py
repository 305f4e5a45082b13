"""Patch shuffling: an image whose patches, or the pixels within them, change places."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mmcv.transforms import BaseTransform
from mmcv.transforms.utils import cache_randomness

from bgaug_mm.registry import TRANSFORMS

from .functional import Array
from .photometric_transform import check_probability

SHUFFLES = ('patches', 'pixels')


def shuffle_order(
    height: int,
    width: int,
    grid: int,
    *,
    shuffled: str = 'patches',
    permutation: Callable[[int], Array] = np.random.permutation,
) -> Array:
    """Where each pixel of a patch-shuffled image comes from.

    The image is cut into ``grid × grid`` patches of ``height // grid`` by
    ``width // grid`` pixels, centred; a margin that is left over (fewer than ``grid`` pixels
    in all) stays in its place.

    Args:
        height (int): Of the image, at least ``grid``.
        width (int): Of the image, at least ``grid``.
        grid (int): Patches a side, at least 1.
        shuffled (str): ``'patches'``: they change places and keep their pixels in order,
            so texture is left and shape is gone. ``'pixels'``: each patch's pixels change
            places within it, so coarse shape is left and texture is gone. Defaults to
            ``'patches'``.
        permutation (Callable): Draws an order of so many things. Defaults to that of
            numpy's global generator.

    Returns:
        ndarray: (H, W) integers, indices into the flattened image; a permutation.

    Raises:
        ValueError: For a grid finer than the image, or another ``shuffled``.
    """
    _check(grid, shuffled)
    if min(height, width) < grid:
        raise ValueError(f'`grid` {grid} is finer than the image, {height} x {width} pixels')
    order = np.arange(height * width).reshape(height, width)
    rows, columns = height // grid, width // grid
    top, left = (height - rows * grid) // 2, (width - columns * grid) // 2
    inner = order[top : top + rows * grid, left : left + columns * grid]
    # (patches, pixels of a patch)
    patches: Array = inner.reshape(grid, rows, grid, columns).swapaxes(1, 2)
    patches = patches.reshape(grid * grid, -1)
    if shuffled == 'patches':
        patches = patches[permutation(len(patches))]
    else:
        patches = np.stack([patch[permutation(len(patch))] for patch in patches])
    patches = patches.reshape(grid, grid, rows, columns).swapaxes(1, 2)
    order[top : top + rows * grid, left : left + columns * grid] = patches.reshape(inner.shape)
    return order


def apply_order(array: Array, order: Array) -> Array:
    """An image (H, W, 3) or mask (H, W) with its pixels as :func:`shuffle_order` says; new."""
    return array.reshape(order.size, *array.shape[2:])[order]


@TRANSFORMS.register_module()
class PatchShuffle(BaseTransform):
    """Shuffle the patches of an image, or the pixels within them; the mask moves along.

    The patch-level corruption of Zhong et al., "Is Self-Supervised Learning More Robust
    Than Supervised Learning?" (arXiv 2206.05259, 2022), who put it on pre-training data and
    on test data. Their abstract speaks of "global patch shuffling", which is
    ``'patches'``; that its counterpart shuffles pixels within patches is second-hand. Their
    grids we do not know, so there is no default. What is done with pixels that are left over
    (see :func:`shuffle_order`) is our choice.

    It draws from numpy's global generator, once for image and mask. Background operations
    work on its result, since the mask still fits; a ``crop_bbox`` still says which part of
    the original the view shows.

    Required Keys:

    - img
    - gt_seg_map (optional)

    Modified Keys:

    - img
    - gt_seg_map (optional)

    Added Keys:

    - (none)

    Args:
        grid (int | Sequence[int]): Patches a side, at least 1, or some of which one is
            drawn.
        shuffled (str): ``'patches'`` or ``'pixels'`` (within each patch). Defaults to
            ``'patches'``.
        prob (float): Probability, in [0, 1]. Defaults to 1.0.

    Raises:
        ValueError: For arguments out of range; for an image smaller than the grid, or a
            mask of another size.
    """

    def __init__(
        self, grid: int | Sequence[int], *, shuffled: str = 'patches', prob: float = 1.0
    ) -> None:
        self.grids = tuple(grid) if isinstance(grid, Sequence) else (grid,)
        if not self.grids:
            raise ValueError('`grid` must not be empty')
        for one in self.grids:
            _check(one, shuffled)
        self.shuffled = shuffled
        self.prob = check_probability(prob)

    @cache_randomness
    def _draw(self, height: int, width: int) -> Array | None:
        if np.random.rand() >= self.prob:
            return None
        grid = self.grids[np.random.randint(len(self.grids))]
        return shuffle_order(height, width, grid, shuffled=self.shuffled)

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Shuffle ``img`` and, if there is one, ``gt_seg_map``; new arrays."""
        if 'img' not in results:
            raise ValueError('`PatchShuffle` needs the key `img`; put it behind the image loading')
        image, mask = results['img'], results.get('gt_seg_map')
        if mask is not None and mask.shape != image.shape[:2]:
            raise ValueError(
                '`PatchShuffle` needs `img` and `gt_seg_map` of one size, but got '
                f'{image.shape[:2]} and {mask.shape}'
            )
        order = self._draw(*image.shape[:2])
        if order is not None:
            results['img'] = apply_order(image, order)
            if mask is not None:
                results['gt_seg_map'] = apply_order(mask, order)
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(grid={self.grids}, shuffled={self.shuffled!r}, '
            f'prob={self.prob})'
        )


def _check(grid: int, shuffled: str) -> None:
    if not isinstance(grid, int) or grid < 1:
        raise ValueError(f'`grid` must be integers from 1 on, but got {grid!r}')
    if shuffled not in SHUFFLES:
        raise ValueError(f'`shuffled` must be one of {SHUFFLES}, but got {shuffled!r}')
