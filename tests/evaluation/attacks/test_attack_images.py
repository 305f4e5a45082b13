"""Adversarial images against closed forms, and what they promise."""

import logging
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from bgaug_mm.evaluation import FGSM, Attack, FrozenBackbone, FrozenClassifier, fit_linear_probe
from bgaug_mm.evaluation.attacks.attack_images import attack_images
from bgaug_mm.evaluation.attacks.input_gradients import label_margin, predict

SIDE = 6


pytestmark = pytest.mark.usefixtures('art')


@pytest.fixture
def linear(linear_classifier):
    """Two classes, a random plane, images well inside the range, their labels right."""
    torch.manual_seed(0)
    weight = torch.randn(2, 3 * SIDE * SIDE).double()
    images = torch.randint(90, 166, (12, 3, SIDE, SIDE), dtype=torch.uint8)
    flat = images.flatten(1).double() @ weight.T
    bias = torch.tensor([0.0, (flat[:, 0] - flat[:, 1]).median()])
    classifier = linear_classifier(weight, bias)
    return classifier, images, predict(classifier, images), weight


@pytest.fixture(scope='module')
def network():
    """A small random network with a fitted probe, its images and labels."""
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, 2), nn.ReLU(), nn.Conv2d(8, 12, 3, 2), nn.ReLU())
    backbone = FrozenBackbone(layers, mean=[120.0] * 3, std=[60.0] * 3)
    images = torch.randint(0, 256, (40, 3, 12, 12), dtype=torch.uint8)
    labels = torch.arange(40) % 3
    classifier = FrozenClassifier(backbone, fit_linear_probe(backbone(images), labels))
    return classifier, images, labels


