"""DINO: the loss of its own modules, the teacher's moves, gradients, batch norms, processes."""

import copy
import socket

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from mmengine.optim import OptimWrapper

from bgaug_mm.compat.cpu_distributed import CPUDistributedDataParallel


def log_softmax(x):
    return x - x.max() - np.log(np.exp(x - x.max()).sum())


def naive_loss(model, views, num_globals):
    """View by view through the public modules, pair by pair in float64."""
    with torch.no_grad():
        student = [model.student(view).double().numpy() for view in views]
        teacher = [model.teacher(view).double().numpy() for view in views[:num_globals]]
    loss = model.dino_loss
    center = loss.center.double().numpy()[0]
    terms = [
        -(np.exp(log_softmax((t - center) / loss.teacher_temp))
          * log_softmax(s / loss.student_temp)).sum()
        for i, targets in enumerate(teacher)
        for j, outputs in enumerate(student)
        if i != j
        for t, s in zip(targets, outputs, strict=True)
    ]  # fmt: skip
    return np.mean(terms)


@pytest.mark.parametrize('num_locals', [0, 1, 3])
@pytest.mark.parametrize('num_globals', [2, 3])
def test_naive_reference(tiny, num_globals, num_locals):
    model = tiny.build()
    tiny.perturb(model)
    views = tiny.views(num_globals, num_locals)
    expected = naive_loss(model, views, num_globals)
    assert float(model.loss(views)['loss'].detach()) == pytest.approx(expected, rel=1e-5)


def test_resnet_pools_its_maps(tiny):
    model = tiny.build(backbone=tiny.resnet).eval()
    view = tiny.views()[0]
    pooled = model.backbone(view)[-1].mean((2, 3))
    torch.testing.assert_close(model.student(view), model.head(pooled))
    assert model.extract_feat(view)[-1].dim() == 4


def test_teacher_begins_as_the_student_and_has_no_gradient(tiny):
    model = tiny.build()
    for old, new in zip(model.teacher_backbone.parameters(), model.backbone.parameters()):  # noqa: B905
        assert torch.equal(old, new)
    model.loss(tiny.views())['loss'].backward()
    for name, parameter in model.named_parameters():
        if name.startswith('teacher_'):
            assert not parameter.requires_grad and parameter.grad is None
        else:
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    keys = model.state_dict()
    assert not [key for key in keys if key.startswith(('student', 'teacher.'))]
    assert len({value.data_ptr() for value in keys.values()}) == len(keys), 'nothing is there twice'


@pytest.mark.parametrize(
    ('iteration', 'momentum'),
    [(0, None), (1, 0.9), (6, 0.95), (10, 0.9975528)],  # of the iteration before, of 10
)
def test_teacher_moves_by_the_iteration(tiny, iteration, momentum):
    """Momentum 1 − 0.1·(1 + cos(π·k/10))/2 behind iteration k; nothing in the first."""
    model = tiny.build(base_momentum=0.9)
    tiny.perturb(model)
    before = copy.deepcopy(model.teacher_head.mlp[0].weight)
    tiny.at(iteration=iteration)
    model.update_teacher()
    after, student = model.teacher_head.mlp[0].weight, model.head.mlp[0].weight
    expected = before if momentum is None else momentum * before + (1 - momentum) * student
    torch.testing.assert_close(after, expected)


def test_published_momentum(tiny):
    model = tiny.build()
    assert model.momentum_at(0, 100) == pytest.approx(0.996)
    assert model.momentum_at(50, 100) == pytest.approx(0.998)
    assert model.momentum_at(100, 100) == pytest.approx(1.0)


def test_the_loss_sees_the_moved_teacher_and_the_old_centre(tiny):
    model = tiny.build(base_momentum=0.5)
    tiny.perturb(model)
    moved = copy.deepcopy(model)
    tiny.at(iteration=3)
    moved.update_teacher()
    expected = naive_loss(moved, tiny.views(), 2)
    with torch.no_grad():
        outputs = torch.cat([moved.teacher(view) for view in tiny.views()[:2]])
    center = 0.9 * model.dino_loss.center + 0.1 * outputs.mean(0, keepdim=True)
    assert float(model.loss(tiny.views())['loss'].detach()) == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(model.dino_loss.center, center)


def test_only_the_teachers_batch_norms_train(tiny):
    model = tiny.build(backbone=dict(tiny.vit, drop_path_rate=0.5, drop_rate=0.5)).train()
    assert torch.equal(model.teacher(tiny.views()[0]), model.teacher(tiny.views()[0]))
    assert not torch.equal(model.student(tiny.views()[0]), model.student(tiny.views()[0]))
    model = tiny.build(backbone=tiny.resnet).train()
    training = {type(m).__name__ for m in model.teacher_backbone.modules() if m.training}
    assert training == {'BatchNorm2d'}
    before = copy.deepcopy(model.teacher_backbone.bn1.running_mean)
    model.teacher(tiny.views()[0])
    assert not torch.equal(before, model.teacher_backbone.bn1.running_mean)
    assert not any(m.training for m in model.eval().modules())


