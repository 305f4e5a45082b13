"""The two-view scorers against loops over pairs and samples, and the algorithms' own loss."""

import copy
import math

import pytest
import torch
from torch import nn

from bgaug_mm.engine.hard_views import scoring
from bgaug_mm.engine.hard_views.scorers import build_scorer


def floats(make_batch, **options):
    return [(view.float() - 120) / 60 for view in make_batch(**options)]


def cosine(a, b):
    norm = math.sqrt(sum(x * x for x in a)) * math.sqrt(sum(x * x for x in b))
    return sum(x * y for x, y in zip(a, b, strict=True)) / norm


def info_nce(query, positive, negatives, temperature):
    logits = [cosine(query, key) / temperature for key in [positive, *negatives]]
    top = max(logits)
    return math.log(sum(math.exp(v - top) for v in logits)) + top - logits[0]


def naive(kind, features, b, i, j, model):
    """Sample b's loss for view i first and view j second, in Python's floats."""
    first = [kind_of_feature[i] for kind_of_feature in features]
    second = [kind_of_feature[j] for kind_of_feature in features]
    others = [c for c in range(len(first[0])) if c != b]
    if kind in ('SimSiam', 'BYOL'):
        shift, scale, weight = (1, 2, 2) if kind == 'BYOL' else (0, 1, 0.5)
        (p1, t1), (p2, t2) = first, second
        return weight * sum(shift - scale * cosine(p[b], t[b]) for p, t in ((p1, t2), (p2, t1)))
    if kind == 'MoCo':
        queue = model.queue.T.tolist()
        return 0.5 * info_nce(first[0][b], second[1][b], queue, 0.2)
    if kind == 'MoCoV3':
        one = info_nce(first[0][b], second[1][b], [second[1][c] for c in others], 0.3)
        two = info_nce(second[0][b], first[1][b], [first[1][c] for c in others], 0.3)
        return 0.5 * (one + two)
    if kind == 'SimCLR':
        (z1,), (z2,) = first, second
        negatives = [z[c] for z in (z1, z2) for c in others]
        anchors = info_nce(z1[b], z2[b], negatives, 0.2), info_nce(z2[b], z1[b], negatives, 0.2)
        return 0.5 * sum(anchors) / 2
    assert kind == 'BarlowTwins'
    z1, z2 = (standardised(z) for z in (first[0], second[0]))
    width, samples = len(z1[0]), len(z1)
    total = 0.0
    for m in range(width):
        for n in range(width):
            delta = float(m == n)
            c = sum(z1[s][m] * z2[s][n] for s in range(samples)) / samples
            total += (1 if m == n else 0.1) * (c - delta) * (z1[b][m] * z2[b][n] - delta)
    return total


def standardised(z):
    columns = []
    for column in zip(*z, strict=True):
        mean = sum(column) / len(column)
        variance = sum((x - mean) ** 2 for x in column) / len(column)
        columns.append([(x - mean) / math.sqrt(variance + 1e-5) for x in column])
    return list(zip(*columns, strict=True))


def scored(model, scorer, views):
    with scoring(model):
        losses = scorer.pair_losses(model, views)
        features = [scorer.features(model, view) for view in views]
    return losses, [[f.tolist() for f in kind] for kind in zip(*features, strict=True)]


def test_against_a_loop_over_pairs(build, make_batch, algorithm):
    model = build(*algorithm)
    scorer = build_scorer('auto', model)
    assert type(scorer).__name__ == f'{algorithm[1]}Scorer'
    views = floats(make_batch, samples=4, num_views=3)
    losses, features = scored(model, scorer, views)
    assert losses.shape == (4, 3, 3) and losses.dtype == torch.float32
    for b in range(4):
        for i in range(3):
            for j in range(3):
                if i != j:
                    expected = naive(algorithm[1], features, b, i, j, model)
                    assert losses[b, i, j].item() == pytest.approx(expected, rel=1e-4, abs=1e-4)
    differ = (losses - losses.transpose(1, 2)).abs().max() > 1e-3
    assert differ != scorer.symmetric
    if algorithm[1] != 'BarlowTwins':
        assert losses.std(0).max() > 1e-3, 'samples differ'


def own_loss(model, views):
    """Of a copy whose targets stay where they are."""
    model = copy.deepcopy(model)
    for name in ('target_net', 'momentum_encoder', 'encoder_k'):
        if hasattr(model, name):
            getattr(model, name).update_parameters = lambda online: None
    return model.loss(list(views), None)['loss'].item()


def test_mean_is_the_algorithms_own_loss(build, make_batch, algorithm):
    # SimCLR sends both views through its batch norms at once, hence without them
    model = build(*algorithm, norm='GN' if algorithm[1] == 'SimCLR' else 'BN')
    scorer = build_scorer('auto', model)
    views = floats(make_batch, num_views=3, samples=8)
    losses, _ = scored(model, scorer, views)
    values = []
    for i in range(3):
        for j in range(3):
            if i != j:
                values.append(own_loss(model, (views[i], views[j])))
                mean = losses[:, i, j].mean().item()
                assert mean == pytest.approx(values[-1], rel=1e-4, abs=1e-5), (i, j)
    assert max(values) - min(values) > 1e-4, 'pairs differ'


def test_target_before_the_update(build, make_batch):
    """With upstream's update the loss is another one: what the score must not follow."""
    model = build('mmselfsup', 'MoCo')
    views = floats(make_batch, num_views=2, samples=4)  # a divisor of the queue's length
    losses, _ = scored(model, build_scorer('auto', model), views)
    moved = copy.deepcopy(model)
    moved.encoder_k.steps.fill_(0)  # the first update copies the online network
    assert moved.loss(views, None)['loss'].item() != pytest.approx(losses[:, 0, 1].mean().item())


def test_one_forward_pass_a_view(build, make_batch, algorithm):
    model = build(*algorithm)
    calls = []
    model.backbone.register_forward_hook(lambda *_: calls.append(1))
    scored_views = floats(make_batch, num_views=4)
    with scoring(model):
        build_scorer('auto', model).pair_losses(model, scored_views)
    assert len(calls) == 4


def test_losses_are_float32_under_autocast(build, make_batch, algorithm):
    model = build(*algorithm)
    views = floats(make_batch, num_views=2)
    scorer = build_scorer('auto', model)
    exact, _ = scored(model, scorer, views)
    with scoring(model), torch.autocast('cpu', dtype=torch.bfloat16):
        losses = scorer.pair_losses(model, views)
    assert losses.dtype == torch.float32
    # more digits than bfloat16 has: the sums were not made in it
    assert not torch.equal(losses[:, 0, 1], losses[:, 0, 1].bfloat16().float())
    torch.testing.assert_close(losses[:, 0, 1], exact[:, 0, 1], atol=0.6, rtol=0.2)


def test_a_batch_of_one(build, make_batch):
    """Contrastive losses without negatives are 0, not NaN."""
    for kind in ('SimCLR', 'MoCoV3'):
        model = build('mmpretrain', kind, norm='GN')
        losses, _ = scored(model, build_scorer('auto', model), floats(make_batch, samples=1))
        assert losses.abs().max() < 1e-6


@pytest.mark.parametrize('kind', ['SimSiam', 'SimCLR', 'BarlowTwins'])
def test_heads_with_another_loss(build, make_batch, kind):
    model = build('mmpretrain', kind)
    model.head.loss_module = nn.MSELoss()
    with pytest.raises(ValueError, match='`.*Loss`, but it is `MSELoss`: name another `scorer`'):
        scored(model, build_scorer('auto', model), floats(make_batch))
