import json
import math

import numpy as np
import pytest
import scipy.stats

from bgaug_mm.evaluation.statistics import Estimate, bootstrap, over_seeds, paired_difference


def test_over_seeds_is_students_interval():
    values = [60.0, 64.0, 71.0]
    found = over_seeds(values)
    low, high = scipy.stats.t.interval(0.95, 2, loc=np.mean(values), scale=scipy.stats.sem(values))
    assert (found.mean, found.count, found.over) == (65, 3, 'seeds')
    assert found.std == pytest.approx(math.sqrt((25 + 1 + 36) / 2))
    assert (found.low, found.high) == pytest.approx((low, high))
    # by hand: t(0.975, 1) = tan(0.475 pi), two values at distance 2: deviation √2, error 1
    two = over_seeds([9.0, 11.0])
    assert (two.low, two.high) == pytest.approx((10 - 12.7062, 10 + 12.7062), abs=1e-3)
    narrow = over_seeds(values, level=0.5)
    assert found.low < narrow.low < narrow.high < found.high


def test_one_seed_has_no_interval_and_says_so():
    one = over_seeds([12.34])
    assert str(one) == '12.3 (1 seed)'
    assert math.isnan(one.low) and math.isnan(one.std) and not one.clear
    assert one.to_json() == {
        'mean': 12.34, 'low': None, 'high': None, 'std': None, 'count': 1, 'over': 'seeds',
    }  # fmt: skip


def test_json_round_trip_and_text():
    found = over_seeds([1.0, 2.0, 4.0])
    assert Estimate.from_json(json.loads(json.dumps(found.to_json()))) == found
    again = Estimate.from_json(over_seeds([3.0]).to_json())
    assert again.mean == 3 and math.isnan(again.high)
    assert str(over_seeds([10.0, 10.0])) == '10.0 (10.0–10.0)'


def test_paired_difference_is_the_paired_t_test():
    base, treated = [30.0, 34.0, 26.0, 31.0], [41.0, 47.0, 36.0, 44.0]
    found = paired_difference(treated, base)
    interval = scipy.stats.ttest_rel(treated, base).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    assert found.clear and not paired_difference(base, base).clear
    # far narrower than the seeds' own scatter
    assert found.high - found.low < over_seeds(base).high - over_seeds(base).low
    with pytest.raises(ValueError, match='the same seeds, but got 1 and 2 values'):
        paired_difference([1.0], [1.0, 2.0])


def test_bootstrap_of_one_seed_is_over_images():
    images = np.where(np.arange(400) < 300, 100.0, 0.0)
    found = bootstrap([images])
    error = 100 * math.sqrt(0.75 * 0.25 / 400)
    assert (found.mean, found.count, found.over) == (75, 400, 'images')
    assert found.low == pytest.approx(75 - 1.96 * error, abs=0.6)
    assert found.high == pytest.approx(75 + 1.96 * error, abs=0.6)
    assert found == bootstrap([images])
    assert found != bootstrap([images], seed=1)


@pytest.mark.parametrize('shared', [False, True])
def test_bootstrap_over_seeds_and_images_has_both_variances(shared):
    rng = np.random.default_rng(0)
    level = rng.normal(50, 4, 40)
    values = [100 * (rng.random(50) < one / 100) for one in level]
    found = bootstrap(values, shared=shared, resamples=4000)
    means = np.array([one.mean() for one in values])
    assert found.mean == pytest.approx(means.mean())
    assert (found.over, found.count) == ('seeds and images', 40)
    # variance of a resample's mean, in closed form
    over_seeds_part = means.var() / 40
    if shared:
        table = np.stack(values)
        centred = table - table.mean(1, keepdims=True)
        covariance = centred @ centred.T / 50  # of the images' values, between seeds
        pairs = (covariance.sum() / 40**2) * (1 - 1 / 40) + np.trace(covariance) / 40 / 40
        within = pairs / 50
    else:
        within = np.mean([one.var() for one in values]) / 50 / 40
    expected = 2 * 1.96 * math.sqrt(over_seeds_part + within)
    assert found.high - found.low == pytest.approx(expected, rel=0.06)


def test_shared_images_do_not_average_out_over_seeds():
    rng = np.random.default_rng(1)
    difficulty = 100.0 * (rng.random(60) < 0.5)  # the same answers by every seed
    values = [difficulty] * 20
    apart, shared = bootstrap(values), bootstrap(values, shared=True)
    assert shared.high - shared.low == pytest.approx(
        math.sqrt(20) * (apart.high - apart.low), rel=0.15
    )


def test_chunks_change_nothing(monkeypatch):
    values = [np.arange(30.0), np.arange(30.0) ** 2]
    whole = [bootstrap(values, shared=shared, resamples=50) for shared in (False, True)]
    monkeypatch.setattr('bgaug_mm.evaluation.statistics._CHUNK', 100)
    assert [bootstrap(values, shared=shared, resamples=50) for shared in (False, True)] == whole


def test_coverage_of_both_intervals():
    rng = np.random.default_rng(2)
    seeds, images, tries = 4, 200, 400
    over, within = 0, 0
    for _ in range(tries):
        levels = np.clip(rng.normal(0.7, 0.05, seeds), 0, 1)
        values = [100.0 * (rng.random(images) < one) for one in levels]
        interval = over_seeds([float(one.mean()) for one in values])
        over += interval.low <= 70 <= interval.high
        one = bootstrap(values[:1], resamples=200)
        within += one.low <= 100 * levels[0] <= one.high
    for found in (over, within):  # standard error of a share of .95 in 400 tries: .011
        assert 0.91 <= found / tries <= 0.98


def test_bad_input():
    for call in (
        lambda: over_seeds([]),
        lambda: over_seeds([1.0, math.nan]),
        lambda: bootstrap([[]]),
        lambda: bootstrap([[1.0], [math.inf]]),
    ):
        with pytest.raises(ValueError, match='`values` must be finite numbers, at least one'):
            call()
    with pytest.raises(ValueError, match='at least one seed'):
        bootstrap([])
    with pytest.raises(ValueError, match='`level` must be in \\(0, 1\\), but got 95'):
        over_seeds([1.0, 2.0], level=95)
    with pytest.raises(ValueError, match='`resamples` must be at least 1, but got 0'):
        bootstrap([[1.0]], resamples=0)
    with pytest.raises(ValueError, match=r'equally many, but got \[1, 2\]'):
        bootstrap([[1.0], [1.0, 2.0]], shared=True)
