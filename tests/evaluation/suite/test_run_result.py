import numpy as np

from bgaug_mm.evaluation.measures import Measure
from bgaug_mm.evaluation.statistics import over_seeds
from bgaug_mm.evaluation.suite.run_result import RunResult


def test_a_failing_part_is_recorded_in_one_line_and_timed():
    run = RunResult(label='a', checkpoint='a.pth', data='w')
    with run.part('first'):
        raise ValueError('two\n  lines')
    with run.part('second'):
        raise KeyError
    with run.part('third'):
        assert run.scores, 'images of another size'  # as networks do
    with run.part('fourth'):
        pass
    assert run.skipped.pop('third').startswith('AssertionError: images of another size')
    assert run.skipped == {'first': 'two lines', 'second': 'KeyError'}
    assert set(run.seconds) == {'first', 'second', 'third', 'fourth'}


def test_means_and_estimates():
    run = RunResult(label='a', checkpoint='a.pth', data='w')
    run.measures['x'] = Measure(['0', '1'], np.array([0.0, 100.0]))
    run.scores['y'] = over_seeds([0.5])
    assert run.means == {'x': 50, 'y': 0.5}
    assert run.estimate('x').over == 'images'
    assert run.estimate('y') is run.scores['y']
    assert run.estimate('z') is None


def test_stored_and_read(tmp_path):
    run = RunResult(label='a', checkpoint='a.pth', data='w', skipped={'p': 'why'})
    run.measures['x.y'] = Measure(['ü', '1'], np.array([0.0, 100.0]))
    entry = run.save(tmp_path / 'predictions/0.npz')
    assert entry['predictions'] == 'predictions/0.npz'
    again = RunResult.load(entry, tmp_path)
    assert again.measures['x.y'].files == ['ü', '1']
    assert again.means == run.means and again.skipped == run.skipped
