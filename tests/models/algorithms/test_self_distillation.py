"""Views, and what moves with the iteration."""

import pytest
import torch
from mmengine.logging import MessageHub

from bgaug_mm.models.algorithms.self_distillation import (
    check_views,
    cosine,
    count_globals,
    current_iteration,
    group_by_size,
)


def views(*sizes):
    return [torch.zeros(2, 3, size, size) for size in sizes]


def test_global_views_are_the_first_of_one_size():
    assert count_globals(views(8, 8)) == 2
    assert count_globals(views(8, 8, 4, 4, 4)) == 2
    assert count_globals(views(8, 8, 8, 8, 4)) == 4
    grouped = group_by_size(views(8, 8, 4, 4, 4))
    assert [[view.shape[2] for view in group] for group in grouped] == [[8, 8], [4, 4, 4]]


@pytest.mark.parametrize(('progress', 'expected'), [(0, 2.0), (0.25, 3.1715729), (0.5, 6), (1, 10)])
def test_cosine_by_hand(progress, expected):
    """From 2 to 10: 6 − 4·cos(π·progress)."""
    assert cosine(2.0, 10.0, progress) == pytest.approx(expected)


def test_iteration_of_the_training():
    hub = MessageHub.get_instance('test_self_distillation')
    assert current_iteration() == (0, 1)
    hub.update_info('iter', 3)
    hub.update_info('max_iters', 12)
    assert current_iteration() == (3, 12)


@pytest.mark.parametrize(
    ('inputs', 'message'),
    [
        (views(8), 'two or more views of each image are needed, but got 1'),
        (torch.zeros(2, 3, 8, 8), 'two or more views of each image are needed, but got 1'),
        ([view.byte() for view in views(8, 8)], r'got \(2, 3, 8, 8\) torch.uint8; name one'),
        ([torch.zeros(2, 4, 8, 8)] * 2, r'\(B, 3, H, W\), but got \(2, 4, 8, 8\)'),
    ],
)
def test_what_are_no_views(inputs, message):
    with pytest.raises(ValueError, match=message):
        check_views(inputs)
