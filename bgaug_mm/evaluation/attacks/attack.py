"""How small a change of the image turns a classifier, anywhere or within one region."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from .attack_images import FGSM, PGD, Attack, attack_images
from .input_gradients import check_images, predict, undisturbed

__all__ = ['FGSM', 'PGD', 'Attack', 'AttackResult', 'attack_accuracy', 'attacked_region']
REGIONS = ('all', 'foreground', 'background')


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
    classifier: nn.Module,
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
        classifier (nn.Module): Logits (N, C) of such images, on the device where to compute: a
            FrozenClassifier, LoadedClassifier or GroupedClassifier.
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
    check_images(classifier, images, labels, allowed)
    options: dict[str, Any] = dict(attack=attack, allowed=allowed, batch_size=batch_size)
    with undisturbed(classifier):
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


def _percent(kept: Tensor) -> float:
    return 100 * kept.double().mean().item()
