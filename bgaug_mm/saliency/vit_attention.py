"""Attention: what a ViT's class token looks at is salient."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from bgaug_mm.registry import SALIENCY_ESTIMATORS

from .base import rescale
from .vit_features import PatchFeatures, VitEstimator


@SALIENCY_ESTIMATORS.register_module(name=['VitAttention', 'attention'])
class VitAttention(VitEstimator):
    """Mean over the heads of the class token's attention to the patches.

    Caron et al., "Emerging Properties in Self-Supervised Vision Transformers" (DINO), ICCV
    2021, figure 1 and §4.2.2, show single heads and thresholds of their mass; that the heads
    are averaged and the map is stretched to [0, 1] is ours.

    Args:
        checkpoint, config, backbone, size, layer, batch_size, device: As for
            :class:`~bgaug_mm.saliency.vit_features.VitEstimator`.
    """

    needs_class_token = True

    def score(self, features: PatchFeatures) -> NDArray[Any]:
        return rescale(features.attention.mean(dim=0).reshape(features.grid).numpy())
