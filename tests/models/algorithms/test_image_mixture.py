"""BYOL and SimSiam with mixtures of images, over both libraries' classes."""

import copy
from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.logging import MessageHub

from bgaug_mm.models.algorithms import ImageMixture
from bgaug_mm.models.algorithms.mixture import Mixture

ALGORITHMS = list(product(['mmselfsup', 'mmpretrain'], ['BYOL', 'SimSiam']))


@pytest.fixture(params=ALGORITHMS, ids='.'.join)
def algorithm(request):
    return request.param


@pytest.fixture(autouse=True)
def _max_iters():
    """BYOL's moving average asks how long training is."""
    MessageHub.get_current_instance().update_info('max_iters', 10)


@pytest.fixture
def make(build, algorithm):
    backend, name = algorithm
    return lambda **options: build('ImageMixture', backend, algorithm=name, **options)


@pytest.fixture
def make_upstream(build, algorithm):
    return lambda: build(algorithm[1], algorithm[0])


def gradients(model) -> dict[str, torch.Tensor]:
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def step(model, inputs):
    np.random.seed(3)
    losses = model(inputs, data_samples=None, mode='loss')
    sum(losses.values()).backward()
    return losses


def reference(model, views, mixture, drawn):
    """The mixture's loss by the papers' equations; ``model`` is spent.

    BYOL: 2 - 2 cos, of both directions, less its constant; SimSiam: -cos, their mean.
    """
    byol = hasattr(model, 'target_net')
    z1, z2 = (model.neck(model.backbone(view))[0] for view in views)
    if byol:
        with torch.no_grad():
            model.target_net.update_parameters(torch.nn.Sequential(model.backbone, model.neck))
            z1, z2 = (model.target_net(view)[0] for view in views)
    z1, z2 = z1.detach(), z2.detach()
    count = len(views[0])
    partner = views[0].flip(0) if mixture == 'unmix' else views[1]
    mixed = torch.stack(
        [drawn.apply(views[0][i : i + 1], partner[i : i + 1])[0] for i in range(count)]
    )
    p = model.head.predictor([model.neck(model.backbone(mixed))[0]])[0]
    total = 0
    for i in range(count):
        if mixture == 'unmix':
            total = total - drawn.share * F.cosine_similarity(p[i], z2[i], 0)
            total = total - (1 - drawn.share) * F.cosine_similarity(p[i], z2[count - 1 - i], 0)
        else:
            target = torch.tensor([max(a, b) for a, b in zip(z1[i], z2[i], strict=True)])
            total = total - F.cosine_similarity(p[i], target.to(p), 0)
    return (4 if byol else 1) * total / count


@pytest.mark.parametrize('region_prob', [0.0, 1.0])
@pytest.mark.parametrize('mixture', ['unmix', 'mixsiam'])
def test_loss_against_the_equations(make, make_upstream, make_views, mixture, region_prob):
    views = [view.double() for view in make_views(count=5)[:2]]
    model = make(mixture=mixture, region_prob=region_prob, mixture_weight=0.7).double()
    naive = copy.deepcopy(model)
    losses = step(model, views)
    np.random.seed(3)
    drawn = Mixture.draw((32, 32), alpha=1.0, region_prob=region_prob)
    expected = 0.7 * reference(naive, views, mixture, drawn)
    upstream = make_upstream().double()
    plain = step(upstream, views)['loss']
    expected.backward()
    (name,) = losses.keys() - {'loss_mixture'}
    assert name in ('loss_byol', 'loss_simsiam') and torch.equal(losses[name], plain)
    torch.testing.assert_close(losses['loss_mixture'], expected)
    for key, gradient in gradients(model).items():
        total = gradients(upstream)[key] + gradients(naive)[key]
        torch.testing.assert_close(gradient, total, rtol=1e-6, atol=1e-12)


def test_without_weight_it_is_upstream_bit_for_bit(make, make_upstream, make_views):
    views = make_views()[:2]
    ours, upstream = make(mixture_weight=0), make_upstream()
    losses, expected = step(ours, views), step(upstream, views)
    assert set(losses) == {'loss'} and torch.equal(losses['loss'], expected['loss'])
    for name, gradient in gradients(upstream).items():
        assert torch.equal(gradients(ours)[name], gradient), name


def test_target_is_moved_once_a_step_and_no_hook_stays(make, make_upstream, make_views):
    views = make_views()[:2]
    ours, upstream = make(), make_upstream()
    step(ours, views), step(upstream, views)
    state = ours.state_dict()
    for key, value in upstream.state_dict().items():
        if key.startswith('target_net') or not ('running' in key or 'num_batches' in key):
            assert torch.equal(state[key], value), key
    assert not any(m._forward_hooks for m in ours.modules())
    assert all(p.grad is None for name, p in ours.named_parameters() if 'target_net' in name)


def test_autocast(make, make_views):
    with torch.autocast('cpu', dtype=torch.bfloat16):
        losses = step(make(), make_views()[:2])
    assert all(loss.isfinite() for loss in losses.values())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(mixture='mixup'), '`mixture` must be one of .* but got .mixup.'),
        (dict(alpha=0), '`alpha` must be above 0, but got 0'),
        (dict(region_prob=1.5), r'`region_prob` must be in \[0, 1\], but got 1.5'),
        (dict(mixture_weight=-1), '`mixture_weight` must be >= 0, but got -1'),
    ],
)
def test_bad_options(build, options, message):
    with pytest.raises(ValueError, match=message):
        build('ImageMixture', 'mmpretrain', algorithm='BYOL', **options)


@pytest.mark.parametrize('name', ['BYOL', 'mmselfsup.MoCo', 'lightly.BYOL'])
def test_unknown_algorithm(name):
    with pytest.raises(ValueError, match='must be .* but got'):
        ImageMixture(algorithm=name)