def _halves(count: int, side: int) -> torch.Tensor:
    allowed = torch.zeros(count, side, side, dtype=torch.bool)
    allowed[:, : side // 2] = True
    return allowed


@pytest.mark.parametrize('scale', [1.0, 1e4])
@pytest.mark.parametrize('region', [False, True])
def test_fgsm_of_a_plane_in_closed_form(linear, linear_classifier, scale, region):
    _, images, labels, weight = linear
    classifier = linear_classifier(weight * scale, torch.zeros(2))  # sure, and still attacked
    labels = predict(classifier, images)
    allowed = _halves(len(images), SIDE) if region else None
    away = (weight[1 - labels] - weight[labels]).view_as(images)
    step = 255 / 255 * away.sign()
    if region:
        step = step * allowed[:, None]
    expected = (images + step).float()
    changed = attack_images(classifier, images, labels, eps=1 / 255, attack=FGSM, allowed=allowed)
    assert changed.dtype == torch.float32
    kept = predict(classifier, images) == labels
    torch.testing.assert_close(changed[kept], expected[kept], atol=1e-4, rtol=0)


@pytest.mark.parametrize('region', [False, True])
@pytest.mark.parametrize('norm', ['linf', 'l2'])
def test_a_plane_is_turned_exactly_where_its_dual_norm_reaches(linear, norm, region):
    classifier, images, labels, weight = linear
    allowed = _halves(len(images), SIDE) if region else None
    difference = (weight[labels] - weight[1 - labels]).view_as(images)
    if region:
        difference = difference * allowed[:, None]
    length = difference.flatten(1).norm(p=1 if norm == 'linf' else 2, dim=1)
    reach = label_margin(classifier(images), labels) / length / 255  # the eps that just turns it
    for eps in reach.quantile(torch.tensor([0.2, 0.5, 0.8]).double()).tolist():
        attack = Attack(norm=norm, steps=10)
        changed = attack_images(
            classifier, images, labels, eps=eps * 1.0001, attack=attack, allowed=allowed
        )
        turned = predict(classifier, changed) != labels
        assert torch.equal(turned, reach < eps * 1.0001)
        assert 0 < turned.sum() < len(images)


@pytest.mark.parametrize('norm', ['linf', 'l2'])
@pytest.mark.parametrize('restarts', [1, 3])
def test_stays_in_the_ball_the_range_and_the_region(network, norm, restarts):
    classifier, images, labels = network
    eps = 8 / 255 if norm == 'linf' else 0.4
    allowed = _halves(40, 12)
    allowed[0] = False
    attack = Attack(norm=norm, steps=4, restarts=restarts)
    before = images.clone()
    changed = attack_images(classifier, images, labels, eps=eps, attack=attack, allowed=allowed)
    assert torch.equal(images, before)
    assert changed.min() >= 0 and changed.max() <= 255
    step = changed - images
    assert not step[~allowed[:, None].expand_as(step)].any()  # to the bit
    length = step.flatten(1).norm(p=float('inf') if norm == 'linf' else 2, dim=1)
    assert (length <= 255 * eps * (1 + 1e-4)).all()
    attacked = predict(classifier, images) == labels
    assert not step[~attacked].any() and attacked.any()
    used = length[attacked & allowed.any(2).any(1)]
    assert (used > 0.9 * 255 * eps).float().mean() > 0.5  # the ball is made use of
    assert not step[0].any()


@pytest.mark.parametrize('norm', ['linf', 'l2'])
def test_more_restarts_and_more_steps_are_not_weaker(network, norm):
    classifier, images, labels = network
    eps = 2 / 255 if norm == 'linf' else 0.12

    def turned(**settings) -> torch.Tensor:
        changed = attack_images(
            classifier, images, labels, eps=eps, attack=Attack(norm=norm, **settings), batch_size=16
        )
        return predict(classifier, changed) != labels

    starts = [turned(steps=2, restarts=count) for count in (1, 2, 6)]
    assert all((fewer <= more).all() for fewer, more in pairwise(starts))
    assert turned(steps=15).sum() >= turned(steps=1).sum() > 0
    other = turned(steps=2, restarts=6, seed=1)
    assert (starts[0] <= other).all()  # the first start is the image itself
    assert torch.equal(starts[2], turned(steps=2, restarts=6))


def test_restarts_are_random_starts_of_the_seed(network):
    classifier, images, labels = network
    settings = dict(norm='linf', steps=1, step_size=0.01, restarts=2)
    options = dict(eps=1 / 255)

    def run(**more) -> torch.Tensor:
        return attack_images(
            classifier, images, labels, attack=Attack(**settings, **more), **options
        )

    assert torch.equal(run(), run())
    assert not torch.equal(run(), run(seed=1))


def test_nothing_else_changes(network):
    classifier, images, labels = network
    classifier.train()
    classifier.backbone.eval()
    modes = [module.training for module in classifier.modules()]
    np.random.seed(5)
    torch.manual_seed(5)
    expected = np.random.rand(), torch.rand(1)
    np.random.seed(5)
    torch.manual_seed(5)
    with torch.inference_mode():  # gradients are needed all the same
        changed = attack_images(
            classifier, images, labels, eps=0.1, attack=Attack(steps=2, restarts=2)
        )
    assert (np.random.rand(), torch.rand(1)) == expected
    assert [module.training for module in classifier.modules()] == modes
    assert not changed.is_inference() and torch.is_grad_enabled()
    assert not any(parameter.requires_grad for parameter in classifier.parameters())
    assert logging.getLogger().level == logging.WARNING
    classifier.eval()


def test_a_model_of_the_background_cannot_be_turned_by_the_foreground(linear, linear_classifier):
    _, images, _, weight = linear
    foreground = _halves(len(images), SIDE)
    background_only = weight.view(2, 3, SIDE, SIDE) * ~foreground[0]
    classifier = linear_classifier(background_only.flatten(1), torch.zeros(2))
    labels = predict(classifier, images)
    options = dict(eps=0.3, attack=Attack(steps=5, restarts=2))
    within = attack_images(classifier, images, labels, allowed=foreground, **options)
    outside = attack_images(classifier, images, labels, allowed=~foreground, **options)
    assert (predict(classifier, within) == labels).all()
    assert (predict(classifier, outside) != labels).all()


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(norm='l1'), r"`norm` must be one of \['linf', 'l2'\], but got 'l1'"),
        (dict(steps=0), '`steps` must be at least 1, but got 0'),
        (dict(restarts=0), '`restarts` must be at least 1, but got 0'),
        (dict(seed=-1), '`seed` must be at least 0, but got -1'),
        (dict(step_size=1.5), r'`step_size` must be in \(0, 1\], but got 1.5'),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        Attack(**settings)


def test_default_steps():
    assert FGSM.step == 1 and Attack(steps=10).step == 0.25
    assert Attack(steps=10, step_size=0.1).step == 0.1


def test_bad_input(network):
    classifier, images, labels = network
    with pytest.raises(ValueError, match='`eps` must be above 0, but got 0'):
        attack_images(classifier, images, labels, eps=0)
    with pytest.raises(ValueError, match=r'`images` must be in \[0, 255\], but got -1 to 254'):
        attack_images(classifier, images.float() - 1, labels, eps=0.1)
    with pytest.raises(ValueError, match=r'`masks` must be \(40, 12, 12\) like the images'):
        attack_images(classifier, images, labels, eps=0.1, allowed=_halves(3, 12))


def test_without_the_toolbox(network, monkeypatch):
    def missing(*names: str) -> None:
        raise ImportError(f'{names} is not installed')

    monkeypatch.setattr('bgaug_mm.evaluation.attacks.attack_images.require_evaluation', missing)
    with pytest.raises(ImportError, match="'art', .* is not installed"):
        attack_images(*network, eps=0.1)
