import numpy as np
import pytest
import torch

from bgaug_mm.evaluation.robustness.answers import answers, matched_labels, require_outputs

IMAGENET = dict(num_classes=1000, class_indices=None, label_map=None)


def logits_of(*rows: dict[int, float]) -> torch.Tensor:
    logits = torch.zeros(len(rows), 1000)
    for i, row in enumerate(rows):
        for index, value in row.items():
            logits[i, index] = value
    return logits


def test_all_outputs():
    assert answers(logits_of({3: 1}, {999: 2, 3: 1}), IMAGENET).tolist() == [3, 999]


def test_a_subset_is_answered_in_imagenets_numbers():
    subset = {**IMAGENET, 'class_indices': (7, 500, 20)}
    logits = logits_of({3: 9, 20: 1}, {7: -1, 500: -2, 20: -3}, {500: 1})
    # in the second, outputs elsewhere are higher
    assert answers(logits, subset).tolist() == [20, 7, 500]


def test_map_to_imagenet9_by_hand():
    # the challenge's own map begins 0..6 -> 8 (fish), 7..24 -> 1 (bird) mostly, 25 -> none
    label_map = [8] * 7 + [1] * 18 + [-1] * 975
    metainfo = dict(num_classes=9, class_indices=None, label_map=tuple(label_map))
    logits = logits_of(
        {2: 1.0},  # a fish
        {2: 1.0, 7: 2.0},  # a bird before a fish
        {30: 3.0, 2: 1.0},  # none of the 9 before a fish: no fish, as the authors count
    )
    assert answers(logits, metainfo).tolist() == [8, 1, -1]
    assert answers(torch.eye(9), metainfo).tolist() == list(range(9))


def test_other_numbers_of_outputs_are_refused():
    in9 = dict(num_classes=9, class_indices=None, label_map=None)
    with pytest.raises(ValueError, match='1000 outputs needs a map to the 9 classes'):
        require_outputs(1000, in9)
    with pytest.raises(ValueError, match='the classifier has 10 outputs, the set needs 1000 or 9'):
        answers(torch.zeros(2, 10), in9)
    with pytest.raises(ValueError, match='has 9 outputs, the set needs 1000$'):
        answers(torch.zeros(2, 9), IMAGENET)
    with pytest.raises(ValueError, match=r'has \(2, 3, 4\) outputs'):
        answers(torch.zeros(2, 3, 4), IMAGENET)


def test_of_several_labels_the_one_that_was_answered():
    given = np.array([4, 4, 4, 4])
    assert matched_labels(given, [4, [1, 4], [1, 2], 7]).tolist() == [4, 4, 1, 7]
