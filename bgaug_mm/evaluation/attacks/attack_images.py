"""Adversarial images by projected gradient ascent (PGD, FGSM)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bgaug_mm.compat import import_adversarial_toolbox
from bgaug_mm.environment import require_evaluation

from .input_gradients import (
    check_images,
    device_of,
    label_margin,
    output_count,
    predict,
    undisturbed,
)

_NORMS = {'linf': np.inf, 'l2': 2}


@dataclass(frozen=True, kw_only=True)
class Attack:
    """Settings of projected gradient ascent on the loss (PGD; Madry et al., ICLR 2018).

    With one step it is the fast gradient (sign) method (FGSM; Goodfellow et al., ICLR 2015).
    Our choices: the default step, and that the first start is the image itself and only
    the others are random, so that one restart is not random at all.

    Args:
        norm (str): ``'linf'`` or ``'l2'``, over all pixels and channels. Defaults to
            ``'linf'``.
        steps (int): At least 1. Defaults to 20.
        step_size (float, optional): Length of a step as a share of eps, in (0, 1].
            Defaults to None: ``min(1, 2.5 / steps)``, which reaches every point of the
            ball from every other and leaves room to move along its surface.
        restarts (int): Starts, at least 1; an image counts as turned when one of them
            turns it. Defaults to 1.
        seed (int): Of the random starts, at least 0. Defaults to 0.

    Raises:
        ValueError: For settings out of range.
    """

    norm: str = 'linf'
    steps: int = 20
    step_size: float | None = None
    restarts: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.norm not in _NORMS:
            raise ValueError(f'`norm` must be one of {list(_NORMS)}, but got {self.norm!r}')
        for name, least in (('steps', 1), ('restarts', 1), ('seed', 0)):
            if getattr(self, name) < least:
                raise ValueError(
                    f'`{name}` must be at least {least}, but got {getattr(self, name)}'
                )
        if self.step_size is not None and not 0 < self.step_size <= 1:
            raise ValueError(f'`step_size` must be in (0, 1], but got {self.step_size}')

    @property
    def step(self) -> float:
        """Length of a step as a share of eps."""
        return min(1.0, 2.5 / self.steps) if self.step_size is None else self.step_size


#: One step to the surface of the ball.
FGSM = Attack(steps=1)
PGD = Attack()


def attack_images(
    classifier: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    eps: float,
    attack: Attack = PGD,
    allowed: Tensor | None = None,
    batch_size: int = 64,
) -> Tensor:
    """Adversarial images, by the Adversarial Robustness Toolbox (ART).

    ART computes the steps; restarts are ours, because only images that no former
    start has turned are attacked again. More restarts are therefore never weaker. The
    loss that is raised is the negative :func:`label_margin`, whose steps are those of the
    cross-entropy.

    Global random states and the classifier's mode are left as they were.

    Args:
        classifier (nn.Module): Logits (N, C) of such images, on the device where to compute: a
            FrozenClassifier, LoadedClassifier or GroupedClassifier.
        images (Tensor): (N, 3, H, W) BGR, 0..255, uint8 or floating.
        labels (Tensor): (N,), integers from 0.
        eps (float): Radius of the ball, above 0, in units of an image of 0..1.
        attack (Attack): Its settings. Defaults to ``PGD``.
        allowed (Tensor, optional): (N, H, W) bool, pixels that may change. Defaults to
            None, all of them.
        batch_size (int): Images attacked at once. Defaults to 64.

    Returns:
        Tensor: (N, 3, H, W), float32, 0..255, not rounded, on the CPU. Images that are
        misclassified to begin with are returned as they are; those that no start turns, as
        the last start left them.

    Raises:
        ImportError: Without the packages of requirements/evaluation.txt.
        ValueError: For arguments out of range or of the wrong shape.
    """
    require_evaluation('art', 'numba', 'six')
    import_adversarial_toolbox()
    check_images(classifier, images, labels, allowed)
    if not eps > 0:
        raise ValueError(f'`eps` must be above 0, but got {eps}')
    with undisturbed(classifier):
        images, labels = images.cpu().float(), labels.cpu()
        result = images.clone()
        estimator = _estimator(classifier, images)
        for begin in range(0, len(images), batch_size):
            chosen = torch.arange(begin, min(begin + batch_size, len(images)))
            for restart in range(attack.restarts):
                turned = predict(classifier, result[chosen], batch_size) != labels[chosen]
                chosen = chosen[~turned]
                if not len(chosen):
                    break
                np.random.seed([attack.seed, restart, begin])  # ART draws from here
                part = None if allowed is None else allowed.cpu()[chosen]
                result[chosen] = _ascend(
                    estimator, images[chosen], labels[chosen], eps, attack, part, restart > 0
                )
    return result


def _ascend(
    estimator: Any,
    images: Tensor,
    labels: Tensor,
    eps: float,
    attack: Attack,
    allowed: Tensor | None,
    random_start: bool,
) -> Tensor:
    """One start of ART's attack; images in 0..255."""
    from art.attacks.evasion import ProjectedGradientDescentPyTorch

    method = ProjectedGradientDescentPyTorch(
        estimator,
        norm=_NORMS[attack.norm],
        eps=float(eps),
        eps_step=float(eps) * attack.step,
        max_iter=attack.steps,
        num_random_init=int(random_start),
        batch_size=len(images),
        verbose=False,
    )
    options = {}
    if allowed is not None:
        allowed = allowed.unsqueeze(1).expand_as(images)
        options['mask'] = allowed.float().numpy()
    one_hot = np.eye(estimator.nb_classes, dtype=np.float32)[labels.numpy()]
    changed = torch.from_numpy(method.generate((images / 255).numpy(), one_hot, **options)) * 255
    # dividing and multiplying rounds: pixels that may not change stay exactly the same
    return changed if allowed is None else torch.where(allowed, changed, images)


class _UnitImages(nn.Module):
    """The classifier on images of 0..1."""

    def __init__(self, classifier: nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(images * 255)


class _MarginLoss(nn.Module):
    def forward(self, logits: Tensor, one_hot: Tensor) -> Tensor:
        return -label_margin(logits, one_hot.argmax(1)).sum()


def _estimator(classifier: nn.Module, images: Tensor) -> Any:
    from art.estimators.classification import PyTorchClassifier

    device = device_of(classifier)
    if device.type not in ('cpu', 'cuda'):  # ART would move the classifier to the CPU
        raise ValueError(f'attacks run on cpu or cuda, but the classifier is on {device}')
    return PyTorchClassifier(
        _UnitImages(classifier),
        loss=_MarginLoss(),
        input_shape=tuple(images.shape[1:]),
        nb_classes=output_count(classifier, images),
        clip_values=(0.0, 1.0),
        device_type='gpu' if device.type == 'cuda' else 'cpu',
    )
