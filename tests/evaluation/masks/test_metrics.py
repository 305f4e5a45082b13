from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from bgaug_mm.evaluation.masks import metrics
from bgaug_mm.evaluation.masks.metrics import (
    SUMMARY_KEYS,
    best_thresholds,
    difference,
    score_mask,
    summarise,
)

pytest.importorskip('py_sod_metrics')


def masks():
    """Pairs of a mask and a truth, both soft: noise, smooth blobs, a faint map, one row."""
    rng = np.random.default_rng(0)

    def smooth(shape, low, high):
        values = ndimage.gaussian_filter(rng.random(shape), 3)
        values = (values - values.min()) / np.ptp(values)
        return np.rint(low + (high - low) * values).astype(np.uint8)

    def noise(shape):
        return rng.integers(0, 256, shape, np.uint8)

    pairs = {
        'noise': (noise((9, 13)), noise((9, 13))),
        'blobs': (smooth((24, 31), 0, 255), smooth((24, 31), 0, 255)),
        'faint': (smooth((24, 31), 20, 90), smooth((24, 31), 0, 255)),
        'row': (noise((1, 40)), noise((1, 40))),
    }
    near = smooth((24, 31), 0, 90)  # right below 1/3, with a soft border
    return {**pairs, 'near': (near, np.clip(50 * (near.astype(int) - 45), 0, 255).astype(np.uint8))}


def stretched(mask):
    """What pysodmetrics makes of a prediction."""
    low, high = int(mask.min()), int(mask.max())
    return (mask / 255 - low / 255) / ((high - low) / 255) if high > low else mask / 255


def f_measure(chosen, truth):
    hits = (chosen & truth).sum()
    if not hits:
        return 0.0
    precision, recall = hits / chosen.sum(), hits / truth.sum()
    return 1.3 * precision * recall / (0.3 * precision + recall)


def e_measure(chosen, truth):
    """Fan et al., IJCAI 2018, equations 2 to 5: alignment of the mean-free maps."""
    a, b = chosen - chosen.mean(), truth - truth.mean()
    alignment = 2 * a * b / (a**2 + b**2 + 1e-16)
    return ((alignment + 1) ** 2 / 4).sum() / (truth.size - 1)


def overlap(a, b):
    """Loop over pixels: sum of the smaller over sum of the second."""
    smaller = sum(min(x, y) for x, y in zip(a.ravel(), b.ravel(), strict=True))
    return smaller / sum(b.ravel())


@pytest.mark.parametrize('name', masks())
def test_against_naive_measures(name):
    mask, truth = masks()[name]
    scores, hard = score_mask(mask, truth), truth >= 128
    levels = stretched(mask)
    grey = (levels * 255).astype(np.uint8)
    for t in range(256):
        chosen = mask >= t
        union = (chosen | hard).sum()
        assert scores.iou_curve[t] == pytest.approx((chosen & hard).sum() / union)
        assert scores.f_curve[t] == pytest.approx(f_measure(grey >= t, hard))
        assert scores.e_curve[t] == pytest.approx(min(e_measure(grey >= t, hard), 1))
    cut = min(2 * levels.mean(), 1)
    assert scores.adaptive_f == pytest.approx(f_measure(levels >= cut, hard))
    assert scores.adaptive_e == pytest.approx(min(e_measure(levels >= cut, hard), 1))
    assert scores.mae == pytest.approx(np.abs(levels - hard).mean())
    assert scores.iou == scores.iou_curve[128]
    m, t = mask / 255, truth / 255
    for cut in range(256):
        chosen = (mask >= cut).astype(float)
        enough = overlap(chosen, t) >= 0.9 and overlap(1 - chosen, 1 - t) >= 0.9
        assert scores.harmless_curve[cut] == enough
    assert (0 < scores.harmless_curve.sum() < 256) == (name == 'near')
    assert scores.kept == pytest.approx(overlap(m, t))
    assert scores.removed == pytest.approx(overlap(1 - m, 1 - t))
    assert scores.share == pytest.approx(m.mean())
    assert 0 <= scores.s <= 1


def square():
    truth = np.zeros((8, 8), np.uint8)
    truth[2:6, 2:6] = 255
    return truth


