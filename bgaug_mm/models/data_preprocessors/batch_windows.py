"""A background's own crop and flip, for many backgrounds at once.

Drawn on the host, so that the device need not be asked for anything.
"""

from __future__ import annotations

import torch
from torch import Tensor


def draw_windows(count: int, scale: tuple[float, float], flip_prob: float) -> Tensor:
    """Draw as :func:`bgaug_mm.datasets.backgrounds.base.draw_window` does, from torch.

    Args:
        count (int): How many.
        scale (tuple[float, float]): Range of the window's area, as a share of the
            largest window of the view's proportions, in (0, 1].
        flip_prob (float): Probability of mirroring, in [0, 1].

    Returns:
        Tensor: (count, 4) float64 on the CPU: side, x, y and flip (0 or 1), see
        :class:`bgaug_mm.datasets.backgrounds.base.Window`.
    """
    area, x, y, flip = torch.rand(4, count, dtype=torch.float64)
    side = (scale[0] + (scale[1] - scale[0]) * area).sqrt()
    return torch.stack([side, x, y, (flip < flip_prob).double()], dim=1)


def pixel_windows(windows: Tensor, sizes: Tensor, height: int, width: int) -> Tensor:
    """Windows in the pixels of their images, as
    :func:`bgaug_mm.datasets.backgrounds.base.cut_window` places them.

    Args:
        windows (Tensor): (K, 4) float64 of :func:`draw_windows`.
        sizes (Tensor): (K, 2) or (2,), height and width of the images to cut from.
        height (int): Of the view, in pixels.
        width (int): Of the view, in pixels.

    Returns:
        Tensor: (K, 5) float32 of (top, left, height, width, mirrored), whole numbers;
        for :func:`.batch_functional.cut_window`.
    """
    side, x, y, flip = windows.unbind(1)
    image_height, image_width = sizes.double().expand(len(windows), 2).unbind(1)
    fit = torch.minimum(image_height / height, image_width / width) * side
    cut_height = torch.minimum((height * fit).round().clamp(min=1), image_height)
    cut_width = torch.minimum((width * fit).round().clamp(min=1), image_width)
    top = (y * (image_height - cut_height)).round()
    left = (x * (image_width - cut_width)).round()
    return torch.stack([top, left, cut_height, cut_width, flip], dim=1).float()
