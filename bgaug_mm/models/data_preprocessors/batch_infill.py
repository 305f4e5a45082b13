"""Take the foregrounds out of a batch of images.

The counterpart of :mod:`bgaug_mm.datasets.transforms.infill`; see there for what the
methods do. ``inpaint`` is OpenCV's and has none. Rules as in :mod:`.batch_functional`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from .batch_functional import background_mean, box_masks, foreground_box, foreground_share

#: What :func:`infill` can do.
INFILLS = ('tile_strip', 'tile_rectangle', 'mean')


def infill(
    images: Tensor, masks: Tensor, method: str, *, threshold: int = 64, min_strip: float = 1 / 16
) -> tuple[Tensor, Tensor]:
    """Take the foregrounds out of images.

    Args:
        images (Tensor): (B, C, H, W), any dtype.
        masks (Tensor): (B, 1, H, W), uint8 or float.
        method (str): One of ``INFILLS``.
        threshold (int): Mask value (in 0 to 255) from which on a pixel belongs to the
            foreground, 1 to 255. Defaults to 64.
        min_strip (float): Least usable share of background, in [0, 1]. Defaults to 1/16.

    Returns:
        tuple[Tensor, Tensor]: A new (B, C, H, W) of the images' dtype, and (B,) bool:
        False where there is too little background (the pixels are then of no use, but
        finite). An image without foreground is usable as it is.
    """
    height, width = images.shape[2:]
    box = foreground_box(masks, threshold)
    if method == 'mean':
        room = 1 - foreground_share(masks)
        mean, some = background_mean(images, masks)
        if not images.is_floating_point():
            mean = mean.round_()
        inside = box_masks(box, height, width)
        return torch.where(inside, mean.to(images.dtype), images), some & (room >= min_strip)
    strip, usable = _largest_strip(box, height, width, min_strip)
    if method == 'tile_strip':
        # the strip's own columns (rows) stay in place: a period as long as the box
        flat = (strip[:, 2] - strip[:, 0] == width)[:, None]
        keep = torch.cat([flat, ~flat, flat, ~flat], dim=1)
        strip = torch.where(keep, box, strip)
    return _tile(images, box, strip), usable


def _largest_strip(box: Tensor, height: int, width: int, min_strip: float) -> tuple[Tensor, Tensor]:
    """The largest border strip outside each box (B, 4), and whether it is thick enough."""
    x1, y1, x2, y2 = box.unbind(1)
    zero = torch.zeros_like(x1)
    bottom, right = zero + height, zero + width
    # above, below, left and right of the box, as (x1, y1, x2, y2): (B, 4 strips, 4)
    strips = torch.stack(
        [
            torch.stack([zero, zero, right, y1], dim=1),
            torch.stack([zero, y2, right, bottom], dim=1),
            torch.stack([zero, zero, x1, bottom], dim=1),
            torch.stack([x2, zero, right, bottom], dim=1),
        ],
        dim=1,
    )
    sizes = strips[:, :, 2:] - strips[:, :, :2]
    best = sizes.prod(2).argmax(1)[:, None, None]  # the first of several
    strip = strips.gather(1, best.expand(-1, 1, 4))[:, 0]
    wide, high = (strip[:, 2:] - strip[:, :2]).unbind(1)
    thickness = torch.where(wide == width, high / height, wide / width)
    return strip, (thickness > 0) & (thickness >= min_strip)


def _tile(images: Tensor, box: Tensor, rectangle: Tensor) -> Tensor:
    """Fill each image's box by repeating a rectangle of it, from the upper left corner on.

    Args:
        images (Tensor): (B, C, H, W), any dtype.
        box (Tensor): (B, 4) int64, what is filled: (x1, y1, x2, y2), ends exclusive.
        rectangle (Tensor): (B, 4) int64, what is repeated.

    Returns:
        Tensor: (B, C, H, W), a new tensor.
    """
    shape, (height, width) = images.shape, images.shape[2:]
    rows = _repeated(height, box[:, 1], rectangle[:, 1::2])[:, None, :, None]
    columns = _repeated(width, box[:, 0], rectangle[:, 0::2])[:, None, None, :]
    # one axis after the other: a third of the time of indexing both at once on a CPU, and
    # the indices stay small
    tiled = images.gather(2, rows.expand(shape)).gather(3, columns.expand(shape))
    return torch.where(box_masks(box, height, width), tiled, images)


def _repeated(size: int, start: Tensor, source: Tensor) -> Tensor:
    """Where each position along one axis reads when ``source`` (B, 2) repeats from ``start``.

    (B, size) int64 in [0, size).
    """
    at = torch.arange(size, device=start.device) - start[:, None]
    period = (source[:, 1:] - source[:, :1]).clamp(min=1)  # an unusable strip may be empty
    return (source[:, :1] + at.remainder(period)).clamp(max=size - 1)
