"""Mixtures of two batches of images: globally or by region, one for the whole batch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class Mixture:
    """A drawn mixture of two batches.

    Attributes:
        share (float): λ, the share of the first batch, in [0, 1].
        box (tuple[int, int, int, int], optional): (x1, y1, x2, y2), ends exclusive: where the
            second batch shows; None where the two are blended everywhere.
    """

    share: float
    box: tuple[int, int, int, int] | None = None

    @classmethod
    def draw(cls, size: tuple[int, int], *, alpha: float, region_prob: float) -> Mixture:
        """Draw λ ~ Beta(α, α) and how to mix; from numpy's global generator.

        A region is CutMix's (Yun et al., ICCV 2019, section 3): sides of √(1 - λ) of the
        image's around a uniform centre, cut at the border; λ becomes the area outside it.

        Args:
            size (tuple[int, int]): Height and width of the images.
            alpha (float): α of the Beta distribution, above 0.
            region_prob (float): Probability of a region, in [0, 1].
        """
        share = float(np.random.beta(alpha, alpha))
        if np.random.random() >= region_prob:
            return cls(share)
        side = (1 - share) ** 0.5
        (y1, y2), (x1, x2) = (_cut(length, side) for length in size)
        return cls(1 - (x2 - x1) * (y2 - y1) / (size[0] * size[1]), (x1, y1, x2, y2))

    def apply(self, first: Tensor, second: Tensor) -> Tensor:
        """Mix two batches (B, C, H, W); a new tensor."""
        if self.box is None:
            return self.share * first + (1 - self.share) * second
        x1, y1, x2, y2 = self.box
        mixed = first.clone()
        mixed[:, :, y1:y2, x1:x2] = second[:, :, y1:y2, x1:x2]
        return mixed


def _cut(length: int, side: float) -> tuple[int, int]:
    """Ends of a piece of ``side · length`` around a uniform position, cut at the border."""
    half = int(side * length) // 2
    centre = np.random.randint(length)
    return max(centre - half, 0), min(centre + half, length)