@pytest.mark.parametrize('backbone', ['vit', 'resnet'])
def test_steps_lower_the_loss_against_a_teacher_that_stands_still(tiny, backbone):
    options = dict(base_momentum=1.0, loss=dict(center_momentum=1.0, teacher_temp=0.5))
    model = tiny.build(backbone=getattr(tiny, backbone), **options)
    assert model.dino_loss.final_teacher_temp == 0.5
    optimizer = OptimWrapper(torch.optim.AdamW(model.parameters(), lr=1e-3))
    views = [(view * 60 + 120).clamp(0, 255).byte() for view in tiny.views()]
    batch = {'inputs': views, 'data_samples': None}
    losses = []
    for iteration in range(12):
        tiny.at(iteration=iteration, max_iters=12)
        losses.append(float(model.train_step(batch, optimizer)['loss']))
    assert losses[-1] < 0.95 * losses[0]
    assert np.isfinite(losses).all()


def test_bfloat16(tiny):
    model = tiny.build()
    expected = model.loss(tiny.views())['loss']
    model = tiny.build()
    with torch.autocast('cpu', torch.bfloat16):
        loss = model.loss(tiny.views())['loss']
    assert loss.dtype == torch.float32 and model.dino_loss.center.dtype == torch.float32
    assert float(loss.detach()) == pytest.approx(float(expected.detach()), rel=0.02)
    loss.backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.requires_grad)


def _train(rank, port, folder, tiny):
    """One of two processes: two steps on its share of the batch."""
    dist.init_process_group('gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    model = tiny.build(base_momentum=0.9)
    wrapped = CPUDistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for iteration in range(3):
        tiny.at(iteration=iteration)
        views = [view[rank * 2 : rank * 2 + 2] for view in tiny.views(seed=iteration)]
        optimizer.zero_grad()
        wrapped(views, mode='loss')['loss'].backward()
        optimizer.step()
    torch.save(model.state_dict(), folder / f'{rank}.pth')
    dist.barrier()
    dist.destroy_process_group()


def test_two_processes_train_as_one(tiny, tmp_path):
    """Without batch norms the two halves of a batch are the whole: gradients and centre."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    single = tiny.build(base_momentum=0.9)  # imported before the fork
    mp.start_processes(_train, (port, tmp_path, tiny), nprocs=2, start_method='fork')
    first, second = (torch.load(tmp_path / f'{rank}.pth') for rank in (0, 1))
    optimizer = torch.optim.SGD(single.parameters(), lr=0.1)
    for iteration in range(3):
        tiny.at(iteration=iteration)
        optimizer.zero_grad()
        single.loss(tiny.views(seed=iteration))['loss'].backward()
        optimizer.step()
    for key, value in single.state_dict().items():
        assert torch.equal(first[key], second[key]), key
        torch.testing.assert_close(first[key], value, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize('scope', ['mmpretrain.SelfSup', 'bgaug_mm.Background'])
def test_both_data_preprocessors(tiny, scope):
    options = dict(tiny.preprocessor, type=f'{scope}DataPreprocessor')
    model = tiny.build(data_preprocessor=options)
    views = [torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8) for _ in range(2)]
    batch = {'inputs': views, 'data_samples': None}
    loss = model._run_forward(model.data_preprocessor(batch, True), mode='loss')['loss']
    assert torch.isfinite(loss)


def test_background_op_on_the_large_views(tiny):
    """The batch version of a background operation in front of DINO, on the global views."""
    model = tiny.build(
        data_preprocessor=dict(
            type='bgaug_mm.BackgroundDataPreprocessor', mean=[0.0] * 3, std=[1.0] * 3,
            views='large', background_op=dict(
                type='bgaug_mm.BackgroundRemove', prob=1.0, fill='zero', min_foreground=0),
        )
    )  # fmt: skip
    views = [torch.full((2, 4, size, size), 9, dtype=torch.uint8) for size in (32, 32, 16)]
    for view in views:
        view[:, 3] = 0
        view[:, 3, :8] = 255
    output = model.data_preprocessor({'inputs': views}, True)['inputs']
    assert not output[0][:, :, 8:].any() and not output[1][:, :, 8:].any()
    assert (output[2] == 9).all()
    assert torch.isfinite(model.loss(output)['loss'])


def test_bad_input(tiny):
    with pytest.raises(ValueError, match=r'`base_momentum` must be in \[0, 1\], but got 4'):
        tiny.build(base_momentum=4)
    model = tiny.build()
    with pytest.raises(ValueError, match='two or more views'):
        model.loss(tiny.views()[:1])
    with pytest.raises(ValueError, match="`mode` must be 'loss' or 'tensor', but got 'predict'"):
        model(tiny.views()[0], mode='predict')
