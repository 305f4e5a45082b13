"""How well masks fit the true masks: the field's measures, and what a swap would do.

F-measure, MAE, S-measure and E-measure are pysodmetrics' (``py_sod_metrics``), so that
they compare with published figures. It stretches each estimate to [0, 1] by its minimum
and maximum first, as the authors' MATLAB code does; a constant map stays as it is. Two
consequences to know: a faint map is judged as if it were strong, and an empty one gets
the adaptive F- and E-measure of a full one (its adaptive threshold is 0, which every
pixel reaches). Its E-measure divides by one pixel less than there are; what passes 1 by that is
cut. IoU, `kept` and `removed` are ours and take the mask as training does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgaug_mm.environment import require_saliency

Mask = NDArray[np.uint8]
Floats = NDArray[np.float64]

#: Weight beta² of precision against recall (Achanta et al., CVPR 2009, section 4).
BETA2 = 0.3
#: From this value on a pixel is foreground, in the truth and for `iou`.
HALF = 128
#: What a harmless swap keeps of the foreground and removes of the background.
HARMLESS = 0.9
_ROUNDING = 1e-9
#: Default limits of BackgroundSwap and BackgroundRemove: outside, nothing is swapped.
FOREGROUND_LIMITS = (0.05, 0.95)
#: Keys of :func:`summarise`, in the order of the tables.
SUMMARY_KEYS = (
    'max_f', 'adaptive_f', 'mae', 's', 'max_e', 'adaptive_e', 'iou', 'max_iou',
    'kept', 'removed', 'harmless', 'max_harmless', 'untouched',
)  # fmt: skip
_CURVES = {
    'max_f': 'f_curve', 'max_e': 'e_curve', 'max_iou': 'iou_curve',
    'max_harmless': 'harmless_curve',
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MaskScores:
    """Scores of one mask, all in [0, 1].

    Attributes:
        f_curve: (256,) F-measure of ``stretched mask >= t``, by t.
        e_curve: (256,) E-measure of the same.
        iou_curve: (256,) IoU of ``mask >= t``; 1 where neither has foreground.
        harmless_curve: (256,) 1 where a swap with ``mask >= t`` is harmless, else 0.
        adaptive_f: F-measure at twice the stretched mask's mean.
        adaptive_e: E-measure there.
        mae: Mean absolute error of the stretched mask.
        s: S-measure of the stretched mask.
        kept: Share of the foreground that the mask keeps, Σmin(m, t)/Σt with soft m and
            t; 1 where there is no foreground. min and not the product, so that the true
            mask itself keeps all; they are the same where either is hard.
        removed: Share of the background that it removes, Σmin(1−m, 1−t)/Σ(1−t).
        share: Foreground share of the mask.
    """

    f_curve: Floats
    e_curve: Floats
    iou_curve: Floats
    harmless_curve: Floats
    adaptive_f: float
    adaptive_e: float
    mae: float
    s: float
    kept: float
    removed: float
    share: float

    @property
    def iou(self) -> float:
        """IoU of mask and truth, both cut at one half."""
        return float(self.iou_curve[HALF])

    @property
    def harmless(self) -> bool:
        """Whether a swap with the soft mask keeps 90 % of the foreground and removes 90 % of
        the background."""
        return min(self.kept, self.removed) >= HARMLESS - _ROUNDING

    @property
    def untouched(self) -> bool:
        """Whether the mask's share is outside the limits, so that the image is not swapped."""
        return not FOREGROUND_LIMITS[0] <= self.share <= FOREGROUND_LIMITS[1]


