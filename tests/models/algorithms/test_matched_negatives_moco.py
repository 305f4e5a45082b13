"""MoCo with matched negatives, over both libraries' class."""

import copy
import socket

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
import torch.nn.functional as F

from bgaug_mm.compat.cpu_distributed import CPUDistributedDataParallel
from bgaug_mm.models.algorithms import matched_negatives_moco
from bgaug_mm.models.algorithms.matched_negatives import matched_negatives_term

BACKENDS = ['mmselfsup', 'mmpretrain']


@pytest.fixture(params=BACKENDS)
def backend(request):
    return request.param


@pytest.fixture
def make(build, backend):
    return lambda kind='MatchedNegativesMoCo', **options: build(kind, backend, **options)


def gradients(model) -> dict[str, torch.Tensor]:
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def step(model, inputs):
    """Losses of a training step; the gradients are left in the model."""
    torch.manual_seed(1)
    losses = model(inputs, data_samples=None, mode='loss')
    sum(losses.values()).backward()
    return losses


def reference(model, inputs, count, weight, temperature, scale=0.5):
    """InfoNCE with the extra logits, from the paper's equations; ``model`` is spent."""
    q = F.normalize(model.neck(model.backbone(inputs[0]))[0], dim=1)
    encoder = model.encoder_k
    with torch.no_grad():
        encoder.update_parameters(torch.nn.Sequential(model.backbone, model.neck))
        torch.manual_seed(1)  # what shuffled: the order changes the sums of a batch norm
        order = torch.randperm(len(q))
        back = order.argsort()
        k = F.normalize(encoder(inputs[1][order])[0], dim=1)[back]
        extra = []
        for shift in range(1, count + 1):
            order = torch.randperm(len(q))
            back = order.argsort()
            mask, others = inputs[2], torch.roll(inputs[0], shift, 0)
            negative = mask * others + (1 - mask) * inputs[0]
            extra.append(F.normalize(encoder(negative[order])[0], dim=1)[back])
    total = 0
    for i in range(len(q)):
        positive = (q[i] @ k[i] / 0.2).exp()
        negatives = (q[i] @ model.queue / 0.2).exp().sum()
        matched = sum((q[i] @ n[i] / temperature).exp() for n in extra)
        total = total - (positive / (positive + negatives + weight * matched)).log()
    return scale * total / len(q), k


@pytest.mark.parametrize(
    ('count', 'weight', 'temperature'), [(1, 1.0, None), (3, 1.0, 0.5), (2, 2.5, 0.1)]
)
def test_sum_is_infonce_with_the_extra_logits(make, make_views, count, weight, temperature):
    v1, v2, m1, m2 = (view.double() for view in make_views())
    inputs = [v1, v2, m1.ceil(), m2.ceil()]  # composites are made in float32: hard, so exact
    options = dict(num_matched=count, matched_weight=weight, matched_temperature=temperature)
    model = make(**options).double()
    naive = copy.deepcopy(model)
    losses = step(model, inputs)
    expected, keys = reference(naive, inputs, count, weight, temperature or 0.2)
    expected.backward()
    assert set(losses) == {'loss_moco', 'loss_matched_negatives'}
    torch.testing.assert_close(sum(losses.values()), expected, rtol=1e-12, atol=0)
    for name, gradient in gradients(naive).items():
        torch.testing.assert_close(gradients(model)[name], gradient, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(model.queue[:, :4], keys.T)


def test_without_negatives_it_is_upstream_bit_for_bit(make, make_views):
    inputs = make_views()
    ours, upstream = make(num_matched=0), make('MoCo')
    losses, expected = step(ours, inputs), step(upstream, inputs[:2])
    assert set(losses) == {'loss'} and torch.equal(losses['loss'], expected['loss'])
    assert gradients(ours).keys() == gradients(upstream).keys()
    for name, gradient in gradients(upstream).items():
        assert torch.equal(gradients(ours)[name], gradient), name
    assert step(make(num_matched=0), inputs[:2])['loss'] == losses['loss']  # needs no masks


def test_upstreams_state_is_left_as_upstream_leaves_it(make, make_views):
    """Its loss, the queue, the key encoder's weights and running statistics; no hooks."""
    inputs = make_views()
    ours, upstream = make(num_matched=2), make('MoCo')
    for _ in range(2):
        losses, expected = step(ours, inputs), step(upstream, inputs[:2])
        assert torch.equal(losses['loss_moco'], expected['loss'])
        assert losses['loss_matched_negatives'] > 0
    state, wanted = ours.state_dict(), upstream.state_dict()
    assert state.keys() == wanted.keys() and int(state['queue_ptr']) == 8
    assert any('encoder_k' in key and 'running_var' in key for key in state)
    for key, value in wanted.items():
        assert torch.equal(state[key], value), key
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in ours.modules())


@pytest.mark.parametrize('form', ['fill_query_mask', 'paste_foreground'])
def test_unusable_masks_cost_nothing(make, make_views, form):
    """ "No background operation" is a mask of ones: value and gradient are upstream's."""
    inputs = make_views()
    inputs[2] = torch.stack([torch.zeros(1, 32, 32), torch.ones(1, 32, 32)] * 2)
    ours, upstream = make(matched_form=form), make('MoCo')
    losses, expected = step(ours, inputs), step(upstream, inputs[:2])
    assert losses['loss_matched_negatives'] == 0
    assert torch.equal(sum(losses.values()), expected['loss'])
    for name, gradient in gradients(upstream).items():
        assert torch.equal(gradients(ours)[name], gradient), name


