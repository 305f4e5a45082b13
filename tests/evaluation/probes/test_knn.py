import math

import numpy as np
import pytest
import torch

from bgaug_mm.evaluation import knn_predict
from bgaug_mm.evaluation.probes.knn import nearest_neighbours


def naive(bank, labels, queries, k, temperature):
    out = []
    for query in queries.tolist():
        scored = []
        for i, entry in enumerate(bank.tolist()):
            dot = sum(a * b for a, b in zip(query, entry, strict=True))
            norms = math.hypot(*query) * math.hypot(*entry)
            scored.append((-dot / norms, i))
        votes = {}
        for distance, i in sorted(scored)[:k]:
            label = int(labels[i])
            votes[label] = votes.get(label, 0) + math.exp(-distance / temperature)
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


@pytest.mark.parametrize(('chunk', 'bank_chunk'), [(1, 1), (3, 7), (25, 60), (100, 1000)])
@pytest.mark.parametrize('half', [False, True])
def test_several_k_in_one_pass_and_every_chunking(chunk, bank_chunk, half):
    generator = torch.Generator().manual_seed(0)
    bank = torch.randn(60, 6, generator=generator)
    labels = torch.randint(4, (60,), generator=generator)
    queries = torch.randn(25, 6, generator=generator)
    if half:
        bank, queries = bank.half(), queries.half()
    options = dict(chunk=chunk, bank_chunk=bank_chunk)
    found = knn_predict(bank, labels, queries, k=[20, 1, 5, 99], **options)
    assert list(found) == [20, 1, 5, 99]
    for k, labels_of_k in found.items():
        assert labels_of_k.tolist() == naive(bank, labels, queries, k, 0.07)


@pytest.mark.parametrize(('chunk', 'bank_chunk'), [(1, 1), (2, 3), (5, 5), (100, 7), (100, 100)])
def test_of_equally_near_ones_the_first_in_the_bank_is_taken(chunk, bank_chunk):
    """Directions whose cosines are exact, each several times: ties at every k."""
    generator = torch.Generator().manual_seed(0)
    bank = torch.eye(4)[torch.randint(4, (40,), generator=generator)]
    labels = torch.randint(5, (40,), generator=generator)
    queries = torch.tensor([[1.0, 1, 1, 1], [1, 0, 0, 0], [0, 3, 4, 0], [0, 0, 0, -2]])
    counts = [1, 2, 3, 7, 15, 40]
    options = dict(chunk=chunk, bank_chunk=bank_chunk)
    for temperature in (0.07, 1.0):
        found = knn_predict(bank, labels, queries, k=counts, temperature=temperature, **options)
        for k in counts:
            assert found[k].tolist() == naive(bank, labels, queries, k, temperature), k
    similarity, index = nearest_neighbours(bank, queries, k=15, **options)
    for row, query in enumerate(queries):
        cosine = bank @ query / query.norm()
        expected = sorted(range(40), key=lambda i: (-cosine[i].item(), i))[:15]
        assert index[row].tolist() == expected
        assert similarity[row].tolist() == pytest.approx(cosine[expected].tolist())


@pytest.mark.parametrize('dtype', [np.float32, np.float16])
def test_arrays_and_memory_mapped_files(dtype, tmp_path):
    generator = torch.Generator().manual_seed(0)
    bank = torch.randn(60, 6, generator=generator).numpy().astype(dtype)
    labels = np.arange(60) % 4
    queries = torch.randn(25, 6, generator=generator).numpy()
    np.save(tmp_path / 'bank.npy', bank)
    expected = knn_predict(torch.from_numpy(bank), torch.from_numpy(labels), queries, k=5)
    for mode in ('r', 'r+', 'c'):
        mapped = np.load(tmp_path / 'bank.npy', mmap_mode=mode)
        if mode == 'c':
            mapped[0] = bank[1]  # must not be lost
        found = knn_predict(mapped, labels, queries, k=5, bank_chunk=16)
        if mode == 'c':
            assert (mapped[0] == bank[1]).all()
        else:
            assert found.tolist() == expected.tolist()
            found = knn_predict(mapped[10:50], labels[10:50], queries[5:], k=5, bank_chunk=16)
            some = knn_predict(bank[10:50], labels[10:50], queries[5:], k=5)
            assert found.tolist() == some.tolist()
    assert (np.load(tmp_path / 'bank.npy') == bank).all()


def test_the_k_nearest_do_not_depend_on_the_chunks_of_a_large_bank():
    generator = torch.Generator().manual_seed(0)
    bank = torch.randn(3000, 16, generator=generator)
    queries = torch.randn(50, 16, generator=generator)
    cosine = torch.nn.functional.cosine_similarity(queries[:, None], bank[None], dim=2)
    expected = cosine.topk(200)
    for bank_chunk in (150, 1000, 4096):
        similarity, index = nearest_neighbours(bank, queries, k=200, bank_chunk=bank_chunk)
        assert torch.allclose(similarity.float(), expected.values, atol=1e-6)
        assert (index == expected.indices).float().mean() > 0.999


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
    [
        ({'k': 0}, '`k` must be at least 1, but got 0'),
        ({'k': [5, 0]}, r'`k` must be at least 1, but got \[5, 0\]'),
        ({'k': []}, '`k` must be at least 1'),
        ({'temperature': 0}, '`temperature` must be above 0'),
        ({'chunk': 0}, '`chunk` must be at least 1'),
        ({'bank_chunk': 0}, '`bank_chunk` must be at least 1'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        knn_predict(torch.ones(2, 2), torch.tensor([0, 1]), torch.ones(1, 2), **options)


def test_empty_or_mismatched_bank():
    with pytest.raises(ValueError, match='N > 0'):
        knn_predict(torch.ones(0, 2), torch.ones(0, dtype=torch.long), torch.ones(1, 2))
    with pytest.raises(ValueError, match=r'\(2, 2\) and \(3,\)'):
        knn_predict(torch.ones(2, 2), torch.ones(3, dtype=torch.long), torch.ones(1, 2))
    with pytest.raises(ValueError, match='integers from 0, but got -1'):
        knn_predict(torch.ones(2, 2), torch.tensor([0, -1]), torch.ones(1, 2))
    with pytest.raises(ValueError, match=r'\(2, 2\) and \(1, 3\)'):
        knn_predict(torch.ones(2, 2), torch.tensor([0, 1]), torch.ones(1, 3))


@pytest.mark.parametrize('value', [math.nan, math.inf])
def test_features_that_are_not_finite(value):
    bank, labels = torch.ones(9, 2), torch.zeros(9, dtype=torch.long)
    bad = bank.clone()
    bad[7, 1] = value
    with pytest.raises(ValueError, match='`bank` must be finite, but row 7 is not'):
        knn_predict(bad, labels, bank, bank_chunk=3)
    with pytest.raises(ValueError, match='`queries` must be finite, but row 7 is not'):
        knn_predict(bank, labels, bad, chunk=4)
