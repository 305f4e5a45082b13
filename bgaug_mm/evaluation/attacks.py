"""How small a change of the image turns a classifier: FGSM and PGD, also within a region."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bgaug_mm.environment import require_evaluation

from .classifier import FrozenClassifier

_NORMS = {'linf': np.inf, 'l2': 2}
REGIONS = ('all', 'foreground', 'background')


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


FGSM = Attack(steps=1)
PGD = Attack()


@dataclass(frozen=True)
class AttackResult:
    """Which images keep their label.

    Attributes:
        clean (Tensor): (N,) bool, without an attack.
        robust (dict[float, Tensor]): eps → (N,) bool, under the attack and all weaker ones.
    """

    clean: Tensor
    robust: dict[float, Tensor]

    @property
    def clean_accuracy(self) -> float:
        """In percent."""
        return _percent(self.clean)

    @property
    def robust_accuracy(self) -> dict[float, float]:
        """By eps, in percent."""
        return {eps: _percent(kept) for eps, kept in self.robust.items()}


def attack_accuracy(
    classifier: FrozenClassifier,
    images: Tensor,
    labels: Tensor,
    *,
    eps: Sequence[float] = (1 / 255, 2 / 255, 4 / 255, 8 / 255),
    attack: Attack = PGD,
    masks: Tensor | None = None,
    region: str = 'all',
    threshold: int = 128,
    batch_size: int = 64,
) -> AttackResult:
    """Accuracy under attacks of growing strength, of the whole image or of one region.

    Attacks of the background alone and of the foreground alone show what the
    classifier relies on: one that does not look at the background cannot be turned there.
    A region of few pixels is harder to attack under ``'linf'``, so compare models
    on a region, not regions with one another.

    An image that is turned at one eps counts as turned at every larger one, since it
    lies within that ball too.

    Args:
        classifier (FrozenClassifier): On the device where to compute.
        images (Tensor): (N, 3, H, W) BGR, 0..255, uint8 or floating.
        labels (Tensor): (N,), integers from 0.
        eps (Sequence[float]): Radii of the balls, in units of an image of 0..1.
            Defaults to 1, 2, 4 and 8 of 255.
        attack (Attack): Its settings. Defaults to ``PGD``.
        masks (Tensor, optional): (N, H, W) uint8 saliency masks, 255 = foreground.
        region (str): ``'all'``, ``'foreground'`` or ``'background'``: where pixels may
            change; the last two need ``masks``. Defaults to ``'all'``.
        threshold (int): Soft masks become hard: foreground from this value on.
            Defaults to 128.
        batch_size (int): Images attacked at once. Defaults to 64.

    Returns:
        AttackResult: On the CPU.

    Raises:
        ImportError: Without the packages of requirements/evaluation.txt.
        ValueError: For arguments out of range or of the wrong shape.
    """
    allowed = attacked_region(masks, region, threshold=threshold)
    options: dict[str, Any] = dict(attack=attack, allowed=allowed, batch_size=batch_size)
    with _undisturbed(classifier):
        kept = clean = predict(classifier, images, batch_size) == labels.cpu()
        robust = {}
        for radius in sorted(eps):
            changed = attack_images(classifier, images, labels, eps=radius, **options)
            kept = kept & (predict(classifier, changed, batch_size) == labels.cpu())
            robust[radius] = kept
    return AttackResult(clean, robust)


def attacked_region(masks: Tensor | None, region: str, *, threshold: int = 128) -> Tensor | None:
    """The pixels that may change, (N, H, W) bool; None for all.

    Raises:
        ValueError: For another region, a missing or misshapen mask, or a threshold out of
            [1, 255].
    """
    if region not in REGIONS:
        raise ValueError(f'`region` must be one of {REGIONS}, but got {region!r}')
    if region == 'all':
        return None
    if masks is None or masks.ndim != 3 or masks.dtype != torch.uint8:
        found = None if masks is None else f'{tuple(masks.shape)} {masks.dtype}'
        raise ValueError(f'`region` {region!r} needs `masks` (N, H, W) uint8, but got {found}')
    if not 1 <= threshold <= 255:
        raise ValueError(f'`threshold` must be in [1, 255], but got {threshold}')
    foreground = masks >= threshold
    return foreground if region == 'foreground' else ~foreground


def attack_images(
    classifier: FrozenClassifier,
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
        classifier (FrozenClassifier): On the device where to compute.
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
    require_evaluation('art')
    _check(images, labels, allowed)
    if not eps > 0:
        raise ValueError(f'`eps` must be above 0, but got {eps}')
    images, labels = images.cpu().float(), labels.cpu()
    result = images.clone()
    with _undisturbed(classifier):
        estimator = _estimator(classifier, images.shape[1:])
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


def label_margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Log-odds of the label against all others, (N,), float64.

    Its gradient has the direction of the cross-entropy's, which is
    ``-(1 - p)`` times as long and vanishes in float32 where the classifier is sure.
    """
    logits, index = logits.double(), labels.view(-1, 1)
    others = logits.scatter(1, index, -torch.inf)
    return logits.gather(1, index).squeeze(1) - others.logsumexp(1)


def predict(classifier: nn.Module, images: Tensor, batch_size: int = 64) -> Tensor:
    """Labels (N,) on the CPU of images (N, 3, H, W), 0..255."""
    device = next(classifier.buffers()).device
    with torch.no_grad():
        parts = [classifier(part.to(device)).argmax(1).cpu() for part in images.split(batch_size)]
    return torch.cat(parts)


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


def _estimator(classifier: FrozenClassifier, shape: torch.Size) -> Any:
    from art.estimators.classification import PyTorchClassifier

    device = classifier.weight.device
    if device.type not in ('cpu', 'cuda'):  # ART would move the classifier to the CPU
        raise ValueError(f'attacks run on cpu or cuda, but the classifier is on {device}')
    return PyTorchClassifier(
        _UnitImages(classifier),
        loss=_MarginLoss(),
        input_shape=tuple(shape),
        nb_classes=len(classifier.bias),
        clip_values=(0.0, 1.0),
        device_type='gpu' if device.type == 'cuda' else 'cpu',
    )


@contextmanager
def _undisturbed(classifier: nn.Module) -> Iterator[None]:
    """Gradients on; afterwards random states and modes as before."""
    modes = {module: module.training for module in classifier.modules()}
    state = np.random.get_state()
    device = next(classifier.buffers()).device
    try:
        with (
            torch.random.fork_rng(devices=[]),  # data loaders draw
            torch.cuda.device(device if device.type == 'cuda' else -1),  # ART takes the current one
            torch.inference_mode(False),
            torch.enable_grad(),
        ):
            classifier.eval()
            yield
    finally:
        np.random.set_state(state)
        for module, training in modes.items():
            module.training = training


def _check(images: Tensor, labels: Tensor, allowed: Tensor | None) -> None:
    if images.ndim != 4 or not len(images) or labels.shape != images.shape[:1]:
        raise ValueError(
            '`images` must be (N, 3, H, W) and `labels` (N,) with N > 0, but got '
            f'{tuple(images.shape)} and {tuple(labels.shape)}'
        )
    expected = (len(images), *images.shape[2:])
    if allowed is not None and tuple(allowed.shape) != expected:
        raise ValueError(f'masks must be {expected} as the images, but got {tuple(allowed.shape)}')
    if images.min() < 0 or images.max() > 255:
        raise ValueError(
            f'`images` must be in [0, 255], but got {images.min():g} to {images.max():g}'
        )


def _percent(kept: Tensor) -> float:
    return 100 * kept.double().mean().item()