def test_perfect_mask():
    scores = score_mask(square(), square())
    assert (scores.f_curve[1:] == 1).all() and (scores.iou_curve[1:] == 1).all()
    assert scores.f_curve[0] < 0.5  # everything is >= 0
    for key in ('adaptive_f', 'adaptive_e', 'iou', 'kept', 'removed'):
        assert getattr(scores, key) == 1, key
    assert scores.s == pytest.approx(1) and scores.mae == 0
    assert scores.harmless and not scores.untouched


def test_a_soft_true_mask_is_harmless_to_itself():
    soft = ndimage.gaussian_filter(square(), 1.5)
    scores = score_mask(soft, soft)
    assert scores.kept == scores.removed == 1 and scores.harmless
    m = soft / 255
    assert (m * m).sum() / m.sum() < 0.9  # as a sum of products it would not be


def test_inverted_mask():
    scores = score_mask(255 - square(), square())
    assert scores.mae == 1 and scores.iou == scores.adaptive_f == 0
    assert scores.kept == scores.removed == 0 and not scores.harmless
    assert scores.s < 0.1 and scores.adaptive_e < 0.1


@pytest.mark.parametrize(
    ('level', 'mae', 'adaptive', 'iou', 'kept'),
    [
        (0, 0.25, True, 0, 0),  # the adaptive threshold is 0, so that an empty map is full
        (102, 0.45, False, 0, 0.4),  # 102/255 = 0.4 is not stretched, and below 2 * 0.4
        (204, 0.65, False, 0.25, 0.8),
        (255, 0.75, True, 0.25, 1),  # the adaptive threshold is cut at 1
    ],
)
def test_constant_mask(level, mae, adaptive, iou, kept):
    """16 of 64 pixels are foreground: a full map has precision 1/4 and recall 1."""
    scores = score_mask(np.full((8, 8), level, np.uint8), square())
    full = 1.3 * 0.25 / (0.3 * 0.25 + 1)
    assert scores.mae == pytest.approx(mae)
    assert scores.adaptive_f == pytest.approx(full if adaptive else 0)
    assert scores.f_curve.max() == pytest.approx(full)
    assert scores.iou == pytest.approx(iou)
    assert scores.kept == pytest.approx(kept)
    assert scores.removed == pytest.approx(1 - level / 255)
    assert not scores.harmless
    assert scores.untouched == (level in (0, 255))


@pytest.mark.parametrize(
    ('kept', 'leaked', 'harmless'), [(90, 10, True), (90, 11, False), (89, 10, False)]
)
def test_harmless_needs_both(kept, leaked, harmless):
    truth = np.zeros((20, 10), np.uint8)
    truth[:10] = 255
    mask = np.zeros_like(truth)
    mask[:10].ravel()[:kept] = 255
    mask[10:].ravel()[:leaked] = 255
    scores = score_mask(mask, truth)
    assert (scores.kept, scores.removed) == pytest.approx((kept / 100, 1 - leaked / 100))
    assert scores.harmless is harmless
    assert (scores.harmless_curve[1:] == harmless).all()  # the mask is hard


@pytest.mark.parametrize(('share', 'untouched'), [(4, True), (6, False), (94, False), (96, True)])
def test_untouched_outside_the_limits(share, untouched):
    mask = np.zeros((10, 10), np.uint8)
    mask.ravel()[:share] = 255
    assert score_mask(mask, mask).untouched is untouched


def test_limits_are_those_of_the_transforms():
    from bgaug_mm.datasets.transforms import BackgroundRemove, BackgroundSwap

    for op in (BackgroundSwap(), BackgroundRemove()):
        assert (op.min_foreground, op.max_foreground) == metrics.FOREGROUND_LIMITS


def test_s_measure_of_an_object_in_the_corner():
    """pysodmetrics alone says NaN: one of its four quarters about the centroid is empty."""
    truth = np.zeros((8, 8), np.uint8)
    truth[7, 7] = 255
    assert score_mask(truth, truth).s == pytest.approx(1)


def test_nothing_there_and_nothing_found():
    empty = np.zeros((4, 4), np.uint8)
    scores = score_mask(empty, empty)
    assert scores.iou == scores.kept == scores.removed == 1
    full = np.full((4, 4), 255, np.uint8)
    assert score_mask(full, empty).iou == 0
    assert score_mask(full, full).removed == 1


