"""TokenCut: the smaller side of a normalised cut through a ViT's patches is salient."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, ndimage

from bgaug_mm.registry import SALIENCY_ESTIMATORS

from .vit_features import PatchFeatures, VitEstimator


@SALIENCY_ESTIMATORS.register_module(name=['TokenCut', 'tokencut'])
class TokenCut(VitEstimator):
    """TokenCut of Wang et al., "Self-Supervised Transformers for Unsupervised Object
    Discovery Using Normalized Cut", CVPR 2022, §3.

    Patches are the nodes of a graph, joined with weight 1 where the cosine of their keys
    exceeds τ and with ε elsewhere. The second smallest eigenvector of (D − E) y = λ D y is
    cut at its mean; the side of the entry farthest from there (in the paper: from 0) is in
    front, unless it holds three of the image's corners (as in the released code). What is
    connected with the most extreme patch remains. The paper refines maps with a bilateral
    solver; we do not. 0 and 1 become soft only where the patches are brought to the image's
    size.

    Args:
        tau (float): τ, in [-1, 1). Defaults to 0.2, the paper's.
        epsilon (float): ε, in (0, 1). Defaults to 1e-5, the paper's.
        connected (bool): Whether only the part with the most extreme patch is kept.
            Defaults to True.
        **options: Those of :class:`~bgaug_mm.saliency.vit_features.VitEstimator`.
    """

    def __init__(
        self, *, tau: float = 0.2, epsilon: float = 1e-5, connected: bool = True, **options: Any
    ) -> None:
        if not -1 <= tau < 1:
            raise ValueError(f'`tau` must be in [-1, 1), but got {tau}')
        if not 0 < epsilon < 1:
            raise ValueError(f'`epsilon` must be in (0, 1), but got {epsilon}')
        super().__init__(**options)
        self.tau = tau
        self.epsilon = epsilon
        self.connected = connected

    def score(self, features: PatchFeatures) -> NDArray[Any]:
        keys = features.keys.transpose(0, 1).flatten(1).double().numpy()
        keys /= np.maximum(np.linalg.norm(keys, axis=1, keepdims=True), 1e-12)
        strong = keys @ keys.T > self.tau
        np.fill_diagonal(strong, True)
        # A graph without structure has no second eigenvector of its own.
        if strong.all() or strong.sum() == len(strong):
            return np.zeros(features.grid)
        vector = second_eigenvector(np.where(strong, 1.0, self.epsilon)).reshape(features.grid)
        return foreground(vector, connected=self.connected).astype(float)


def second_eigenvector(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Solution y of (D − E) y = λ D y for the second smallest λ (Shi and Malik, 2000).

    Args:
        weights (ndarray): E, (P, P), symmetric, positive; P at least 2.

    Returns:
        ndarray: (P,), of either sign.
    """
    root = np.sqrt(weights.sum(axis=1))
    # The same as the second largest of the symmetric D^-½ E D^-½, with y = D^-½ v.
    index = len(weights) - 2
    _, vectors = linalg.eigh(weights / np.outer(root, root), subset_by_index=[index, index])
    return vectors[:, 0] / root


def foreground(vector: NDArray[np.float64], *, connected: bool = True) -> NDArray[np.bool_]:
    """The side of the cut that is in front (§3.2 of TokenCut).

    Args:
        vector (ndarray): (h, w), the eigenvector, of either sign.
        connected (bool): Whether only the part with the most extreme patch is kept.
    """
    vector = vector - vector.mean()
    if vector.flat[np.abs(vector).argmax()] < 0:
        vector = -vector
    if (vector[[0, 0, -1, -1], [0, -1, 0, -1]] > 0).sum() >= 3:
        vector = -vector
    front = vector > 0
    if connected:
        parts, _ = ndimage.label(front)
        front = parts == parts.flat[vector.argmax()]
    return front
