"""Figures of a selection against hand-computed ones and naive loops."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.structures import BaseDataElement

from bgaug_mm.engine.hard_views.telemetry import (
    HardViewTelemetry,
    colour_distance,
    crop_boxes,
    pair_iou,
)


@pytest.fixture
def runner(request):
    return SimpleNamespace(message_hub=MessageHub(request.node.name))


def figures(runner) -> dict[str, float]:
    prefix = 'train/hard_views/'
    scalars = runner.message_hub.log_scalars
    assert all(name.startswith(prefix) for name in scalars)
    return {name[len(prefix) :]: buffer.current() for name, buffer in scalars.items()}


def samples(boxes):
    return [BaseDataElement(metainfo={'crop_bbox': sample}) for sample in boxes]


def naive_iou(a, b) -> float:
    """Counts pixels."""
    first, second = np.zeros((40, 40), bool), np.zeros((40, 40), bool)
    first[a[1] : a[3], a[0] : a[2]] = True
    second[b[1] : b[3], b[0] : b[2]] = True
    return (first & second).sum() / max(1, (first | second).sum())


def random_boxes(batch, views, seed=0):
    rng = np.random.default_rng(seed)
    corners = np.sort(rng.integers(0, 41, (batch, views, 2, 2)), axis=2)
    return corners.reshape(batch, views, 4)


def test_iou_by_counting_pixels():
    boxes = random_boxes(8, 5)
    iou = pair_iou(torch.tensor(boxes))
    assert iou.dtype == torch.float32 and iou.shape == (8, 5, 5)
    for b, i, j in np.ndindex(8, 5, 5):
        assert iou[b, i, j].item() == pytest.approx(naive_iou(boxes[b, i], boxes[b, j]), abs=1e-6)


def test_iou_by_hand():
    iou = pair_iou(torch.tensor([[[0, 0, 2, 2], [1, 0, 3, 2], [2, 2, 4, 4], [1, 1, 1, 1]]]))
    assert iou[0, 0].tolist() == pytest.approx([1, 1 / 3, 0, 0])
    assert iou[0, 3].tolist() == [0, 0, 0, 0], 'an empty box overlaps nothing'


def test_colour_by_hand_of_views_of_two_sizes_and_a_mask():
    grey = torch.full((1, 4, 4, 4), 100, dtype=torch.uint8)
    grey[:, 3] = 255  # the mask does not count
    other = torch.full((1, 4, 2, 2), 100, dtype=torch.uint8)
    other[:, 0] += 3
    other[:, 1] += 4
    distance = colour_distance([grey, other])
    assert distance[0].tolist() == [[0, 5], [5, 0]]


def test_colour_of_large_views_is_close():
    rng = np.random.default_rng(0)
    views = [torch.tensor(rng.integers(0, 200 + 20 * i, (2, 3, 224, 224))) for i in range(2)]
    means = [view.float().mean((2, 3)) for view in views]
    exact = (means[0] - means[1]).norm(dim=1)
    assert torch.allclose(colour_distance(views)[:, 0, 1], exact, atol=3)


def test_boxes_of_a_batch():
    boxes = random_boxes(3, 2)
    found = crop_boxes(samples(boxes.tolist()), 2)
    assert torch.equal(found, torch.tensor(boxes, dtype=torch.float32))
    assert crop_boxes(samples(boxes.tolist()), 4) is None, 'another number of views'
    assert crop_boxes(None, 2) is None
    assert crop_boxes([BaseDataElement()], 2) is None
    assert crop_boxes(samples([[(0, 0, 1, 1), None]]), 2) is None, 'a view without crop'


def naive(chosen, losses, boxes, views, pairs):
    """What the hook should log, by loops over samples and pairs."""
    seen = {key: [] for key in (
        'iou_chosen', 'iou_rest', 'colour_chosen', 'colour_rest', 'least_overlap', 'gain'
    )}  # fmt: skip
    for b, (first, second) in enumerate(chosen):
        iou = {p: naive_iou(boxes[b][p[0]], boxes[b][p[1]]) for p in pairs}
        colour = {
            (i, j): np.linalg.norm(
                views[i][b, :3].float().mean((1, 2)) - views[j][b, :3].float().mean((1, 2))
            )
            for i, j in pairs
        }
        pair = min(first, second), max(first, second)
        for name, values in (('iou', iou), ('colour', colour)):
            seen[f'{name}_chosen'].append(values[pair])
            seen[f'{name}_rest'] += [value for p, value in values.items() if p != pair]
        seen['least_overlap'].append(iou[pair] <= min(iou.values()) + 1e-6)
        mean_loss = {(i, j): (losses[b][i][j] + losses[b][j][i]) / 2 for i, j in pairs}
        seen['gain'].append(mean_loss[pair] - np.mean([*mean_loss.values()]))
    return {name: np.mean(values) for name, values in seen.items()}


@pytest.mark.parametrize('pairs', [None, [(0, 2), (3, 0), (1, 2), (1, 3)]])
def test_all_figures_by_loops(runner, pairs):
    rng = np.random.default_rng(1)
    batch, count = 16, 4
    listed = (
        [*combinations(range(count), 2)] if pairs is None else [(min(p), max(p)) for p in pairs]
    )
    telemetry = HardViewTelemetry(interval=3)
    everything = []
    for step in range(3):  # one writing averages three iterations
        boxes = random_boxes(batch, count, seed=step)
        views = [torch.tensor(rng.integers(0, 256, (batch, 3, 6, 6), np.uint8)) for _ in range(4)]
        losses = rng.normal(size=(batch, count, count))
        chosen = [listed[i][:: rng.choice([-1, 1])] for i in rng.integers(0, len(listed), batch)]
        telemetry.record(
            runner, torch.tensor(chosen), torch.tensor(losses), samples(boxes.tolist()), views,
            0.001, pairs=None if pairs is None else torch.tensor(pairs),
        )  # fmt: skip
        everything.append((naive(chosen, losses, boxes, views, listed), chosen))
        assert bool(figures(runner)) == (step == 2), 'written every third iteration'
    found = figures(runner)
    for name in everything[0][0]:
        expected = np.mean([values[name] for values, _ in everything])
        assert found[name] == pytest.approx(expected, rel=1e-4, abs=1e-5), name
    for view in range(count):
        wins = np.mean([view in pair for _, chosen in everything for pair in chosen])
        assert found[f'wins_{view}'] == pytest.approx(wins, abs=1e-6)


def test_crops_of_two_sizes(runner):
    losses = torch.arange(15.0).reshape(1, 3, 5)
    large, small = torch.zeros(1, 3, 8, 8), torch.zeros(1, 3, 4, 4)
    boxes = [(0, 0, 10, 10), (0, 0, 10, 5), (0, 5, 10, 10), (0, 0, 10, 1), (0, 9, 10, 10)]
    HardViewTelemetry(interval=1).record(
        runner, torch.tensor([[0, 2, 4]]), losses, samples([boxes]), [large] * 3 + [small] * 2, 0.0
    )
    found = figures(runner)
    assert found['iou_chosen'] == pytest.approx(0.5)  # large crops 0 and 2
    assert found['iou_rest'] == pytest.approx((0.5 + 0) / 2)  # 0 with 1, 1 with 2
    assert found['least_overlap'] == 0
    assert found['local_iou_chosen'] == pytest.approx((0.1 + 0.2) / 2)
    assert found['local_iou_rest'] == pytest.approx((0.1 + 0) / 2)
    assert [found[f'wins_{i}'] for i in range(5)] == [1, 0, 1, 0, 1]
    # rows are the large views: 0 with 2 and 4, 2 with 0 and 4, against all but the diagonal
    assert found['gain'] == pytest.approx((2 + 4 + 10 + 14) / 4 - (105 - 0 - 6 - 12) / 12)


def test_what_is_unknown_is_left_out(runner):
    views = [torch.zeros(2, 3, 4, 4)] * 2
    HardViewTelemetry(interval=1).record(
        runner, torch.tensor([[0, 1], [1, 0]]), None, None, views, 0.0
    )
    assert set(figures(runner)) == {'colour_chosen', 'wins_0', 'wins_1'}  # no other pair either


def test_samples_without_finite_losses_do_not_count(runner):
    losses = torch.tensor([[1.0, 3.0, 5.0]]).repeat(2, 3, 1)
    losses[1, 0, 1] = float('nan')
    losses[:, 2, 2] = float('inf')  # a view with itself is no pair
    views = [torch.zeros(2, 3, 4, 4)] * 3
    telemetry = HardViewTelemetry(interval=1)
    telemetry.record(runner, torch.tensor([[1, 2], [0, 1]]), losses, None, views, 0.0)
    # pairs (0, 1), (0, 2), (1, 2): both directions' mean 2, 3, 4
    assert figures(runner)['gain'] == pytest.approx(4 - 3)


def test_names_of_many_views_sort(runner):
    views = [torch.zeros(1, 3, 2, 2)] * 11
    chosen = torch.tensor([[0, 10]])
    HardViewTelemetry(interval=1).record(runner, chosen, None, None, views, 0.0)
    wins = sorted(name for name in figures(runner) if 'wins' in name)
    assert wins == [f'wins_{i:02}' for i in range(11)]
    assert figures(runner)['wins_10'] == 1


def test_time_share(runner, monkeypatch):
    now = iter([100.0, 108.0])  # the first record and the writing, 8 s later
    monkeypatch.setattr('time.perf_counter', lambda: next(now))
    telemetry = HardViewTelemetry(interval=3)
    for seconds in (5.0, 1.0, 3.0):  # what came before the first record is not known
        telemetry.record(
            runner, torch.tensor([[0, 1]]), None, None, [torch.zeros(1, 3, 2, 2)] * 2, seconds
        )
    assert figures(runner)['time_share'] == pytest.approx(4 / 8)


def test_random_streams_are_left_alone(runner):
    before = torch.get_rng_state()
    views = [torch.zeros(2, 3, 4, 4)] * 3
    HardViewTelemetry(interval=1).record(
        runner, torch.tensor([[0, 1]] * 2), torch.ones(2, 3, 3), None, views, 0.1
    )
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize('interval', [0, 2.5, 'often'])
def test_bad_interval(interval):
    with pytest.raises(ValueError, match='`interval` must be an integer from 1, but got'):
        HardViewTelemetry(interval=interval)
