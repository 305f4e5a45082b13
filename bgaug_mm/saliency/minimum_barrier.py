"""The minimum barrier distance of every pixel to the image's frame, by raster scans.

The minimum barrier distance (Strand et al., CVIU 2013) is the smallest spread of values
(largest minus smallest) that a path to the seeds can have. The FastMBD transform of Zhang et
al. (ICCV 2015, Algorithm 1) finds it nearly, by sweeps over the image in turn forward and
backward. Importing this module needs numba.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True)
def minimum_barrier_distance(values: NDArray[Any], passes: int = 3) -> NDArray[Any]:
    """FastMBD of each channel; the seeds are the outermost rows and columns.

    A sweep offers each pixel the paths of the two neighbours it has passed (above and left,
    or below and right), each path kept as its lowest and highest value. The result is the
    spread of a real path: never below the exact distance, never higher after more sweeps.
    It may stay above the exact one, because a pixel keeps one path, and the best path of a
    neighbour may begin with another (paper, §3.3, on the error).

    Args:
        values (ndarray): (H, W, C) float32.
        passes (int): Sweeps, at least 1. Defaults to 3, the paper's K.

    Returns:
        ndarray: (H, W, C) float32, in the unit of the values; 0 on the seeds.
    """
    height, width, channels = values.shape
    low, high = values.copy(), values.copy()
    distance = np.full(values.shape, np.inf, values.dtype)
    distance[0] = distance[-1] = 0
    distance[:, 0] = distance[:, -1] = 0
    for sweep in range(passes):
        backward = sweep % 2 == 1
        step = -1 if backward else 1
        for i in range(1, height - 1):
            y = height - 1 - i if backward else i
            for j in range(1, width - 1):
                x = width - 1 - j if backward else j
                # Without branches, and the channels innermost: they are independent, so the
                # processor works on all of them while each waits for the pixel before.
                for c in range(channels):
                    value = values[y, x, c]
                    best, lowest, highest = distance[y, x, c], low[y, x, c], high[y, x, c]
                    bottom = min(low[y - step, x, c], value)
                    top = max(high[y - step, x, c], value)
                    better = top - bottom < best
                    best = top - bottom if better else best
                    lowest = bottom if better else lowest
                    highest = top if better else highest
                    bottom = min(low[y, x - step, c], value)
                    top = max(high[y, x - step, c], value)
                    better = top - bottom < best
                    distance[y, x, c] = top - bottom if better else best
                    low[y, x, c] = bottom if better else lowest
                    high[y, x, c] = top if better else highest
    return distance
