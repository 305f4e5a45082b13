"""Estimates with intervals: over seeds, over images, over both, and of paired differences.

Two seeds are not the same experiment twice: weights, sample order and often the test images
change. So a mean over seeds gets Student's interval over the seeds, and one seed gets an
interval over its images, which says nothing about other seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Over = Literal['seeds', 'images', 'seeds and images']

#: Images drawn at once by a bootstrap, so that memory is bounded.
_CHUNK = 1 << 23


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean and what is known of it.

    Attributes:
        mean: It.
        low, high: Its interval; NaN where a single seed gives none.
        std: Standard deviation (of the sample, n - 1) of the values averaged; NaN for one.
        count: How many values were averaged.
        over: What the interval is over: ``'seeds'``, ``'images'`` or both.
    """

    mean: float
    low: float
    high: float
    std: float
    count: int
    over: Over

    def __str__(self) -> str:
        """``mean (low–high)``, one decimal; a lone seed says so."""
        return self.text()

    def text(self, digits: int = 1) -> str:
        """As ``str``, with so many decimals; ``low to high`` where a dash could be a minus."""
        if np.isnan(self.low):
            return f'{self.mean:.{digits}f} (1 seed)'
        dash = ' to ' if self.low < 0 else '–'
        return f'{self.mean:.{digits}f} ({self.low:.{digits}f}{dash}{self.high:.{digits}f})'

    @property
    def clear(self) -> bool:
        """Whether the interval lies on one side of zero."""
        return bool(self.low > 0 or self.high < 0)

    def to_json(self) -> dict[str, Any]:
        """Its attributes; None for NaN, which JSON has not."""
        return {
            key: None if isinstance(value, float) and np.isnan(value) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Estimate:
        """The estimate that :meth:`to_json` wrote."""
        known = {key: np.nan if value is None else value for key, value in values.items()}
        return cls(**known)  # type: ignore[arg-type]


def over_seeds(values: Sequence[float], *, level: float = 0.95) -> Estimate:
    """Mean over seeds with Student's t interval (Student, "The probable error of a mean", 1908).

    The seeds' values scatter by training and by test images alike, so that the interval
    covers both where each seed has test images of its own (a world per seed). On test images
    that the seeds share it covers other trainings, not other images: :func:`bootstrap` with
    `shared` covers both.

    Args:
        values: One finite value a seed; at least one. A single one has no interval.
        level: Of the interval, in (0, 1). Defaults to 0.95.

    Raises:
        ValueError: Without values, for one that is not finite, or `level` out of range.
    """
    numbers = _finite('values', values)
    _check_level(level)
    count, mean = len(numbers), float(numbers.mean())
    if count == 1:
        return Estimate(mean=mean, low=np.nan, high=np.nan, std=np.nan, count=1, over='seeds')
    from scipy.stats import t

    std = float(numbers.std(ddof=1))
    half = float(t.ppf((1 + level) / 2, count - 1)) * std / count**0.5
    return Estimate(
        mean=mean, low=mean - half, high=mean + half, std=std, count=count, over='seeds'
    )


def paired_difference(
    treated: Sequence[float], base: Sequence[float], *, level: float = 0.95
) -> Estimate:
    """By how much `treated` exceeds `base` on the same seeds: :func:`over_seeds`.

    What makes a seed good or bad for both (its world, its initial weights) cancels.

    Args:
        treated, base: One value a seed, in the same order.
        level: Of the interval. Defaults to 0.95.

    Raises:
        ValueError: For different numbers of seeds, or as :func:`over_seeds`.
    """
    if len(treated) != len(base):
        raise ValueError(
            '`treated` and `base` must have the same seeds, but got '
            f'{len(treated)} and {len(base)} values'
        )
    differences = _finite('treated', treated) - _finite('base', base)
    return over_seeds(list(differences), level=level)


def bootstrap(
    values: Sequence[ArrayLike],
    *,
    shared: bool = False,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> Estimate:
    """Mean over seeds of means over images, with a hierarchical percentile bootstrap.

    Each resample draws seeds with replacement and, within each, images with replacement
    (Davison and Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8). With one
    seed it is the plain bootstrap over images. For a paired difference pass the differences
    image by image. With few seeds the percentiles are too narrow (three seeds can be drawn in
    ten ways only): there :func:`over_seeds` is the one to show.

    Args:
        values: One array (N_s,) a seed, a finite value an image; at least one seed and
            image.
        shared: Whether the seeds share their images: then a resample draws the same images for
            all of them, and all N_s must be equal. Defaults to False.
        resamples: At least 1. Defaults to 2000.
        level: Of the interval, in (0, 1). Defaults to 0.95.
        seed: Of the draws. Defaults to 0.

    Returns:
        Estimate: `std` and `count` are of the seeds' means, or with one seed of its images.

    Raises:
        ValueError: For no or non-finite values, unequal numbers of shared images, or options
            out of range.
    """
    if not len(values):
        raise ValueError('`values` must hold at least one seed')
    arrays = [_finite('values', one) for one in values]
    if resamples < 1:
        raise ValueError(f'`resamples` must be at least 1, but got {resamples}')
    _check_level(level)
    if shared and len({len(one) for one in arrays}) > 1:
        raise ValueError(
            'seeds that share their images must have equally many, but got '
            f'{[len(one) for one in arrays]}'
        )
    rng, single = np.random.default_rng(seed), len(arrays) == 1
    if shared and not single:
        drawn = _shared(np.stack(arrays), resamples, rng)
    else:
        drawn = _nested(arrays, resamples, rng)
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    counted = arrays[0] if single else np.array([one.mean() for one in arrays])
    return Estimate(
        mean=float(counted.mean()),
        low=float(low),
        high=float(high),
        std=float(counted.std(ddof=1)) if len(counted) > 1 else np.nan,
        count=len(counted),
        over='images' if single else 'seeds and images',
    )


def _nested(arrays: Sequence[Floats], resamples: int, rng: np.random.Generator) -> Floats:
    """(resamples,) means, each seed with images of its own."""
    seeds = rng.integers(len(arrays), size=(resamples, len(arrays)))
    sums = np.zeros(resamples)
    for index, images in enumerate(arrays):
        # how often this seed was drawn, each time with other images
        times = (seeds == index).sum(1)
        means = np.concatenate(
            [images[picks].mean(1) for picks in _picks(len(images), int(times.sum()), rng)]
            or [np.zeros(0)]
        )
        np.add.at(sums, np.repeat(np.arange(resamples), times), means)
    return sums / len(arrays)


def _shared(images: Floats, resamples: int, rng: np.random.Generator) -> Floats:
    """(resamples,) means of (S, N), the same images for all seeds of a resample."""
    seeds = rng.integers(len(images), size=(resamples, len(images)))
    parts, start = [], 0
    for picks in _picks(images.shape[1], resamples, rng, len(images)):
        means = images[:, picks].mean(2)  # (S, some resamples)
        chosen = seeds[start : start + len(picks)]
        parts.append(np.take_along_axis(means.T, chosen, 1).mean(1))
        start += len(picks)
    return np.concatenate(parts)


def _picks(
    images: int, rows: int, rng: np.random.Generator, width: int = 1
) -> Iterator[NDArray[np.int64]]:
    """`rows` draws of all images with replacement, (some, images) at a time."""
    step = max(1, _CHUNK // (images * width))
    for start in range(0, rows, step):
        yield rng.integers(images, size=(min(step, rows - start), images))


def _finite(name: str, values: ArrayLike) -> Floats:
    array = np.asarray(values, np.float64)
    if array.ndim != 1 or not len(array) or not np.isfinite(array).all():
        raise ValueError(f'`{name}` must be finite numbers, at least one, but got {values!r:.80}')
    return array


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ValueError(f'`level` must be in (0, 1), but got {level}')
