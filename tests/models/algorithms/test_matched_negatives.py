"""Pixels of matched negatives and their term of the loss, against naive references."""

from itertools import product

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from bgaug_mm.datasets.transforms.infill import infill
from bgaug_mm.models.algorithms.matched_negatives import matched_negatives, matched_negatives_term

OPTIONS = dict(form='fill_query_mask', limits=(0.05, 0.95), infill='tile_strip')


def features(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator, dtype=torch.float64), dim=-1)


@pytest.mark.parametrize('shift', [1, 2, 3])
def test_fill_query_mask(make_views, shift):
    images, _, masks, _ = make_views()
    made, usable = matched_negatives(images, masks, shift, **OPTIONS)
    assert usable.all()
    for i in range(4):
        q, m, r = (x.numpy() for x in (images[i], masks[i], images[i - shift]))
        np.testing.assert_allclose(made[i].numpy(), m * r + (1 - m) * q, atol=1e-6)


@pytest.mark.parametrize('shift', [1, 3])
def test_paste_foreground(shift):
    rng = np.random.default_rng(0)
    images = torch.tensor(rng.integers(0, 256, (4, 3, 24, 32)).astype(np.float32))
    masks = torch.zeros(4, 1, 24, 32)
    for i in range(4):
        masks[i, :, 6 + i : 14 + i, 3 + 2 * i : 12 + 3 * i] = 0.1 * i + 0.6
    made, usable = matched_negatives(
        images, masks, shift, **(OPTIONS | dict(form='paste_foreground'))
    )
    assert usable.all()
    for i in range(4):
        plate = infill(
            images[i].numpy().transpose(1, 2, 0).astype(np.uint8),
            (masks[i, 0] * 255).round().numpy().astype(np.uint8),
            'tile_strip',
        ).transpose(2, 0, 1)
        m, r = masks[i - shift].numpy(), images[i - shift].numpy()
        np.testing.assert_allclose(made[i].numpy(), m * r + (1 - m) * plate, atol=1e-3)


def test_limits_hold_for_the_query_and_for_a_pasted_donor(make_views):
    images, _, masks, _ = make_views()
    masks[0], masks[1] = 0, 1  # nothing; everything: "no background operation"
    made, usable = matched_negatives(images, masks, 1, **OPTIONS)
    assert usable.tolist() == [False, False, True, True]
    assert torch.equal(made[:2], images[:2])  # as they came
    made, usable = matched_negatives(images, masks, 1, **(OPTIONS | dict(form='paste_foreground')))
    assert usable.tolist() == [False, False, False, True]  # 2 would be given 1's foreground


def test_failed_infill_makes_no_negative(make_views):
    images, _, masks, _ = make_views()
    masks[2] = 0
    masks[2, :, 1:-1, 1:-1] = 0.9  # within the limits, but no strip to tile
    options = OPTIONS | dict(form='paste_foreground')
    made, usable = matched_negatives(images, masks, 1, **options)
    assert usable.tolist() == [True, True, False, True] and made.isfinite().all()
    assert matched_negatives(images, masks, 1, **OPTIONS)[1].all()  # needs no infill


def test_no_image_is_its_own_negative(make_views):
    images, _, masks, _ = make_views()
    for shift in (4, 5, 8):
        assert not matched_negatives(images, masks, shift, **OPTIONS)[1].any()
    assert not matched_negatives(images[:1], masks[:1], 1, **OPTIONS)[1].any()


@pytest.mark.parametrize(
    ('batch', 'count', 'temperature', 'weight'),
    list(product([1, 5], [1, 3], [0.07, 1.0], [0.5, 1, 4])),
)
def test_term_makes_infonce_with_the_extra_logits(batch, count, temperature, weight):
    q, n = features(batch, 8), features(count, batch, 8, seed=1).requires_grad_()
    logits = 5 * torch.randn(batch, 7, dtype=torch.float64, generator=torch.Generator())
    usable = torch.ones(count, batch, dtype=torch.bool)
    term = matched_negatives_term(q, n, usable, logits, temperature=temperature, weight=weight)
    for i in range(batch):
        exp = logits[i].exp().sum()
        exp = exp + weight * sum((q[i] @ n[k, i] / temperature).exp() for k in range(count))
        with_them = -(logits[i, 0].exp() / exp).log()
        without = F.cross_entropy(logits[i : i + 1], torch.zeros(1, dtype=torch.long))
        assert (without + term[i]).item() == pytest.approx(with_them.item(), abs=1e-10)


def test_term_by_hand():
    """Orthogonal features: one extra logit of 0 beside logits 0 and 0 makes log 2 to log 3."""
    q, n = torch.tensor([[1.0, 0.0]]), torch.tensor([[[0.0, 1.0]]])
    term = matched_negatives_term(
        q, n, torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 2), temperature=0.1
    )
    assert term.item() == pytest.approx(np.log(3 / 2))


def test_left_out_negatives_count_for_nothing():
    """Neither in the value nor in the gradient, and a query without any gets exactly 0."""
    q = features(3, 8).requires_grad_()
    n = features(2, 3, 8, seed=1)
    logits = torch.randn(3, 7, dtype=torch.float64).requires_grad_()
    usable = torch.tensor([[True, False, True], [True, False, False]])
    term = matched_negatives_term(q, n, usable, logits, temperature=0.2)
    alone = matched_negatives_term(q[2:], n[:1, 2:], usable[:1, 2:], logits[2:], temperature=0.2)
    assert term[1].item() == 0 and term[2].item() == pytest.approx(alone.item(), abs=1e-12)
    term.sum().backward()
    assert q.grad.isfinite().all() and (q.grad[1] == 0).all() and (logits.grad[1] == 0).all()
    assert (q.grad[0] != 0).any() and (q.grad[2] != 0).any()


def test_very_large_gap_is_exact():
    """torch's softplus turns linear above 20; the term does not."""
    q, n = torch.ones(1, 1, dtype=torch.float64), torch.ones(1, 1, 1, dtype=torch.float64)
    term = matched_negatives_term(
        q, n, torch.ones(1, 1, dtype=torch.bool), torch.zeros(1, 1).double(), temperature=1 / 21
    )
    assert term.item() == np.log1p(np.exp(-21.0)) + 21
