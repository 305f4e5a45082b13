import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from bgaug_mm.evaluation import fit_linear_probe


def blobs(count=120, dims=5, classes=3, spread=1.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    centres = torch.randn(classes, dims, generator=generator)
    features = centres[labels] + spread * torch.randn(count, dims, generator=generator)
    return features * torch.tensor([1.0, 10, 100, 0.1, 1]) + 3, labels


@pytest.mark.parametrize('classes', [3, 4, 7])  # scikit-learn has one weight for two
@pytest.mark.parametrize('l2', [1e-3, 0.1])
def test_agrees_with_scikit_learn(classes, l2):
    features, labels = blobs(classes=classes)
    probe = fit_linear_probe(features, labels, l2=l2)
    standard = ((features - features.mean(0)) / features.std(0, correction=0)).double().numpy()
    # scikit-learn: sum of losses + |w|^2 / (2 C); ours: mean of losses + l2/2 |w|^2
    other = LogisticRegression(C=1 / (l2 * len(labels)), tol=1e-8, max_iter=10_000)
    other.fit(standard, labels.numpy())
    expected = other.predict_proba(standard)
    found = probe.logits(features).softmax(1).numpy()
    assert np.abs(found - expected).max() < 1e-3
    assert (probe.predict(features).numpy() == other.predict(standard)).mean() > 0.99


def test_gradient_vanishes_at_the_solution():
    features, labels = blobs()
    probe = fit_linear_probe(features, labels, l2=0.01)
    weight = probe.weight.clone().requires_grad_()
    standard = (features.double() - probe.mean) / probe.std
    loss = torch.nn.functional.cross_entropy(standard @ weight.T + probe.bias, labels)
    (loss + 0.005 * weight.square().sum()).backward()
    assert weight.grad.abs().max() < 1e-5


def test_scale_and_shift_of_features_change_nothing():
    features, labels = blobs()
    one = fit_linear_probe(features, labels).predict(features)
    scaled = features * 1000 - 7
    two = fit_linear_probe(scaled, labels).predict(scaled)
    assert (one == two).all()


def test_a_constant_feature_is_harmless():
    features, labels = blobs(spread=0.1)
    features = torch.cat([features, torch.full((len(features), 1), 1e6)], 1)
    probe = fit_linear_probe(features, labels)
    assert torch.isfinite(probe.weight).all()
    assert (probe.predict(features) == labels).float().mean() > 0.95


def test_inside_inference_mode_and_no_grad():
    features, labels = blobs()
    with torch.no_grad():
        probe = fit_linear_probe(features, labels)
    assert probe.weight.abs().max() > 0.1


@pytest.mark.parametrize(
    ('features', 'labels', 'options', 'message'),
    [
        (torch.zeros(3, 2), torch.zeros(4, dtype=torch.long), {}, r'\(3, 2\) and \(4,\)'),
        (torch.zeros(0, 2), torch.zeros(0, dtype=torch.long), {}, 'N > 0'),
        (torch.zeros(3, 2), torch.zeros(3, dtype=torch.long), {'l2': -1}, '`l2` must be at least'),
        (torch.full((3, 2), math.nan), torch.zeros(3, dtype=torch.long), {}, 'finite'),
    ],
)
def test_bad_input(features, labels, options, message):
    with pytest.raises(ValueError, match=message):
        fit_linear_probe(features, labels, **options)
