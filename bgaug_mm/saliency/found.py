"""FOUND, stage 1: whatever is unlike the least-attended patch is salient."""

from __future__ import annotations

from typing import Any

import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from bgaug_mm.registry import SALIENCY_ESTIMATORS

from .vit_features import PatchFeatures, VitEstimator


@SALIENCY_ESTIMATORS.register_module(name=['Found', 'found'])
class Found(VitEstimator):
    """The background seed of Siméoni et al., "Unsupervised Object Localization: Observing the
    Background to Discover Objects" (FOUND), CVPR 2023, §3.2.

    The patch to which the class token attends least is background, and so is every patch
    whose key is like its key; the complement is salient. Heads count by how sparse their
    attention is: weight log(Σ Q / Q_h), with Q_h the share of the patches above the mean
    attention of all heads. The paper's second stage, a trained 1×1 convolution, is not
    part of it. 0 and 1 become soft only where the patches are brought to the image's size.

    Args:
        threshold (float): Cosine above which a patch is background, in [-1, 1). Defaults to
            0.3, the paper's.
        reweight (bool): Whether heads are weighted. Defaults to True. A single head cannot
            be: its weight would be zero.
        **options: Those of :class:`~bgaug_mm.saliency.vit_features.VitEstimator`.
    """

    needs_class_token = True

    def __init__(self, *, threshold: float = 0.3, reweight: bool = True, **options: Any) -> None:
        if not -1 <= threshold < 1:
            raise ValueError(f'`threshold` must be in [-1, 1), but got {threshold}')
        super().__init__(**options)
        self.threshold = threshold
        self.reweight = reweight

    def score(self, features: PatchFeatures) -> NDArray[Any]:
        attention, keys = features.attention, features.keys
        if self.reweight and len(attention) > 1:
            weights = head_weights(attention)
            attention, keys = attention * weights[:, None], keys * weights[:, None, None]
        seed = attention.sum(dim=0).argmin()
        keys = F.normalize(keys.transpose(0, 1).flatten(1), dim=1)  # (P, heads · dims)
        front = keys @ keys[seed] <= self.threshold
        return front.reshape(features.grid).double().numpy()


def head_weights(attention: torch.Tensor) -> torch.Tensor:
    """Weights (heads,) of attention (heads, P): log(Σ Q / Q_h); see :class:`Found`."""
    share = (attention > attention.mean()).float().mean(dim=1) + 1e-10  # as released
    return (share.sum() / share).log()