class Interval(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


def score_mask(mask: Mask, truth: Mask) -> MaskScores:
    """Compare a mask with the true one.

    Args:
        mask: (H, W) uint8, soft.
        truth: (H, W) uint8; its soft values count in `kept` and `removed`, elsewhere it is
            cut at one half.

    Raises:
        ValueError: If they are no masks of one size.
        ImportError: Without pysodmetrics, with the command that installs it.
    """
    for name, array in (('mask', mask), ('truth', truth)):
        if array.ndim != 2 or array.dtype != np.uint8 or not array.size:
            raise ValueError(f'`{name}` must be (H, W) uint8, but got {array.shape} {array.dtype}')
    if mask.shape != truth.shape:
        raise ValueError(
            f'`mask` and `truth` must have one size, but got {mask.shape[1]}x{mask.shape[0]} and '
            f'{truth.shape[1]}x{truth.shape[0]} (width x height)'
        )
    hard = truth >= HALF
    m, t = mask / 255, truth / 255
    f, e, s, mae = _field_measures(mask, hard)
    return MaskScores(
        # theirs run from >= 255 to >= 0
        f_curve=np.asarray(f.dynamic_results[0], np.float64)[::-1],
        e_curve=np.minimum(np.asarray(e.changeable_ems[0], np.float64)[::-1], 1),
        adaptive_f=float(f.adaptive_results[0]),
        adaptive_e=min(float(e.adaptive_ems[0]), 1.0),
        mae=float(mae.maes[0]),
        s=float(s.sms[0]),
        iou_curve=iou_curve(mask, hard),
        harmless_curve=harmless_curve(mask, truth),
        kept=_ratio(np.minimum(m, t).sum(), t.sum()),
        removed=_ratio(np.minimum(1 - m, 1 - t).sum(), (1 - t).sum()),
        share=float(m.mean()),
    )


def iou_curve(mask: Mask, truth: NDArray[np.bool_]) -> Floats:
    """(256,) IoU of ``mask >= t`` with the truth, by t; 1 where both are empty."""
    inside, outside = _at_least(mask, truth), _at_least(mask, ~truth)
    union = truth.sum() + outside
    return np.divide(inside, union, out=np.ones(256), where=union > 0)


def harmless_curve(mask: Mask, truth: Mask) -> Floats:
    """(256,) by t: 1 where ``mask >= t`` keeps and removes enough, else 0."""
    foreground, background = truth / 255, 1 - truth / 255
    lost = foreground.sum() - _at_least(mask, foreground)
    left = _at_least(mask, background)
    allowed = 1 - HARMLESS + _ROUNDING
    enough = (lost <= allowed * foreground.sum()) & (left <= allowed * background.sum())
    return enough.astype(np.float64)


def _at_least(mask: Mask, weights: NDArray[Any]) -> Floats:
    """(256,) sum of the weights where ``mask >= t``, by t."""
    sums = np.bincount(mask.ravel(), weights.ravel(), minlength=256)
    return np.asarray(sums[::-1].cumsum()[::-1], np.float64)


def _field_measures(mask: Mask, hard: NDArray[np.bool_]) -> tuple[Any, Any, Any, Any]:
    """pysodmetrics' F, E, S and MAE; its classes collect, so that each call takes fresh ones."""
    require_saliency('py_sod_metrics')
    import py_sod_metrics as sod

    handler = sod.FmeasureHandler(with_dynamic=True, with_adaptive=True, beta=BETA2)
    f, e, s, mae = sod.FmeasureV2({'f': handler}), sod.Emeasure(), sod.Smeasure(), sod.MAE()
    region = s.ssim
    # of four quarters about the centroid; an empty one weighs nothing, but its means are NaN
    s.ssim = lambda part, true: region(part, true) if part.size else 0.0
    truth = hard.astype(np.uint8) * 255
    for measure in (f, e, s, mae):
        measure.step(mask, truth)
    return handler, e, s, mae


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else 1.0


def summarise(
    scores: Sequence[MaskScores], *, resamples: int = 1000, seed: int = 0
) -> dict[str, Interval]:
    """Means over images, with 95 % percentile bootstrap intervals over the images.

    `max_…` are the maxima of the mean curves: one threshold for all images, as the field
    reports them. The intervals take the images to be independent: where images share an
    object they are too narrow.

    Args:
        scores: One or more.
        resamples: At least 1. Defaults to 1000.
        seed: Defaults to 0.

    Returns:
        dict[str, Interval]: By :data:`SUMMARY_KEYS`, in [0, 1].
    """
    return _intervals(_resampled(scores, resamples, seed))


def difference(
    scores: Sequence[MaskScores],
    others: Sequence[MaskScores],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> dict[str, Interval]:
    """By how much scores exceed others on the same images, paired: :func:`summarise`.

    Both are taken on the same resamples, so that what makes an image hard for both does
    not widen the interval.
    """
    if len(scores) != len(others):
        raise ValueError(
            f'the scores must be of the same images, but got {len(scores)} and {len(others)}'
        )
    return _intervals(_resampled(scores, resamples, seed) - _resampled(others, resamples, seed))


def _resampled(scores: Sequence[MaskScores], resamples: int, seed: int) -> Floats:
    """(1 + resamples, keys): the values, and those of the resamples."""
    if not scores:
        raise ValueError('there are no scores to summarise')
    if resamples < 1:
        raise ValueError(f'`resamples` must be at least 1, but got {resamples}')
    columns = [
        np.stack([np.atleast_1d(getattr(one, _CURVES.get(key, key))) for one in scores])
        for key in SUMMARY_KEYS
    ]
    rng, count = np.random.default_rng(seed), len(scores)
    even = np.full(count, 1 / count)
    drawn = (rng.multinomial(count, even) / count for _ in range(resamples))
    return np.array(
        [[(weights @ column).max() for column in columns] for weights in (even, *drawn)]
    )


def _intervals(values: Floats) -> dict[str, Interval]:
    low, high = np.percentile(values[1:], [2.5, 97.5], axis=0)
    return {
        key: Interval(float(values[0, i]), float(low[i]), float(high[i]))
        for i, key in enumerate(SUMMARY_KEYS)
    }


def best_thresholds(scores: Sequence[MaskScores]) -> dict[str, int]:
    """At which threshold (0 to 255) the ``max_…`` of :func:`summarise` are reached.

    Those of `max_f` and `max_e` are of the stretched masks. The lowest of equals.
    """
    return {
        key: int(np.mean([getattr(one, curve) for one in scores], axis=0).argmax())
        for key, curve in _CURVES.items()
    }
