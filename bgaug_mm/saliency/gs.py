"""Geodesic saliency (GS)."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import dijkstra

from bgaug_mm.registry import SALIENCY_ESTIMATORS

from .superpixels import Floats, SuperpixelEstimator, SuperpixelGraph, merge_free

BORDER_COSTS = ('zero', 'contrast')
#: Distance in CIE Lab that the eye just tells apart (Mahy et al., 1994).
NOTICEABLE = 2.3


@SALIENCY_ESTIMATORS.register_module(name=['GS', 'gs'])
class GS(SuperpixelEstimator):
    """Geodesic saliency on superpixels (Wei, Wen, Zhu, Sun; ECCV 2012, GS_SP).

    The saliency of a superpixel is its distance to the background: the cost of the
    cheapest path to a virtual node behind the border, over the steps of colour. Where no
    distance is noticeable (2.3 in Lab; our choice) the map is zero.

    Args:
        size (int, optional): Longest side at which the map is computed. Default: 400.
        pixels (int): Mean size of a superpixel in pixels. Default: 600.
        compactness (float): Of the superpixels, in units of Lab. Default: 20.
        iterations (int): Of SLIC. Default: 5.
        border_cost (str): What the step from the virtual node to a border superpixel
            costs: 'zero', or 'contrast': the mean of the smaller half of its colour
            distances to the other border superpixels, so that an object which crosses
            less than half of the border is not background. The paper computes a
            one-dimensional saliency along the border; this measure of it is ours.
            Default: 'zero'.
    """

    def __init__(
        self,
        size: int | None = 400,
        *,
        pixels: int = 600,
        compactness: float = 20.0,
        iterations: int = 5,
        border_cost: str = 'zero',
    ) -> None:
        super().__init__(size, pixels=pixels, compactness=compactness, iterations=iterations)
        if border_cost not in BORDER_COSTS:
            raise ValueError(
                f'`border_cost` must be one of {BORDER_COSTS}, but got {border_cost!r}'
            )
        self.border_cost = border_cost

    def rate(self, graph: SuperpixelGraph) -> Floats:
        entry = np.zeros(len(graph))
        if self.border_cost == 'contrast':
            entry += border_contrast(graph)
        distance = distance_to_border(graph, entry)
        return distance if distance.max() > NOTICEABLE else np.zeros(len(graph))


def distance_to_border(graph: SuperpixelGraph, entry: Floats) -> Floats:
    """Cost of the cheapest path to the virtual background node.

    Steps cost what the colour distance exceeds the average smallest one by ("small weight
    clipping").

    Args:
        graph (SuperpixelGraph): Of the image.
        entry (ndarray): (N,) float64, cost of the step from the node to each border
            superpixel; the others' entries are not looked at.

    Returns:
        ndarray: (N,) float64, at least 0.
    """
    count = len(graph)
    edges = np.zeros((count + 1, count + 1), dtype=bool)
    edges[:count, :count] = graph.adjacent
    edges[count, :count] = edges[:count, count] = graph.border
    cost = np.zeros(edges.shape)
    cost[:count, :count] = np.maximum(graph.distance - graph.nearest(graph.near), 0)
    cost[count, :count] = cost[:count, count] = entry
    joined, group = merge_free(edges, cost)
    return dijkstra(joined, indices=group[count])[group[:count]]


def border_contrast(graph: SuperpixelGraph) -> Floats:
    """Mean of the smaller half of the colour distances to the other border superpixels."""
    border = np.flatnonzero(graph.border)
    apart = np.sort(graph.distance[np.ix_(border, border)], axis=1)[:, 1:]
    half = max(1, apart.shape[1] // 2)
    result = np.zeros(len(graph))
    if apart.size:
        result[border] = apart[:, :half].mean(axis=1)
    return result
