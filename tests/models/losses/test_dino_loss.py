"""DINO's loss against loops in float64, its centre and its temperature by hand."""

import math
import socket

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.logging import MessageHub

from bgaug_mm.models.losses import DINOLoss


def softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max())
    return powers / powers.sum()


def naive(student, teacher, center, student_temp, teacher_temp) -> float:
    """Equation 3 and algorithm 1 of the paper, one image and one pair at a time."""
    terms = []
    for t, targets in enumerate(teacher):
        for s, outputs in enumerate(student):
            if s == t:
                continue
            for target, output in zip(targets, outputs, strict=True):
                p = softmax((target - center) / teacher_temp)
                terms.append(-(p * np.log(softmax(output / student_temp))).sum())
    return float(np.mean(terms))


@pytest.mark.parametrize(('num_globals', 'num_views'), [(1, 2), (2, 2), (2, 3), (2, 10), (4, 6)])
@pytest.mark.parametrize('temps', [(0.1, 0.04), (0.1, 0.07), (1.0, 0.5)])
def test_naive_reference(num_globals, num_views, temps):
    rng = np.random.default_rng(num_views)
    student, teacher = rng.normal(size=(num_views, 3, 7)), rng.normal(size=(num_globals, 3, 7))
    center = rng.normal(size=7)
    loss = DINOLoss(out_channels=7, student_temp=temps[0], teacher_temp=temps[1], warmup_epochs=0)
    loss.center.copy_(torch.from_numpy(center))
    value = loss(list(torch.from_numpy(student)), list(torch.from_numpy(teacher)))
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(naive(student, teacher, center, *temps), rel=1e-5)


def test_by_hand():
    """Two classes, even targets: half of each log-probability."""
    loss = DINOLoss(out_channels=2, student_temp=1.0, teacher_temp=1.0, warmup_epochs=0)
    student = torch.tensor([[0.0, math.log(3.0)]])  # probabilities ¼ and ¾
    expected = -0.5 * (math.log(0.25) + math.log(0.75))
    even = torch.zeros(1, 2)
    assert float(loss.cross_entropy(loss.teacher_probs(even), student)) == pytest.approx(expected)
    # the view itself is left out: what the first student says does not matter
    value = loss([torch.tensor([[50.0, -50.0]]), student], [even])
    assert float(value) == pytest.approx(expected)


def test_cross_entropy_is_per_sample_and_of_any_shape():
    torch.manual_seed(0)
    loss = DINOLoss(out_channels=5)
    logits, targets = torch.randn(3, 4, 5), torch.randn(3, 4, 5).softmax(-1)
    values = loss.cross_entropy(targets, logits)
    assert values.shape == (3, 4)
    torch.testing.assert_close(values[1, 2], loss.cross_entropy(targets[1, 2], logits[1, 2]))


def test_half_precision_is_computed_in_float32():
    torch.manual_seed(0)
    loss = DINOLoss(out_channels=64)
    student = [torch.randn(4, 64).bfloat16() for _ in range(3)]
    teacher = [torch.randn(4, 64).bfloat16() for _ in range(2)]
    value = loss(student, teacher)
    expected = loss([s.float() for s in student], [t.float() for t in teacher])
    assert value.dtype == torch.float32 and torch.equal(value, expected)


def test_the_teacher_has_no_gradient_and_looking_changes_nothing():
    loss = DINOLoss(out_channels=4)
    teacher = [torch.randn(2, 4, requires_grad=True)]
    student = [torch.randn(2, 4, requires_grad=True) for _ in range(2)]
    loss(student, teacher).backward()
    assert teacher[0].grad is None
    assert student[0].grad is None, 'only the view itself was its target'
    assert student[1].grad is not None
    assert not loss.center.any()


def test_center_by_hand():
    loss = DINOLoss(out_channels=2, center_momentum=0.9)
    loss.update_center(torch.tensor([[1.0, 0.0], [3.0, -4.0]]))
    torch.testing.assert_close(loss.center, torch.tensor([[0.2, -0.2]]))
    loss.update_center(torch.full((1, 3, 2), 1.0))  # patches: all but the last axis
    torch.testing.assert_close(loss.center, torch.tensor([[0.28, -0.08]]))
    fresh = DINOLoss(out_channels=2)
    fresh.load_state_dict(loss.state_dict())
    assert torch.equal(fresh.center, loss.center)


def test_centring_shifts_the_targets_away_from_the_centre():
    loss = DINOLoss(out_channels=2, teacher_temp=1.0, warmup_epochs=0)
    loss.center.copy_(torch.tensor([2.0, 0.0]))
    probs = loss.teacher_probs(torch.tensor([[2.0, 0.0]]))
    torch.testing.assert_close(probs, torch.tensor([[0.5, 0.5]]))


@pytest.mark.parametrize(
    ('epochs', 'expected'),
    [
        (4, {0: 0.04, 1: 0.05, 2: 0.06, 3: 0.07, 4: 0.07, 99: 0.07}),
        (2, {0: 0.04, 1: 0.07, 2: 0.07}),
        (1, {0: 0.04, 1: 0.07}),
        (0, {0: 0.07, 5: 0.07}),
    ],
)
def test_temperature_by_epoch(epochs, expected):
    """As ``np.linspace(0.04, 0.07, epochs)``, then constant."""
    loss = DINOLoss(out_channels=2, warmup_epochs=epochs)
    for epoch, value in expected.items():
        assert loss.teacher_temp_at(epoch) == pytest.approx(value)
    for epoch, value in enumerate(np.linspace(0.04, 0.07, epochs)):
        assert loss.teacher_temp_at(epoch) == pytest.approx(value)


def test_temperature_follows_the_training():
    loss = DINOLoss(out_channels=2, warmup_epochs=4)
    hub = MessageHub.get_instance('test_dino_loss')
    assert loss.teacher_temp == pytest.approx(0.04)
    hub.update_info('epoch', 2)
    assert loss.teacher_temp == pytest.approx(0.06)


def _move(rank, port, folder):
    dist.init_process_group('gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    loss = DINOLoss(out_channels=2)
    loss.update_center(torch.tensor([[1.0, 2.0], [3.0, 4.0]]) * (10 if rank else 1))
    torch.save(loss.center, folder / f'{rank}.pth')
    dist.barrier()
    dist.destroy_process_group()


def test_one_centre_for_two_processes(tmp_path):
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    mp.start_processes(_move, (port, tmp_path), nprocs=2, start_method='fork')
    first, second = (torch.load(tmp_path / f'{rank}.pth') for rank in (0, 1))
    assert torch.equal(first, second)
    torch.testing.assert_close(first, torch.tensor([[1.1, 1.65]]))  # 0.1 · mean of (2,3), (20,30)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(student_temp=0), '`student_temp` must be above 0, but got 0'),
        (dict(teacher_temp=-1), '`teacher_temp` must be above 0, but got -1'),
        (dict(warmup_teacher_temp=0), '`warmup_teacher_temp` must be above 0'),
        (dict(warmup_epochs=-1), '`warmup_epochs` must be at least 0, but got -1'),
        (dict(center_momentum=1.5), r'`center_momentum` must be in \[0, 1\], but got 1.5'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        DINOLoss(out_channels=2, **options)