@pytest.mark.parametrize('infill', ['tile_strip', 'tile_rectangle', 'mean'])
def test_paste_foreground(make, make_views, infill):
    losses = step(make(matched_form='paste_foreground', infill=infill), make_views())
    assert losses['loss_matched_negatives'] > 0


def test_moco_v1_with_its_linear_neck(make, backend, make_views):
    neck = dict(type=f'{backend}.LinearNeck', in_channels=32, out_channels=8)
    pooled = dict(with_avg_pool=True) if backend == 'mmselfsup' else dict(gap_dim=2)
    losses = step(make(neck=neck | pooled), make_views())
    assert losses['loss_moco'] > 0 and losses['loss_matched_negatives'] > 0


def test_more_negatives_than_images(make, make_views):
    inputs = make_views(count=2)
    one, many = step(make(num_matched=1), inputs), step(make(num_matched=5), inputs)
    torch.testing.assert_close(one, many)
    alone = make(num_matched=1, norm='GN')  # one value per channel is too few for BN
    assert step(alone, make_views(count=1))['loss_matched_negatives'] == 0


def test_autocast(make, make_views, monkeypatch):
    """bfloat16 encoders; the term itself is computed in float32."""
    dtypes = []

    def term(queries, keys, *args, **options):
        dtypes.extend([queries.dtype, keys.dtype, (queries @ keys[0].T).dtype])
        return matched_negatives_term(queries, keys, *args, **options)

    monkeypatch.setattr(matched_negatives_moco, 'matched_negatives_term', term)
    model = make()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        torch.manual_seed(1)
        losses = model(make_views(), data_samples=None, mode='loss')
    assert dtypes == [torch.float32] * 3
    full = step(make(), make_views())
    for name, loss in losses.items():
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, full[name], rtol=0.05, atol=0.01)
    sum(losses.values()).backward()
    assert all(gradient.isfinite().all() for gradient in gradients(model).values())


def test_hooks_leave_with_an_error(make, make_views):
    model, inputs = make(), make_views()
    inputs[1] = inputs[1][:, :2]  # two channels: upstream's loss fails
    with pytest.raises(RuntimeError):
        step(model, inputs)
    assert not any(m._forward_hooks for m in model.modules())


def test_missing_masks(make, make_views):
    inputs = make_views()
    for wrong in (inputs[:2], inputs[:3], [*inputs[:2], *inputs[:2]]):
        with pytest.raises(ValueError, match=r'PackSaliencyInputs\(with_mask=True\).*append_masks'):
            step(make(), wrong)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(num_matched=-1), '`num_matched` must be >= 0, but got -1'),
        (dict(matched_form='paste'), '`matched_form` must be one of .* but got .paste.'),
        (dict(matched_temperature=0), '`matched_temperature` must be above 0 or None, but got 0'),
        (dict(matched_weight=0), '`matched_weight` must be above 0, but got 0'),
        (dict(min_foreground=0.5, max_foreground=0.5), 'must be rising and in .* 0.5 and 0.5'),
        (dict(infill='inpaint'), '`infill` must be one of .* but got .inpaint.'),
    ],
)
def test_bad_options(build, options, message):
    with pytest.raises(ValueError, match=message):
        build('MatchedNegativesMoCo', 'mmpretrain', **options)


def test_unknown_backend(build):
    from bgaug_mm.models import algorithms

    with pytest.raises(ValueError, match="`backend` must be one of .* but got 'lightly'"):
        algorithms.MatchedNegativesMoCo(backend='lightly')


def _train(rank, port, folder, build, make_views, backend):
    """One of two processes: its share of the batch, once through DDP and once alone."""
    torch.set_num_threads(1)
    views = [view[rank * 4 : rank * 4 + 4] for view in make_views(count=8)]
    # without batch norms a process' part of the loss is its own
    model = build('MatchedNegativesMoCo', backend, norm='GN', num_matched=2)
    single = copy.deepcopy(model)
    alone = step(single, views)
    dist.init_process_group('gloo', init_method=f'tcp://127.0.0.1:{port}', rank=rank, world_size=2)
    losses = step(CPUDistributedDataParallel(model), views)
    torch.save(
        dict(losses=losses, alone=alone, gradients=gradients(model), queue=model.queue,
             single=gradients(single), pointer=int(model.queue_ptr)),
        folder / f'{rank}.pth',
    )  # fmt: skip
    dist.barrier()
    dist.destroy_process_group()


def test_two_processes(backend, build, make_views, tmp_path):
    """Averaged gradients of the shares, one queue; shuffled over both processes."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    build('MatchedNegativesMoCo', backend)  # imported before the fork
    arguments = (port, tmp_path, build, make_views, backend)
    mp.start_processes(_train, arguments, nprocs=2, start_method='fork')
    first, second = (torch.load(tmp_path / f'{rank}.pth') for rank in (0, 1))
    assert first['losses'] != second['losses']
    for rank in (first, second):
        torch.testing.assert_close(rank['losses'], rank['alone'])
        assert rank['losses']['loss_matched_negatives'] > 0
    for name, gradient in first['gradients'].items():
        assert torch.equal(gradient, second['gradients'][name]), name
        mean = (first['single'][name] + second['single'][name]) / 2
        torch.testing.assert_close(gradient, mean, rtol=1e-4, atol=1e-7)
    assert torch.equal(first['queue'], second['queue'])
    assert first['pointer'] == second['pointer'] == 8
