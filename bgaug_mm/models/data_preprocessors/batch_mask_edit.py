"""Edit the masks of a batch, as :class:`~bgaug_mm.datasets.transforms.mask_edit.MaskEdit` says."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from bgaug_mm.datasets.transforms.mask_edit import MaskEdit

from .batch_functional import box_masks, foreground_box


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
    """Gaussian blur with ``cv2.GaussianBlur``'s kernel size and border (reflect-101)."""
    size = round(6 * sigma + 1) | 1
    reach = size // 2
    at = torch.arange(size, device=masks.device, dtype=torch.float32) - reach
    kernel = torch.exp(-0.5 * (at / sigma) ** 2)
    kernel = (kernel / kernel.sum()).view(1, 1, 1, size)
    # autocast would round the convolution to half precision; it knows no device `meta`
    device = 'cpu' if masks.is_meta else masks.device.type
    with torch.autocast(device, enabled=False):
        wide = F.conv2d(_reflect(masks.float(), 3, reach), kernel)
        blurred = F.conv2d(_reflect(wide, 2, reach), kernel.transpose(2, 3))
    return blurred.round().to(torch.uint8)


def _reflect(values: Tensor, dim: int, reach: int) -> Tensor:
    """Continue a tensor on both sides by reflection, the border pixel not repeated.

    Unlike ``F.pad(mode='reflect')`` further than the tensor is long, as OpenCV does.
    """
    size = values.shape[dim]
    period = max(2 * size - 2, 1)
    at = torch.arange(-reach, size + reach, device=values.device).remainder(period)
    return values.index_select(dim, torch.minimum(at, period - at).clamp(max=size - 1))
