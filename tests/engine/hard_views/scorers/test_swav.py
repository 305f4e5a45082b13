"""SwAV's matrix against its own loss and against its equations, for both libraries."""

import copy

import pytest
import torch
import torch.nn.functional as F
from mmengine.registry import MODELS

from bgaug_mm.engine.hard_views.crop_selection import crop_loss
from bgaug_mm.engine.hard_views.scorers import SwAVScorer, build_scorer
from bgaug_mm.engine.hard_views.scorers.swav import sinkhorn
from bgaug_mm.engine.hard_views.scoring import scoring
from bgaug_mm.models.algorithms.upstream import criterion

BATCH = 6


def build(backend, *, num_crops=(2, 3), **loss):
    shared = 'mmcls' if backend == 'mmselfsup' else 'mmpretrain'
    for library in (backend, shared):
        __import__(f'{library}.models')
    torch.manual_seed(0)
    model = MODELS.build(
        dict(
            type=f'{backend}.SwAV',
            backbone=dict(
                type=f'{shared}.ResNet', depth=18, stem_channels=4, base_channels=4,
                out_indices=(3,), norm_cfg=dict(type='BN'),
            ),
            neck=dict(
                type=f'{backend}.SwAVNeck', in_channels=32, hid_channels=16, out_channels=8,
                norm_cfg=dict(type='BN1d'), with_avg_pool=True,
            ),
            head=dict(
                type=f'{backend}.SwAVHead',
                loss=dict(
                    type=f'{backend}.SwAVLoss', feat_dim=8, epsilon=0.05, temperature=0.1,
                    num_crops=list(num_crops), num_prototypes=12,
                ) | loss,
            ),
        )
    )  # fmt: skip
    # lengths that are not 1, so that the normalisation shows
    torch.nn.init.normal_(criterion(model.head).prototypes.weight)
    return model.train()


def make_views(num_globals=2, num_locals=3):
    generator = torch.Generator().manual_seed(1)
    sizes = [48] * num_globals + [32] * num_locals
    return [torch.randn(BATCH, 3, size, size, generator=generator) for size in sizes]


def fill_queue(model, *, full=True):
    loss = criterion(model.head)
    loss.queue = F.normalize(
        torch.randn(2, 2 * BATCH, 8, generator=torch.Generator().manual_seed(2)), dim=2
    )
    if not full:
        loss.queue[:, -1] = 0


@pytest.fixture(params=['mmselfsup', 'mmpretrain'])
def backend(request):
    return request.param


@pytest.mark.parametrize('queue', [None, 'filling', 'full'])
@pytest.mark.parametrize('num_locals', [0, 3])
def test_mean_is_the_loss(backend, queue, num_locals):
    model = build(backend, num_crops=(2, num_locals))
    if queue is not None:
        fill_queue(model, full=queue == 'full')
    views = make_views(2, num_locals)
    with scoring(model):
        matrix = build_scorer('auto', model).crop_losses(model, views)
    assert matrix.shape == (BATCH, 2, 2 + num_locals) and matrix.dtype == torch.float32
    index = torch.arange(2 + num_locals).expand(BATCH, -1)
    loss = model.loss(views, None)['loss']
    torch.testing.assert_close(crop_loss(matrix, index).mean(), loss.detach())


def test_nothing_changes(backend):
    model = build(backend)
    fill_queue(model)
    before = copy.deepcopy(model.state_dict())
    queue = criterion(model.head).queue.clone()
    with scoring(model):
        SwAVScorer().crop_losses(model, make_views())
    after = model.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)
    loss = criterion(model.head)
    assert torch.equal(loss.queue, queue) and loss.use_queue is False
    assert all(parameter.grad is None for parameter in model.parameters())


def test_each_entry_by_the_equations():
    model = build('mmpretrain', temperature=0.3, epsilon=0.1)
    fill_queue(model)
    views = make_views(3, 2)
    with scoring(model):
        matrix = SwAVScorer().crop_losses(model, views)
        feats = model.neck([model.backbone(torch.cat(g)) for g in (views[:3], views[3:])])
    loss = criterion(model.head)
    prototypes = F.normalize(loss.prototypes.weight.detach().double(), dim=1)
    scores = feats.double() @ prototypes.t()
    scores = [scores[BATCH * v : BATCH * (v + 1)] for v in range(5)]
    for t in range(3):
        queue = loss.queue[t % 2].double() @ prototypes.t()
        q = torch.cat([queue, scores[t]]).div(0.1).exp().t()
        for _ in range(3):
            q = q / q.sum(1, keepdim=True) / len(q)
            q = q / q.sum(0, keepdim=True) / q.shape[1]
        q = (q * q.shape[1]).t()[-BATCH:]
        for s in range(5):
            expected = -(q * (scores[s] / 0.3).log_softmax(1)).sum(1) * (s != t)
            torch.testing.assert_close(matrix[:, t, s].double(), expected, rtol=1e-4, atol=1e-5)


def test_pairs_without_locals(backend):
    model = build(backend, num_crops=(2,))
    views = make_views(2, 0)
    with scoring(model):
        losses = SwAVScorer().pair_losses(model, views)
    loss = model.loss(views, None)['loss'].detach()
    torch.testing.assert_close(losses[:, 0, 1].mean(), loss)
    torch.testing.assert_close(losses[:, 1, 0], losses[:, 0, 1])


def test_under_autocast(backend):
    model = build(backend)
    views = make_views()
    with scoring(model), torch.autocast('cpu', torch.bfloat16):
        matrix = SwAVScorer().crop_losses(model, views)
    index = torch.arange(5).expand(BATCH, -1)
    with torch.autocast('cpu', torch.bfloat16):
        loss = model.loss(views, None)['loss'].detach().float()
    assert matrix.dtype == torch.float32
    torch.testing.assert_close(crop_loss(matrix, index).mean(), loss, rtol=2e-2, atol=2e-2)


def test_sinkhorn_shares_the_prototypes():
    weights = sinkhorn(torch.randn(50, 5, generator=torch.Generator().manual_seed(0)), 50)
    torch.testing.assert_close(weights.sum(1), torch.ones(50))
    torch.testing.assert_close(weights.sum(0), torch.full((5,), 10.0), rtol=1e-3, atol=1e-3)
    # a prototype that underflows for all samples leaves no NaN
    weights = sinkhorn(torch.tensor([[0.0, -1e4], [0.0, -1e4]]), 3)
    assert weights.isfinite().all()


def test_other_crops_for_the_codes(backend):
    model = build(backend, crops_for_assign=[0])
    with pytest.raises(ValueError, match=r'`crops_for_assign` must be \[0, 1\].* got \[0\]'):
        SwAVScorer().crop_losses(model, make_views())
