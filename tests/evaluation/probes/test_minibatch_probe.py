import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bgaug_mm.evaluation import fit_linear_probe, fit_linear_probe_in_batches


def correlated_blobs(count=1500, dims=24, classes=5):
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(count).div(count / classes, rounding_mode='floor').long()  # by class
    centres = torch.randn(classes, dims, generator=generator)
    features = centres[labels] + 2 * torch.randn(count, dims, generator=generator)
    mixed = features @ torch.randn(dims, dims, generator=generator)
    return 3 * mixed + 100, labels


def objective(probe, features, labels, l2):
    loss = F.cross_entropy(probe.logits(features), labels)
    return (loss + l2 / 2 * probe.weight.square().sum()).item()


@pytest.mark.parametrize('l2', [1e-3, 0.1])
def test_reaches_the_optimum_of_the_full_batch(l2):
    features, labels = correlated_blobs()
    exact = fit_linear_probe(features, labels, l2=l2)
    state = torch.get_rng_state()
    found = fit_linear_probe_in_batches(features, labels, l2=l2, epochs=40, batch_size=64)
    assert torch.equal(torch.get_rng_state(), state)
    best = objective(exact, features, labels, l2)
    assert best - 1e-6 <= objective(found, features, labels, l2) < 1.01 * best
    assert (found.predict(features) == exact.predict(features)).float().mean() > 0.98
    assert torch.allclose(found.mean, exact.mean) and torch.allclose(found.std, exact.std)
    # a point that is not the optimum, for scale: no epochs to speak of
    short = fit_linear_probe_in_batches(features, labels, l2=l2, epochs=1, lr=1e-3)
    assert objective(short, features, labels, l2) > 1.01 * best


@pytest.mark.parametrize('dtype', [np.float32, np.float16])
def test_memory_mapped_features_give_what_those_in_memory_give(dtype, tmp_path, monkeypatch):
    monkeypatch.setattr('bgaug_mm.evaluation.probes.minibatch_probe._ROWS', 100)  # many blocks
    features, labels = correlated_blobs(count=500)
    array = features.numpy().astype(dtype)
    np.save(tmp_path / 'f.npy', array)
    mapped = np.load(tmp_path / 'f.npy', mmap_mode='r')
    options = dict(epochs=2, batch_size=32, seed=3)
    one = fit_linear_probe_in_batches(torch.from_numpy(array), labels, **options)
    two = fit_linear_probe_in_batches(mapped, labels.numpy(), **options)
    assert torch.equal(one.weight, two.weight) and torch.equal(one.bias, two.bias)
    standard = array.astype(np.float64)
    assert np.allclose(one.mean, standard.mean(0)) and np.allclose(one.std, standard.std(0))
    other = fit_linear_probe_in_batches(mapped, labels, **{**options, 'seed': 4})
    assert not torch.equal(one.weight, other.weight)


def test_every_row_is_seen_once_an_epoch(monkeypatch):
    """Rows that are one-hot: the gradient of a row's weight is there when the row is."""
    monkeypatch.setattr('bgaug_mm.evaluation.probes.minibatch_probe._ROWS', 8)
    seen = []
    linear = F.cross_entropy

    def spy(logits, labels):
        seen.extend(labels.tolist())
        return linear(logits, labels)

    monkeypatch.setattr('bgaug_mm.evaluation.probes.minibatch_probe.F.cross_entropy', spy)
    features = torch.arange(21.0)[:, None]
    fit_linear_probe_in_batches(features, torch.arange(21), epochs=3, batch_size=4)
    assert [sorted(seen[i : i + 21]) for i in (0, 21, 42)] == [list(range(21))] * 3
    assert seen[:21] != list(range(21)) and seen[:21] != seen[21:42]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'labels': torch.zeros(4).long()}, r'\(3, 2\) and \(4,\)'),
        ({'l2': -1}, '`l2` must be at least 0, but got -1'),
        ({'epochs': 0}, '`epochs` must be at least 1'),
        ({'batch_size': 0}, '`batch_size` must be at least 1'),
        ({'lr': 0}, '`lr` must be above 0'),
        ({'features': torch.tensor([[0.0, 1], [1, math.nan], [2, 3]])}, 'but row 1 is not'),
    ],
)
def test_bad_input(change, message):
    given = {'features': torch.zeros(3, 2), 'labels': torch.zeros(3).long(), **change}
    with pytest.raises(ValueError, match=message):
        fit_linear_probe_in_batches(given.pop('features'), given.pop('labels'), **given)
