"""Pascal VOC's rules: which detections are true, and the average precision of 2007.

Everingham et al., "The Pascal Visual Object Classes (VOC) Challenge", IJCV 2010, section 4.2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

#: Detections that count as neither right nor wrong: their object is a difficult one.
LEFT_OUT = -1


def overlaps(boxes: Array, others: Array) -> Array:
    """Intersection over union of boxes whose last pixel belongs to them, as VOC's does.

    Args:
        boxes (Array): (N, 4), left, top, right and bottom pixel.
        others (Array): (M, 4).

    Returns:
        Array: (N, M) float64 in [0, 1].
    """
    one, two = boxes[:, None].astype(np.float64), others[None].astype(np.float64)
    low, high = np.maximum(one, two)[..., :2], np.minimum(one, two)[..., 2:]
    shared = np.clip(high - low + 1, 0, None).prod(axis=2)
    areas = [(box[..., 2:] - box[..., :2] + 1).prod(axis=2) for box in (one, two)]
    return shared / (areas[0] + areas[1] - shared)


def match_detections(
    boxes: Array, truth: Array, difficult: Array, thresholds: Sequence[float]
) -> Array:
    """Which detections of one class in one image are true.

    A detection belongs to the object that it overlaps most, however that one is taken. The
    first one with enough overlap is true, further ones of that object are false.

    Args:
        boxes (Array): (D, 4), detections, the most certain first.
        truth (Array): (G, 4), all objects of the class.
        difficult (Array): (G,) bool, objects that one need not find.
        thresholds (Sequence[float]): The least overlap, for each of T answers.

    Returns:
        Array: (T, D) int8: 1 true, 0 false, :data:`LEFT_OUT`.
    """
    states = np.zeros((len(thresholds), len(boxes)), np.int8)
    if not len(boxes) or not len(truth):
        return states
    table = overlaps(boxes, truth)
    nearest, highest = table.argmax(axis=1), table.max(axis=1)
    for row, threshold in zip(states, thresholds, strict=True):
        hits = np.flatnonzero(highest >= threshold)
        _, first = np.unique(nearest[hits], return_index=True)
        row[hits[first]] = 1
        row[hits[difficult[nearest[hits]]]] = LEFT_OUT
    return states


def eleven_point_average_precision(scores: Array, states: Array, objects: int) -> float:
    """Mean of the best precision at recalls of at least 0, 0.1, …, 1 (VOC 2007).

    Recalls are compared in whole numbers. In floating point, where mmdet and Detectron2
    compare them, 7 of 10 objects found is less than ``7 * 0.1``.

    Args:
        scores (Array): (D,), all detections of a class, in any order; of equal ones the
            earlier counts first.
        states (Array): (D,), as :func:`match_detections` returns them.
        objects (int): Objects that one must find, at least 1.

    Returns:
        float: In [0, 1].
    """
    ordered = states[np.argsort(-scores, kind='stable')]
    counted = ordered[ordered != LEFT_OUT].astype(np.int64)
    found = counted.cumsum()
    precision = found / np.arange(1, len(found) + 1)
    best = [precision[10 * found >= tenths * objects].max(initial=0) for tenths in range(11)]
    return float(np.mean(best))
