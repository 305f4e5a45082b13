"""Figures of a classifier on disturbed images: distorted or attacked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from torch import Tensor, nn

from ..measures import Measure, of_shares
from .options import SuiteOptions


def structure_measures(
    classifier: nn.Module,
    files: Sequence[str],
    images: Tensor,
    labels: Tensor,
    options: SuiteOptions,
) -> Iterator[tuple[str, Measure]]:
    """Accuracy under gamma distortion and shuffled patches and pixels.

    Args:
        classifier, images, labels: See
            :func:`~bgaug_mm.evaluation.probes.structure.structure_scores`.
        files: Names of the images.
        options: Settings.
    """
    from ..probes.structure import structure_scores

    found = structure_scores(classifier, images, labels, batch_size=options.batch_size)
    for name, right in found.items():
        yield 'undistorted' if name == 'clean' else name, of_shares(files, right.numpy())


def attack_measures(
    classifier: nn.Module,
    files: Sequence[str],
    images: Tensor,
    labels: Tensor,
    options: SuiteOptions,
    masks: Tensor | None = None,
) -> Iterator[tuple[str, Measure]]:
    """Robust accuracy under FGSM and PGD, and with masks under PGD within one region.

    Each figure comes as soon as it is known.

    Args:
        classifier, images, labels, masks: See
            :func:`~bgaug_mm.evaluation.attacks.attack.attack_accuracy`.
        files: Names of the images.
        options: Settings.
    """
    from ..attacks.attack import FGSM, Attack, attack_accuracy

    norm = options.norm
    pgd = Attack(norm=norm, steps=options.steps, restarts=options.restarts)
    cases = [('fgsm', replace(FGSM, norm=norm), 'all'), ('pgd', pgd, 'all')]
    if masks is not None:
        cases += [(f'pgd_{region}', pgd, region) for region in ('foreground', 'background')]
    for case, attack, region in cases:
        result = attack_accuracy(
            classifier, images, labels,
            eps=options.radii, attack=attack, masks=masks, region=region,
            batch_size=options.batch_size,
        )  # fmt: skip
        yield 'attacked', of_shares(files, result.clean.numpy())
        for eps, kept in result.robust.items():
            of = f'l2_{eps:g}' if norm == 'l2' else f'{255 * eps:g}'
            yield f'{case}_{of}', of_shares(files, kept.numpy())
