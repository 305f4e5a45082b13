import math
import pickle

import pytest

from bgaug_mm.datasets.transforms.prob_schedule import ProbSchedule


def test_a_number_is_constant() -> None:
    for prob in (0.2, dict(type='constant', start=0.2), ProbSchedule.of(0.2)):
        schedule = ProbSchedule.of(prob)
        assert {schedule.at(p / 10) for p in range(11)} == {0.2}
    assert repr(ProbSchedule.of(0.2)) == '0.2'
    assert ProbSchedule.of(1).at(0.5) == 1


def test_linear() -> None:
    schedule = ProbSchedule.of(dict(type='linear', start=0.1, end=0.5))
    assert [schedule.at(p) for p in (0.0, 0.25, 1.0)] == pytest.approx([0.1, 0.2, 0.5])
    down = ProbSchedule.of(dict(type='linear', start=1.0, end=0.0, begin=0.5, until=0.75))
    assert [down.at(p) for p in (0.0, 0.5, 0.625, 0.75, 1.0)] == [1, 1, 0.5, 0, 0]


def test_cosine() -> None:
    schedule = ProbSchedule.of(dict(type='cosine', start=0.0, end=0.4, begin=0.2, until=0.8))
    for progress in (0.0, 0.2, 0.35, 0.5, 0.7, 0.8, 1.0):
        share = min(max((progress - 0.2) / 0.6, 0), 1)
        expected = 0.4 * (1 - math.cos(math.pi * share)) / 2
        assert schedule.at(progress) == pytest.approx(expected, abs=1e-12)
    assert schedule.at(0.5) == pytest.approx(0.2)


def test_a_step() -> None:
    schedule = ProbSchedule.of(dict(type='linear', start=0.0, end=0.3, begin=0.5, until=0.5))
    assert [schedule.at(p) for p in (0.0, 0.499, 0.5, 1.0)] == [0, 0, 0.3, 0.3]


def test_config_is_left_alone_and_it_travels() -> None:
    config = dict(type='linear', start=0.0, end=0.3)
    schedule = ProbSchedule.of(config)
    assert config == dict(type='linear', start=0.0, end=0.3)
    assert pickle.loads(pickle.dumps(schedule)) == schedule
    assert repr(schedule) == 'linear(0.0 to 0.3, from 0.0 until 1.0)'


@pytest.mark.parametrize(
    ('prob', 'message'),
    [
        (1.3, r'`prob` must be in \[0, 1\], but got 1.3'),
        (-0.1, r'`prob` must be in \[0, 1\], but got -0.1'),
        (None, r'`prob` must be in \[0, 1\], but got None'),
        ('0.2', r"`prob` must be in \[0, 1\], but got '0.2'"),
        (dict(type='linear', start=None, end=1), r'`prob.start` must be in \[0, 1\], but got N'),
        (dict(type='linear', start=0.1, end=2), r'`prob.end` must be in \[0, 1\], but got 2'),
        (dict(type='linear', start=-1, end=1), r'`prob.start` must be in \[0, 1\], but got -1'),
        (dict(type='linear', start=0.1), "`prob` of type 'linear' needs `end`"),
        (dict(type='constant', start=0.1, end=0.2), 'a constant `prob` has no `end`'),
        (dict(type='step', start=0.1), "`prob.type` must be one of .* but got 'step'"),
        (dict(type='linear', start=0, end=1, begin=0.6, until=0.5), 'got 0.6 and 0.5'),
        (dict(type='linear', start=0, end=1, until=1.5), 'got 0.0 and 1.5'),
        (dict(start=0.1), '`prob` must be a number or a dict of type, start'),
        (dict(type='linear', start=0, end=1, stop=1), '`prob` must be a number or a dict'),
    ],
)
def test_bad_schedules(prob, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ProbSchedule.of(prob)
