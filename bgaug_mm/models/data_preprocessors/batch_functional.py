"""Pixel maths of the background operations on batches: pure functions on tensors.

The counterpart of :mod:`bgaug_mm.datasets.transforms.functional` on the device, with the
same results. Images are (B, C, H, W), uint8 or float (then also normalised); masks are
(B, 1, H, W), 0 to 255 in uint8 or 0 to 1 in float, soft. Thresholds are in 0 to 255 for
both. Nothing is random, nothing writes into its arguments, and nothing loops over the
samples or waits for the device: what a sample cannot have is told by a tensor of
booleans.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def composite(foreground: Tensor, background: Tensor, masks: Tensor) -> Tensor:
    """Blend two batches by soft masks: ``m·fg + (1 − m)·bg``.

    Args:
        foreground (Tensor): (B, C, H, W), uint8 or float.
        background (Tensor): Broadcasts to the same shape, any dtype.
        masks (Tensor): (B, 1, H, W), uint8 or float.

    Returns:
        Tensor: (B, C, H, W), a new tensor of the foreground's dtype; correctly rounded
        for uint8, and the foreground itself where the mask is full.
    """
    weights = torch.div(masks, 255) if masks.dtype == torch.uint8 else masks.float()
    blended = torch.lerp(background.float(), foreground.float(), weights)
    if foreground.dtype == torch.uint8:
        return blended.round_().to(torch.uint8)
    return blended.to(foreground.dtype)


def foreground_share(masks: Tensor) -> Tensor:
    """Mean of each mask as a share, (B,) float32 in [0, 1]."""
    if masks.dtype == torch.uint8:  # summed as integers: exact
        return masks.sum((1, 2, 3)).float() / (255 * masks[0].numel())
    return masks.float().mean((1, 2, 3))


def foreground_box(masks: Tensor, threshold: int = 64) -> Tensor:
    """Bounding boxes of the pixels that are at least ``threshold``.

    Args:
        masks (Tensor): (B, 1, H, W), uint8 or float.
        threshold (int): 1 to 255. Defaults to 64.

    Returns:
        Tensor: (B, 4) int64 of (x1, y1, x2, y2), the right and lower end exclusive;
        zeros where no pixel reaches the threshold.
    """
    # half a level below, so that a float mask's rounding does not matter
    limit = threshold if masks.dtype == torch.uint8 else (threshold - 0.5) / 255
    above = masks[:, 0] >= limit
    ends = [_first_and_last(above.any(dim)) for dim in (1, 2)]  # of the columns, the rows
    (x1, x2), (y1, y2) = ends
    return torch.stack([x1, y1, x2, y2], dim=1)


def _first_and_last(flags: Tensor) -> tuple[Tensor, Tensor]:
    """First set position and the one behind the last, (B,) each; zeros without any."""
    size = flags.shape[1]
    at = torch.arange(size, device=flags.device)
    last = ((at + 1) * flags).amax(1)
    first = at.expand_as(flags).masked_fill(~flags, size).amin(1)
    return torch.minimum(first, last), last  # without any: min(size, 0)


def box_masks(box: Tensor, height: int, width: int) -> Tensor:
    """Which pixels lie in each box of :func:`foreground_box`, (B, 1, height, width) bool."""
    x1, y1, x2, y2 = box[:, :, None].unbind(1)
    columns = torch.arange(width, device=box.device)
    rows = torch.arange(height, device=box.device)
    in_columns = (columns >= x1) & (columns < x2)
    in_rows = (rows >= y1) & (rows < y2)
    return in_rows[:, None, :, None] & in_columns[:, None, None, :]


def background_mean(images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
    """Mean colour of each background, its pixels weighted by ``1 − mask``.

    Args:
        images (Tensor): (B, C, H, W), any dtype.
        masks (Tensor): (B, 1, H, W), uint8 or float.

    Returns:
        tuple[Tensor, Tensor]: (B, C, 1, 1) float32, and (B,) bool: False (and a mean of
        zero) where the mask is full.
    """
    full = 255 if masks.dtype == torch.uint8 else 1
    weights = full - masks.float()
    total = weights.sum((2, 3), keepdim=True)
    some = total > 0
    mean = (images * weights).sum((2, 3), keepdim=True) / total.masked_fill(~some, 1)
    return mean, some.flatten()


def cut_window(images: Tensor, windows: Tensor, height: int, width: int) -> Tensor:
    """Cut a window out of each image and resize it bilinearly, as ``cv2.resize`` does.

    Args:
        images (Tensor): (B, C, H', W'), any dtype.
        windows (Tensor): (B, 5) of (top, left, height, width, mirrored) in whole pixels,
            within the image; see :func:`.batch_windows.pixel_windows`.
        height (int): Of the result, in pixels.
        width (int): Of the result, in pixels.

    Returns:
        Tensor: (B, C, height, width) float32, not rounded.
    """
    top, left, cut_height, cut_width, mirrored = windows.float().unbind(1)
    y = _source(height, top, cut_height)
    x = _source(width, left, cut_width)
    x = torch.where(mirrored[:, None] > 0, x.flip(1), x)
    # from pixels to [-1, 1] as grid_sample counts without `align_corners`
    x = (2 * x + 1) / images.shape[3] - 1
    y = (2 * y + 1) / images.shape[2] - 1
    grid = torch.stack(
        [
            x[:, None].expand(-1, height, -1),
            y[:, :, None].expand(-1, -1, width),
        ],
        dim=3,
    )
    return F.grid_sample(images.float(), grid, padding_mode='border', align_corners=False)


def _source(size: int, start: Tensor, length: Tensor) -> Tensor:
    """Where each of ``size`` resized pixels reads along one axis, (B, size)."""
    at = torch.arange(size, device=start.device) + 0.5
    inside = at * (length / size)[:, None] - 0.5
    # clamped to the window, not to the image
    inside = torch.minimum(inside.clamp(min=0), length[:, None] - 1)
    return start[:, None] + inside
