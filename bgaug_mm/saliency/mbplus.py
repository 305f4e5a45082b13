"""MB+: what cannot be reached from the frame without crossing a barrier is salient."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bgaug_mm.environment import require_saliency
from bgaug_mm.registry import SALIENCY_ESTIMATORS

from .base import Image, SaliencyEstimator, rescale

Map = NDArray[np.float32]


@SALIENCY_ESTIMATORS.register_module(name=['MBPlus', 'mbplus'])
class MBPlus(SaliencyEstimator):
    """MB+ of Zhang et al., "Minimum Barrier Salient Object Detection at 80 FPS", ICCV 2015.

    The minimum barrier distance to the frame, summed over the channels, plus the contrast to
    the colours of four border strips (the + of MB+), smoothed, weighted towards the centre
    and stretched (§4). Written from the equations, with the published constants. Ours are: a
    weaker weight of the centre, a smoothing kernel that grows with the image, the regular
    part of the covariance, 8-bit Lab as OpenCV scales it, and the last rescaling to [0, 1].
    Needs numba. It fails on objects that touch the frame over a long stretch. The authors
    declare a patent on the method as pending.

    Args:
        size (int, optional): Longest side in pixels at which the map is computed, as
            :class:`SaliencyEstimator` does it. Defaults to 300, the paper's.
        passes (int): Raster scans of FastMBD. Defaults to 3.
        backgroundness (bool): Whether to add the contrast to the border strips. Without
            it the method is MB. Defaults to True.
        border (float): Width of the strips as a share of the image's side, in (0, 0.5].
            Defaults to 0.1.
        center_prior (float): By how much the corners are darkened: the map is multiplied
            with 1 − center_prior · r / r_max, r the distance to the centre. In [0, 1]; 1 is
            the published form, 0 none. Defaults to 0.5, ours: the full weight darkens
            the ends of large objects below any fixed threshold.
        smoothing (float): Width of the smoothing kernel for a map of mean 1 in an image of
            300 pixels: it is ``smoothing · √mean · longest side / 300``. 0: none. Defaults
            to 50.
        contrast (float): Slope b of the sigmoid 1 / (1 + exp(−b(s − 0.5))) that stretches
            the map. 0: none. Defaults to 10.

    Raises:
        ImportError: If numba is not installed, with the command that installs it.
    """

    requires = ('numba',)

    def __init__(
        self,
        *,
        size: int | None = 300,
        passes: int = 3,
        backgroundness: bool = True,
        border: float = 0.1,
        center_prior: float = 0.5,
        smoothing: float = 50.0,
        contrast: float = 10.0,
    ) -> None:
        super().__init__(size)
        if passes < 1:
            raise ValueError(f'`passes` must be at least 1, but got {passes}')
        if not 0 < border <= 0.5:
            raise ValueError(f'`border` must be in (0, 0.5], but got {border}')
        if not 0 <= center_prior <= 1:
            raise ValueError(f'`center_prior` must be in [0, 1], but got {center_prior}')
        for name, value in (('smoothing', smoothing), ('contrast', contrast)):
            if value < 0:
                raise ValueError(f'`{name}` must not be negative, but got {value}')
        require_saliency(*self.requires)
        self.passes = passes
        self.backgroundness = backgroundness
        self.border = border
        self.center_prior = center_prior
        self.smoothing = smoothing
        self.contrast = contrast

    def estimate(self, image: Image) -> Map:
        # numba's code is imported here, so that the package loads without it
        from .border_contrast import border_contrast
        from .minimum_barrier import minimum_barrier_distance
        from .reconstruction import smooth

        lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB).astype(np.float32)
        distance = minimum_barrier_distance(lab, self.passes) @ np.ones(3, np.float32)
        saliency = _over_maximum(distance)
        if self.backgroundness:
            saliency = _over_maximum(saliency + border_contrast(lab, self.border))
        if self.smoothing:
            mean = float(saliency.mean())
            width = round(self.smoothing * mean**0.5 * max(image.shape[:2]) / 300)
            levels = np.rint(255 * saliency).astype(np.uint8)
            saliency = smooth(levels, max(1, width)).astype(np.float32)
        if self.center_prior:
            saliency = saliency * (1 - self.center_prior * eccentricity(*image.shape[:2]))
        saliency = rescale(saliency)
        if self.contrast:
            saliency = rescale(1 / (1 + np.exp(-self.contrast * (saliency - 0.5))))
        return saliency


@lru_cache(maxsize=32)
def eccentricity(height: int, width: int) -> Map:
    """0 at the image's centre, growing linearly to 1 in its corners; read-only."""
    y, x = np.ogrid[:height, :width]
    distance = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2).astype(np.float32)
    distance = _over_maximum(distance)
    distance.setflags(write=False)
    return distance


def _over_maximum(values: NDArray[Any]) -> NDArray[Any]:
    """Values divided by the largest; zeros stay."""
    largest = float(values.max())
    return values / largest if largest > 0 else values
