import math

import pytest
import torch

from bgaug_mm.evaluation import knn_predict


def naive(bank, labels, queries, k, temperature):
    out = []
    for query in queries.tolist():
        scored = []
        for entry, label in zip(bank.tolist(), labels.tolist(), strict=True):
            dot = sum(a * b for a, b in zip(query, entry, strict=True))
            norms = math.hypot(*query) * math.hypot(*entry)
            scored.append((dot / norms, label))
        scored.sort(reverse=True)
        votes = {}
        for similarity, label in scored[:k]:
            votes[label] = votes.get(label, 0) + math.exp(similarity / temperature)
        out.append(max(sorted(votes), key=lambda label: votes[label]))
    return out


@pytest.mark.parametrize('k', [1, 5, 20, 1000])
@pytest.mark.parametrize('temperature', [0.07, 1.0])
@pytest.mark.parametrize('chunk', [3, 1024])
def test_against_a_naive_reference(k, temperature, chunk):
    generator = torch.Generator().manual_seed(k)
    bank = torch.randn(60, 6, generator=generator)
    labels = torch.randint(4, (60,), generator=generator)
    queries = torch.randn(25, 6, generator=generator)
    found = knn_predict(bank, labels, queries, k=k, temperature=temperature, chunk=chunk)
    assert found.tolist() == naive(bank, labels, queries, k, temperature)


def test_hand_made_case():
    bank = torch.tensor([[1.0, 0], [0, 1], [0, 1.0]])
    labels = torch.tensor([2, 0, 0])
    query = torch.tensor([[3.0, 2.0]])  # nearer to the first, but two are of class 0
    assert knn_predict(bank, labels, query, k=3, temperature=10).item() == 0
    assert knn_predict(bank, labels, query, k=3, temperature=0.01).item() == 2
    assert knn_predict(bank, labels, query, k=1, temperature=10).item() == 2


def test_length_of_features_does_not_matter_and_small_temperatures_do_not_overflow():
    bank, labels = torch.randn(20, 3), torch.arange(20) % 3
    queries = torch.randn(5, 3)
    one = knn_predict(bank, labels, queries, temperature=1e-4)
    two = knn_predict(bank * 50, labels, queries * 0.1, temperature=1e-4)
    assert (one == two).all()


def test_no_queries():
    assert knn_predict(torch.ones(2, 2), torch.tensor([0, 1]), torch.ones(0, 2)).shape == (0,)


@pytest.mark.parametrize(
    ('options', 'message'),
    [({'k': 0}, '`k` must be at least 1'), ({'temperature': 0}, '`temperature` must be above 0')],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        knn_predict(torch.ones(2, 2), torch.tensor([0, 1]), torch.ones(1, 2), **options)


def test_empty_or_mismatched_bank():
    with pytest.raises(ValueError, match='N > 0'):
        knn_predict(torch.ones(0, 2), torch.ones(0, dtype=torch.long), torch.ones(1, 2))
    with pytest.raises(ValueError, match=r'\(2, 2\) and \(3,\)'):
        knn_predict(torch.ones(2, 2), torch.ones(3, dtype=torch.long), torch.ones(1, 2))
