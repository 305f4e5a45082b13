"""VOC's rules against hand-computed values and a naive reference."""

import numpy as np
import pytest

from bgaug_mm.detection.voc_matching import (
    LEFT_OUT,
    eleven_point_average_precision,
    match_detections,
    overlaps,
)


def test_the_last_pixel_belongs_to_a_box():
    boxes = np.array([[0, 0, 9, 9], [5, 0, 14, 9], [20, 20, 29, 29], [0, 0, 9, 9.0]])
    expected = [[1, 50 / 150, 0, 1]]
    np.testing.assert_allclose(overlaps(boxes[:1], boxes), expected, rtol=0, atol=0)
    assert overlaps(boxes[:0], boxes).shape == (0, 4)


def test_second_detections_and_difficult_objects():
    truth = np.array([[0, 0, 9, 9], [20, 0, 29, 9], [40, 0, 49, 9]])
    difficult = np.array([False, False, True])
    boxes = np.array(
        [
            [0, 0, 9, 7],  # 0.8 of the first object
            [0, 0, 9, 9],  # all of it, but it is taken at 0.5 and 0.75
            [20, 0, 29, 5],  # 0.6 of the second one
            [40, 0, 49, 9],  # the difficult one
            [40, 0, 49, 9],  # again
            [60, 0, 69, 9],  # nothing there
        ]
    )
    states = match_detections(boxes, truth, difficult, (0.5, 0.75, 0.85, 0.6))
    out = LEFT_OUT
    assert states.tolist() == [
        [1, 0, 1, out, out, 0],
        [1, 0, 0, out, out, 0],
        [0, 1, 0, out, out, 0],
        [1, 0, 1, out, out, 0],  # an overlap of exactly the threshold is enough
    ]
    assert match_detections(boxes, truth[:0], difficult[:0], (0.5,)).tolist() == [[0] * 6]
    assert match_detections(boxes[:0], truth, difficult, (0.5, 0.6)).shape == (2, 0)


def test_eleven_points_by_hand():
    scores = np.array([0.9, 0.8, 0.7, 0.6, 0.5])
    states = np.array([1, 0, LEFT_OUT, 1, 0])
    # precision 1, 1/2, 2/3, 1/2 at recall 1/4, 1/4, 1/2, 1/2 of four objects
    expected = (3 * 1 + 3 * 2 / 3 + 5 * 0) / 11
    assert eleven_point_average_precision(scores, states, 4) == pytest.approx(expected, abs=1e-15)
    order = [3, 1, 4, 0, 2]
    shuffled = eleven_point_average_precision(scores[order], states[order], 4)
    assert shuffled == pytest.approx(expected, abs=1e-15)
    assert eleven_point_average_precision(scores[:0], states[:0], 4) == 0


@pytest.mark.parametrize('found', range(11))
def test_recalls_of_whole_tenths_are_reached(found):
    """0.3 and 0.7 are not, where 3/10 is compared with 3 * 0.1."""
    states = np.ones(found, np.int8)
    value = eleven_point_average_precision(np.arange(found)[::-1], states, 10)
    assert value == pytest.approx((found + 1) / 11 if found else 0, abs=1e-15)


def naive_states(boxes, truth, difficult, threshold):
    taken, states = set(), []
    for box in boxes:
        best, best_overlap = None, -1.0
        for i, other in enumerate(truth):
            width = min(box[2], other[2]) - max(box[0], other[0]) + 1
            height = min(box[3], other[3]) - max(box[1], other[1]) + 1
            shared = max(width, 0) * max(height, 0)
            area = sum((b[2] - b[0] + 1) * (b[3] - b[1] + 1) for b in (box, other))
            if shared / (area - shared) > best_overlap:
                best, best_overlap = i, shared / (area - shared)
        if best is None or best_overlap < threshold:
            states.append(0)
        elif difficult[best]:
            states.append(LEFT_OUT)
        else:
            states.append(int(best not in taken))
            taken.add(best)
    return states


@pytest.mark.parametrize('seed', range(20))
def test_matching_against_a_naive_reference(seed):
    rng = np.random.default_rng(seed)
    corner = rng.integers(0, 20, (30, 2))
    all_boxes = np.concatenate([corner, corner + rng.integers(1, 12, (30, 2))], axis=1)
    truth, boxes = all_boxes[: rng.integers(0, 8)], all_boxes[8:] + rng.normal(0, 0.5, (22, 4))
    difficult = rng.random(len(truth)) < 0.3
    thresholds = (0.1, 0.3, 0.5)
    states = match_detections(boxes, truth, difficult, thresholds)
    for row, threshold in zip(states, thresholds, strict=True):
        assert row.tolist() == naive_states(boxes, truth, difficult, threshold)
