"""Spectral residual: what does not follow the usual fall of the spectrum is salient."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bgaug_mm.environment import require_saliency
from bgaug_mm.registry import SALIENCY_ESTIMATORS

from .base import Image, SaliencyEstimator, rescale


@SALIENCY_ESTIMATORS.register_module(name=['SpectralResidual', 'spectral_residual'])
class SpectralResidual(SaliencyEstimator):
    """Spectral residual of Hou and Zhang, "Saliency Detection", CVPR 2007.

    OpenCV's implementation (opencv-contrib, ``cv2.saliency``). It was made to predict where
    people look, not to cut out objects: blobs on edges and small things. The stretching of
    the map to [0, 1] is ours.

    Args:
        size (int, optional): As for :class:`SaliencyEstimator`. Defaults to None.
        scale (int): Side in pixels to which the image is brought for its spectrum; it
            decides how large a thing stands out. Defaults to 64, the paper's (§3) and
            OpenCV's.

    Raises:
        ImportError: If opencv-contrib is not installed, with the command that installs it.
    """

    requires = ('cv2.saliency',)

    def __init__(self, *, size: int | None = None, scale: int = 64) -> None:
        super().__init__(size)
        if scale < 8:
            raise ValueError(f'`scale` must be at least 8, but got {scale}')
        require_saliency(*self.requires)
        self.scale = scale

    def estimate(self, image: Image) -> NDArray[Any]:
        if (image == image[0, 0]).all():  # its spectrum is rounding errors
            return np.zeros(image.shape[:2], np.float32)
        method = cv2.saliency.StaticSaliencySpectralResidual.create()
        method.setImageWidth(self.scale)
        method.setImageHeight(self.scale)
        _, saliency = method.computeSaliency(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        return rescale(saliency)
