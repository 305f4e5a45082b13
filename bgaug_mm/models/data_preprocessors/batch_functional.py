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
    weights = masks.float() / 255 if masks.dtype == torch.uint8 else masks.float()
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
    last = torch.where(flags, at + 1, 0).amax(1)
    first = torch.where(flags, at, size).amin(1)
    return torch.minimum(first, last), last  # without any: min(size, 0)


def tile_infill(
    images: Tensor, masks: Tensor, *, threshold: int = 64, min_strip: float = 1 / 16
) -> tuple[Tensor, Tensor]:
    """Take the foregrounds out by tiling each image's largest border strip over its box.

    See :func:`bgaug_mm.datasets.transforms.functional.tile_infill`.

    Args:
        images (Tensor): (B, C, H, W), any dtype.
        masks (Tensor): (B, 1, H, W), uint8 or float.
        threshold (int): Of the foreground's box, 1 to 255. Defaults to 64.
        min_strip (float): Least usable thickness of the strip, as a share of the image's
            side in that direction. Defaults to 1/16.

    Returns:
        tuple[Tensor, Tensor]: A new (B, C, H, W) of the images' dtype, and (B,) bool:
        False where no strip is thick enough; such an image is left as it is. An image
        without foreground is usable as it is.
    """
    height, width = images.shape[2:]
    box = foreground_box(masks, threshold)
    x1, y1, x2, y2 = box.unbind(1)
    # above, below, left and right of the box
    thickness = torch.stack([y1, height - y2, x1, width - x2], dim=1)
    lengths = torch.stack([y1 * width, (height - y2) * width, x1 * height, (width - x2) * height])
    best = lengths.argmax(0)
    thick = thickness.gather(1, best[:, None])[:, 0]
    flat = best < 2  # a horizontal strip, repeated downwards
    usable = thick >= torch.where(flat, max(min_strip * height, 1), max(min_strip * width, 1))
    # the strip as a rectangle to repeat from the box's corner on
    zero = torch.zeros_like(x1)
    rectangle = torch.stack(
        [
            torch.where(flat, x1, torch.where(best == 2, zero, x2)),
            torch.where(flat, torch.where(best == 0, zero, y2), y1),
            torch.where(flat, x2, torch.where(best == 2, x1, zero + width)),
            torch.where(flat, torch.where(best == 0, y1, zero + height), y2),
        ],
        dim=1,
    )
    return tile(images, box, rectangle, usable), usable


def tile(images: Tensor, box: Tensor, rectangle: Tensor, where: Tensor) -> Tensor:
    """Fill each image's box by repeating a rectangle of it, from the upper left corner on.

    Args:
        images (Tensor): (B, C, H, W), any dtype.
        box (Tensor): (B, 4) int64, what is filled: (x1, y1, x2, y2), ends exclusive.
        rectangle (Tensor): (B, 4) int64, what is repeated.
        where (Tensor): (B,) bool, the images to fill; the others stay.

    Returns:
        Tensor: (B, C, H, W), a new tensor.
    """
    count, channels, height, width = images.shape
    device = images.device
    columns, in_columns = _repeated(width, box[:, 0::2], rectangle[:, 0::2])
    rows, in_rows = _repeated(height, box[:, 1::2], rectangle[:, 1::2])
    tiled = images[
        torch.arange(count, device=device).view(-1, 1, 1, 1),
        torch.arange(channels, device=device).view(1, -1, 1, 1),
        rows.view(count, 1, height, 1),
        columns.view(count, 1, 1, width),
    ]
    inside = (in_rows & where[:, None]).view(count, 1, height, 1)
    return torch.where(inside & in_columns.view(count, 1, 1, width), tiled, images)


def _repeated(size: int, box: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
    """Along one axis, from (B, 2) ends: where each position reads, whether it is in the box.

    Returns (B, size) int64 in [0, size) and (B, size) bool.
    """
    at = torch.arange(size, device=box.device)
    start, end = box[:, :1], box[:, 1:]
    period = (source[:, 1:] - source[:, :1]).clamp(min=1)
    read = source[:, :1] + (at - start).remainder(period)
    return read.clamp(max=size - 1), (at >= start) & (at < end)


def infill(
    images: Tensor, masks: Tensor, method: str, *, threshold: int = 64, min_strip: float = 1 / 16
) -> tuple[Tensor, Tensor]:
    """Take the foregrounds out by one of :data:`INFILLS`; see :func:`tile_infill`."""
    return INFILLS[method](images, masks, threshold=threshold, min_strip=min_strip)


#: Infills by name; the options are those of :func:`tile_infill`.
INFILLS = {'tile_strip': tile_infill}