def test_arguments_are_not_written_into():
    mask, truth = masks()['blobs']
    mask.setflags(write=False)
    truth.setflags(write=False)
    score_mask(mask, truth)


def test_bad_masks():
    good = square()
    with pytest.raises(ValueError, match='one size, but got 8x7 and 8x8'):
        score_mask(good[:7], good)
    with pytest.raises(ValueError, match=r'`mask` must be \(H, W\) uint8, but got .* float64'):
        score_mask(good / 255, good)
    with pytest.raises(ValueError, match=r'`truth` must be .* \(8, 8, 3\)'):
        score_mask(good, np.dstack([good] * 3))
    with pytest.raises(ValueError, match='`mask` must be'):
        score_mask(good[:0], good[:0])


def test_without_pysodmetrics(monkeypatch):
    def missing(*modules):
        raise ImportError(f'{modules} not installed')

    monkeypatch.setattr(metrics, 'require_saliency', missing)
    with pytest.raises(ImportError, match='py_sod_metrics'):
        score_mask(square(), square())


def several(count=60):
    rng = np.random.default_rng(1)
    truth = square()
    return [
        score_mask(np.where(rng.random((8, 8)) < 0.3, noise, truth), truth)
        for noise in rng.integers(0, 256, (count, 8, 8), np.uint8)
    ]


def test_summary():
    scores = several()
    summary = summarise(scores)
    assert tuple(summary) == SUMMARY_KEYS
    for key in ('mae', 's', 'iou', 'kept', 'removed', 'harmless', 'untouched', 'adaptive_e'):
        values = [float(getattr(one, key)) for one in scores]
        value, low, high = summary[key]
        assert value == pytest.approx(np.mean(values)), key
        assert low <= value <= high, key
    # the field's maximum: of the mean curve, not the mean of maxima
    curves = np.stack([one.f_curve for one in scores])
    assert summary['max_f'].value == pytest.approx(curves.mean(0).max())
    assert summary['max_f'].value < curves.max(1).mean()
    iou = np.stack([one.iou_curve for one in scores]).mean(0)
    assert iou[best_thresholds(scores)['max_iou']] == pytest.approx(summary['max_iou'].value)
    faint = [score_mask(square() // 10, square())]  # 25: harmless once it is cut there
    assert best_thresholds(faint) == {'max_f': 1, 'max_e': 1, 'max_iou': 1, 'max_harmless': 1}
    assert summarise(faint)['harmless'].value == 0 < summarise(faint)['max_harmless'].value == 1


def test_intervals_are_those_of_the_normal_law():
    scores = several()
    values = [one.iou for one in scores]
    low, high = (
        2 * [np.mean(values)] + np.array([-1.96, 1.96]) * np.std(values) / len(values) ** 0.5
    )
    found = summarise(scores, resamples=4000)['iou']
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.1 * (high - low))


def test_resamples_are_the_same_for_all_estimators():
    scores = several(12)
    assert summarise(scores) == summarise(scores)
    assert summarise(scores, seed=1)['iou'] != summarise(scores)['iou']
    one = summarise(scores[:1])['iou']
    assert one.low == one.value == one.high


def test_differences_are_paired():
    scores = several(30)
    same = difference(scores, scores)
    assert all(found == (0, 0, 0) for found in same.values())
    worse = [replace(one, mae=one.mae + 0.25) for one in scores]
    value, low, high = difference(worse, scores)['mae']
    assert value == pytest.approx(0.25) and high - low < 1e-9  # the images' own spread is gone
    alone = summarise(scores)['mae']
    assert alone.high - alone.low > 0.01
    inverted = [score_mask(255 - square(), square())] * 30
    found = difference(scores, inverted)['iou']
    assert found.value == pytest.approx(summarise(scores)['iou'].value)
    with pytest.raises(ValueError, match='of the same images, but got 30 and 29'):
        difference(scores, scores[1:])


def test_bad_summaries():
    with pytest.raises(ValueError, match='no scores'):
        summarise([])
    with pytest.raises(ValueError, match='`resamples` must be at least 1, but got 0'):
        summarise(several(1), resamples=0)
