"""Fine-grained saliency: contrast between a centre and its surround at several scales."""

from __future__ import annotations

from typing import Any

import cv2
from numpy.typing import NDArray

from bgaug_mm.environment import require_saliency
from bgaug_mm.registry import SALIENCY_ESTIMATORS

from .base import Image, SaliencyEstimator, rescale


@SALIENCY_ESTIMATORS.register_module(name=['FineGrained', 'fine_grained'])
class FineGrained(SaliencyEstimator):
    """On- and off-centre contrasts of Montabone and Soto, Image and Vision Computing 2010.

    OpenCV's implementation (opencv-contrib, ``cv2.saliency``): grey-level differences between
    a pixel and the mean of windows around it, by integral images. It finds textures and
    edges rather than whole objects. The stretching of the map to [0, 1] is ours.

    Args:
        size (int, optional): As for :class:`SaliencyEstimator`; the windows have fixed
            widths in pixels, so it decides how large a thing stands out. Defaults to None.

    Raises:
        ImportError: If opencv-contrib is not installed, with the command that installs it.
    """

    requires = ('cv2.saliency',)

    def __init__(self, *, size: int | None = None) -> None:
        super().__init__(size)
        require_saliency(*self.requires)

    def estimate(self, image: Image) -> NDArray[Any]:
        method = cv2.saliency.StaticSaliencyFineGrained.create()
        _, saliency = method.computeSaliency(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
        return rescale(saliency)
