"""How far colours are from those at the image's border. Importing this module needs numba."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Map = NDArray[np.float32]


def border_contrast(lab: Map, border: float) -> Map:
    """The + of MB+ (Zhang et al., ICCV 2015, §4): contrast to four border strips.

    The Mahalanobis distance of each pixel to the colours of the top, bottom, left and right
    strip, each divided by its largest; their sum without the largest of the four, so that an
    object that covers one strip does no harm.

    Args:
        lab (ndarray): (H, W, 3) float32, on the 0..255 scale.
        border (float): Width of the strips as a share of the side; one pixel at least.

    Returns:
        ndarray: (H, W) float32, 0 for a uniform image, else with 1 as its largest value.
    """
    rows, columns = (max(1, round(side * border)) for side in lab.shape[:2])
    lab = lab - lab[0, 0]  # so that a uniform image has distances of exactly zero
    strips = (lab[:rows], lab[-rows:], lab[:, :columns], lab[:, -columns:])
    metrics = [_whitening(strip.reshape(-1, 3)) for strip in strips]
    matrices, centers = (np.array(part, np.float32) for part in zip(*metrics, strict=True))
    channels = np.ascontiguousarray(lab.reshape(-1, 3).T)  # in a row each: fit for SIMD
    distances = _distances(channels, matrices, centers)
    distances /= np.maximum(distances.max(axis=1, keepdims=True), 1e-6)
    contrast = distances.sum(axis=0) - distances.max(axis=0)
    contrast /= max(float(contrast.max()), 1e-6)
    return contrast.reshape(lab.shape[:2])


def _whitening(sample: Map) -> tuple[NDArray[Any], NDArray[Any]]:
    """Upper triangle (3, 3) and centre (3) that make Mahalanobis distances Euclidean."""
    colors = sample.astype(np.float64)
    mean = colors.mean(axis=0)
    colors -= mean
    # A uniform strip has no covariance; rounding to whole levels alone makes one of 1/12.
    covariance = colors.T @ colors / len(colors) + np.eye(3) / 12
    matrix = np.linalg.cholesky(np.linalg.inv(covariance)).T
    return matrix, matrix @ mean


@njit(cache=True)
def _distances(channels: NDArray[Any], matrices: NDArray[Any], centers: NDArray[Any]) -> Any:
    """Lengths (K, N) of ``matrices @ channels - centers``: (K, 3, 3) upper, (3, N), (K, 3)."""
    first, second, third = channels
    result = np.empty((len(matrices), len(first)), np.float32)
    for k in range(len(matrices)):
        m, center = matrices[k], centers[k]
        for i in range(len(first)):
            x = m[0, 0] * first[i] + m[0, 1] * second[i] + m[0, 2] * third[i] - center[0]
            y = m[1, 1] * second[i] + m[1, 2] * third[i] - center[1]
            z = m[2, 2] * third[i] - center[2]
            result[k, i] = np.sqrt(x * x + y * y + z * z)
    return result
