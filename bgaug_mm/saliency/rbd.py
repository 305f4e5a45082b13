"""Saliency from robust background detection (RBD)."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.sparse.csgraph import dijkstra
from scipy.sparse.linalg import cg
from scipy.spatial.distance import cdist
from skimage.filters import threshold_otsu

from bgaug_mm.registry import SALIENCY_ESTIMATORS

from .base import rescale
from .superpixels import Floats, SuperpixelEstimator, SuperpixelGraph, merge_free


@SALIENCY_ESTIMATORS.register_module(name=['RBD', 'rbd'])
class RBD(SuperpixelEstimator):
    """Robust background detection (Zhu, Liang, Wei, Sun; CVPR 2014).

    What is connected to the image's border over a long stretch, for its size, is
    background; what differs from background near it is foreground; a least-squares fit
    to both, smooth where colours are, is the map. It misses what touches the border with
    much of its size.

    Equations of the paper, constants of the authors' code; where neither says it we chose:
    places are in parts of the height and of the width; contrast takes the probability of
    background, the fit its weight; a map that stays below 0.2 is zero, any other one is
    stretched to [0, 1]; a frame around the picture is not cut off.

    Args:
        size (int, optional): Longest side at which the map is computed. Default: 400,
            about the size for which the paper's constants were set.
        pixels (int): Mean size of a superpixel in pixels. Default: 600.
        compactness (float): Of the superpixels, in units of Lab. Default: 20.
        iterations (int): Of SLIC. Default: 5.
        optimize (bool): Whether to fit (§5 of the paper), or to return the
            background-weighted contrast (§4). Default: True.
    """

    def __init__(
        self,
        size: int | None = 400,
        *,
        pixels: int = 600,
        compactness: float = 20.0,
        iterations: int = 5,
        optimize: bool = True,
    ) -> None:
        super().__init__(size, pixels=pixels, compactness=compactness, iterations=iterations)
        self.optimize = optimize

    def rate(self, graph: SuperpixelGraph) -> Floats:
        connectivity = boundary_connectivity(graph)
        background = 1 - np.exp(-(connectivity**2) / 2)
        contrast = weighted_contrast(graph, background)
        if not self.optimize:
            return contrast
        background[connectivity > 3] = 1000
        saliency = optimal_saliency(graph, background, contrast)
        # Full contrast (1) against surely background (5) reaches 1/6: no more, no object.
        return saliency if saliency.max() > 0.2 else np.zeros(len(graph))


def weight(distance: Floats, sigma: float) -> Floats:
    """exp(-d² / 2σ²), and 0 beyond 3σ; for σ = 0 its limit."""
    sigma = max(sigma, 1e-6)
    scaled = distance / sigma
    return np.where(scaled > 3, 0, np.exp(-(scaled**2) / 2))


def boundary_connectivity(graph: SuperpixelGraph) -> Floats:
    """Length along the border over the root of the area, for soft regions (§3.2).

    Returns:
        ndarray: (N,) float64, positive; about 1 and more for background.
    """
    edges = graph.adjacent | graph.linked
    cost = np.maximum(graph.distance - graph.nearest(graph.near), 0)
    joined, group = merge_free(edges, cost)
    sigma = max(5.0, min(10.0, 3 * graph.nearest(graph.adjacent), top_percent(graph) / 10))
    near = weight(dijkstra(joined, limit=3 * sigma), sigma)
    area = np.bincount(group)
    length = np.bincount(group, graph.border, len(area))
    return ((near @ length) / np.sqrt(near @ area))[group]


def weighted_contrast(graph: SuperpixelGraph, background: Floats) -> Floats:
    """Contrast against what is probably background (§4), stretched, 0 below Otsu.

    Args:
        graph (SuperpixelGraph): Of the image.
        background (ndarray): (N,) float64, probability in [0, 1].

    Returns:
        ndarray: (N,) float64 in [0, 1].
    """
    near = weight(cdist(graph.position, graph.position), 0.4)
    contrast = rescale((graph.distance * near) @ background)
    if contrast.any():
        contrast[contrast < threshold_otsu(contrast)] = 0  # type: ignore[no-untyped-call]
    return contrast


def optimal_saliency(graph: SuperpixelGraph, background: Floats, foreground: Floats) -> Floats:
    """The least-squares fit of §5: 0 on background, 1 on foreground, smooth in colour.

    Args:
        graph (SuperpixelGraph): Of the image.
        background (ndarray): (N,) float64, weight of the value 0.
        foreground (ndarray): (N,) float64, weight of the value 1.

    Returns:
        ndarray: (N,) float64 in [0, 1].
    """
    sigma = min(3 * graph.nearest(graph.adjacent), 0.2 * top_percent(graph), 20.0)
    one, other = np.nonzero(graph.near | graph.linked)
    smooth = weight(graph.distance[one, other], sigma) + 0.1 * graph.adjacent[one, other]
    links = csr_array((smooth, (one, other)), shape=graph.adjacent.shape)
    diagonal = links.sum(axis=1) + 5 * background + foreground
    # Conjugate gradients on the matrix scaled to a diagonal of 1: some 30 steps.
    scale = 1 / np.sqrt(diagonal)
    matrix = diags_array(np.ones(len(graph))) - diags_array(scale) @ links @ diags_array(scale)
    solution, _ = cg(matrix.tocsr(), scale * foreground, rtol=1e-6)
    return np.clip(scale * solution, 0, 1)


def top_percent(graph: SuperpixelGraph) -> float:
    """Mean of the largest hundredth of all colour distances."""
    values = graph.distance.ravel()
    count = max(1, len(values) // 100)
    return float(np.partition(values, -count)[-count:].mean())
