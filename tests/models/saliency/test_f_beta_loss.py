"""The F-measure loss against precision and recall, image by image."""

import numpy as np
import pytest
import torch

from bgaug_mm.models import FBetaLoss


def naive(prediction: np.ndarray, target: np.ndarray, beta2: float) -> float:
    losses = []
    for p, t in zip(prediction, target, strict=True):
        if t.mean() < 0.005:
            continue
        precision, recall = (p * t).sum() / p.sum(), (p * t).sum() / t.sum()
        losses.append(1 - (1 + beta2) * precision * recall / (beta2 * precision + recall))
    return float(np.mean(losses)) if losses else 0.0


@pytest.mark.parametrize('beta2', [0.3, 1.0])
@pytest.mark.parametrize('soft', [False, True])
def test_is_one_minus_the_mean_f_measure(beta2, soft) -> None:
    rng = np.random.default_rng(0)
    prediction, target = rng.random((2, 4, 1, 5, 6))
    if not soft:
        target = np.rint(target)
    target[1] = 0  # nothing to find: left out
    found = FBetaLoss(beta2=beta2)(torch.from_numpy(prediction), torch.from_numpy(target))
    assert float(found) == pytest.approx(naive(prediction, target, beta2), abs=1e-6)


def test_by_hand() -> None:
    target = torch.tensor([[1.0, 1.0, 0.0, 0.0]])
    loss = FBetaLoss()
    assert float(loss(target, target)) == pytest.approx(0)
    assert float(loss(1 - target, target)) == 1
    # all foreground: precision 1/2, recall 1
    assert float(loss(torch.ones(1, 4), target)) == pytest.approx(1 - 1.3 * 0.5 / 1.15)


def test_without_any_foreground_there_is_a_gradient_of_zero() -> None:
    prediction = torch.full((2, 4), 0.5, requires_grad=True)
    loss = FBetaLoss()(prediction, torch.zeros(2, 4))
    loss.backward()
    assert float(loss) == 0 and not prediction.grad.any()


@pytest.mark.parametrize('options', [dict(beta2=0), dict(min_target=1.3)])
def test_says_which_option_is_wrong(options) -> None:
    with pytest.raises(ValueError, match=f'`{next(iter(options))}` must be'):
        FBetaLoss(**options)
