"""Figures that know their images: what intervals and paired differences are computed from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .predictions import SetPredictions

#: Stands between an object's name and its background class in the set ``adversarial``.
ON = '__'


class Measure(NamedTuple):
    """One figure, image by image.

    Attributes:
        files: N names, each once; what is paired across models.
        values: (N,) float64 in percent; their mean is the figure.
    """

    files: list[str]
    values: NDArray[np.float64]

    @property
    def mean(self) -> float:
        """The figure."""
        return float(self.values.mean())

    def minus(self, other: Measure) -> Measure:
        """The difference on the images that both have.

        Raises:
            ValueError: If they share no image.
        """
        theirs = dict(zip(other.files, other.values, strict=True))
        shared = [
            (name, value - theirs[name])
            for name, value in zip(self.files, self.values, strict=True)
            if name in theirs
        ]
        if not shared:
            raise ValueError('the two share no image')
        return Measure([name for name, _ in shared], np.array([value for _, value in shared]))


def of_shares(files: Sequence[str], shares: NDArray[np.float64]) -> Measure:
    """Shares in [0, 1], or truths, in percent; images without one (NaN) are left out.

    Raises:
        ValueError: If no image has one.
    """
    values = 100 * np.asarray(shares, np.float64)
    kept = np.isfinite(values)
    if not kept.any():
        raise ValueError('no image gives a value')
    return Measure([file for file, keep in zip(files, kept, strict=True) if keep], values[kept])


def accuracy(answers: SetPredictions) -> Measure:
    """Accuracy of a set."""
    return Measure(answers.files, answers.correct)


def gap(same: SetPredictions, rand: SetPredictions) -> Measure:
    """BG-Gap: accuracy on ``mixed_same`` minus accuracy on ``mixed_rand`` (Xiao et al., ICLR 2021).

    Object by object where most objects are in both sets under the same name (of objects that
    only one set has, as when a file could not be read, nothing is counted). Else, as
    ImageNet-9 is distributed, :func:`apart`.
    """
    first, second = accuracy(same), accuracy(rand)
    shared = {*first.files} & {*second.files}
    if 2 * len(shared) > max(len(first.files), len(second.files)):
        return first.minus(second)
    return apart(first, second, ('same', 'rand'))


def apart(first: Measure, second: Measure, sides: tuple[str, str]) -> Measure:
    """The difference of two figures of different images.

    The values are such that their mean is the difference and the variance of their mean is
    the sum of the two figures'.

    Args:
        first, second: What is subtracted is the second.
        sides: Names that stand before the files' of each, with a ``/``.
    """
    total, difference = len(first.files) + len(second.files), first.mean - second.mean
    parts = [
        difference + sign * (one.values - one.mean) * total / len(one.files)
        for sign, one in ((1, first), (-1, second))
    ]
    names = [f'{side}/{name}' for side, one in zip(sides, (first, second), strict=True)
             for name in one.files]  # fmt: skip
    return Measure(names, np.concatenate(parts))


def on_all_backgrounds(answers: SetPredictions) -> Measure:
    """Share of objects named right on every background they were put on.

    The figure of the backgrounds challenge (Xiao et al., ICLR 2021, section 3), where an
    adversary chooses the background for each object.

    Args:
        answers: Files ``<class>/<object>__<background class>.png``.
    """
    worst: dict[str, float] = {}
    for file, value in zip(answers.files, answers.correct, strict=True):
        name = file.rpartition(ON)[0] or file
        worst[name] = min(worst.get(name, 100.0), float(value))
    return Measure(list(worst), np.array(list(worst.values())))


def world_measures(sets: Mapping[str, SetPredictions]) -> dict[str, Measure]:
    """All figures that answers on a world give.

    Args:
        sets: By name; answers of the k-NN probe under ``knn_<set>``.

    Returns:
        dict[str, Measure]: An accuracy a set, ``bg_gap`` and ``knn_bg_gap``, and
        ``worst_background``, as far as their sets are there.
    """
    found = {name: accuracy(answers) for name, answers in sets.items() if answers.files}
    for prefix in ('', 'knn_'):
        same, rand = (f'{prefix}mixed_{name}' for name in ('same', 'rand'))
        if same in found and rand in found:
            found[f'{prefix}bg_gap'] = gap(sets[same], sets[rand])
    if 'adversarial' in found:
        found['worst_background'] = on_all_backgrounds(sets['adversarial'])
    return found
