"""Edit the masks of a batch, as :class:`~bgaug_mm.datasets.transforms.mask_edit.MaskEdit` says."""

from __future__ import annotations

from functools import lru_cache

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor

from bgaug_mm.datasets.transforms.mask_edit import MaskEdit

from .batch_functional import box_masks, foreground_box
from .batch_source import to_device


def edit_masks(edit: MaskEdit, masks: Tensor, blurred: Tensor) -> Tensor:
    """Box or threshold, then dilation, then blur.

    Args:
        edit (MaskEdit): What to do.
        masks (Tensor): (K, 1, H, W) uint8.
        blurred (Tensor): (K,) bool, which of them are blurred.

    Returns:
        Tensor: (K, 1, H, W) uint8; ``masks`` itself when there is nothing to change.
    """
    if edit.as_box:
        inside = box_masks(foreground_box(masks), *masks.shape[2:])
        masks = inside.to(torch.uint8) * 255
    elif edit.threshold is not None:
        masks = (masks >= edit.threshold).to(torch.uint8) * 255
    if edit.dilate:
        masks = _dilate(masks, edit.dilate)
    if edit.blur:
        masks = torch.where(blurred[:, None, None, None], _blur(masks, edit.blur), masks)
    return masks


def _dilate(masks: Tensor, reach: int) -> Tensor:
    """Maximum over a square of side 2·reach + 1, one axis after the other."""
    side = 2 * reach + 1
    wide = F.max_pool2d(masks.float(), (1, side), stride=1, padding=(0, reach))
    return F.max_pool2d(wide, (side, 1), stride=1, padding=(reach, 0)).to(torch.uint8)


def _blur(masks: Tensor, sigma: float) -> Tensor:
    """Gaussian blur as ``cv2.GaussianBlur`` does it for bytes: size, kernel and border."""
    taps = _gaussian(sigma)
    reach = len(taps) // 2
    kernel = to_device(torch.tensor(taps) / 256, masks.device).view(1, 1, 1, -1)
    # autocast would round the convolution to half precision; it knows no device `meta`
    device = 'cpu' if masks.is_meta else masks.device.type
    with torch.autocast(device, enabled=False):
        wide = F.conv2d(_reflect(masks.float(), 3, reach), kernel)
        blurred = F.conv2d(_reflect(wide, 2, reach), kernel.transpose(2, 3))
    return (blurred + 0.5).floor().to(torch.uint8)


@lru_cache
def _gaussian(sigma: float) -> tuple[int, ...]:
    """A Gaussian kernel in units of 1/256, of sum 256.

    OpenCV blurs bytes in fixed point. A coefficient's rounding error is handed on to
    the next one, from the ends inwards, and the middle one takes the rest.
    """
    size = round(6 * sigma + 1) | 1
    kernel = cv2.getGaussianKernel(size, sigma)[:, 0] * 256
    half: list[int] = []
    error = 0.0
    for value in kernel[: size // 2].tolist():
        half.append(round(value + error))
        error += value - half[-1]
    return (*half, 256 - 2 * sum(half), *half[::-1])


def _reflect(values: Tensor, dim: int, reach: int) -> Tensor:
    """Continue a tensor on both sides by reflection, the border pixel not repeated.

    Unlike ``F.pad(mode='reflect')`` further than the tensor is long, as OpenCV does.
    """
    size = values.shape[dim]
    period = max(2 * size - 2, 1)
    at = torch.arange(-reach, size + reach, device=values.device).remainder(period)
    return values.index_select(dim, torch.minimum(at, period - at).clamp(max=size - 1))
