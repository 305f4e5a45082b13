import json

import numpy as np
import pytest

from bgaug_mm.evaluation.measures import Measure
from bgaug_mm.evaluation.predictions import SetPredictions, load_predictions
from bgaug_mm.evaluation.statistics import bootstrap, over_seeds, paired_difference
from bgaug_mm.evaluation.suite.results import Evaluation, read_runs, subtract_control
from bgaug_mm.evaluation.suite.run_result import RunResult

FILES = [f'{i}.png' for i in range(20)]


def run(label, share, data='w', **scores):
    """Right on the first images."""
    right = np.arange(20) < 20 * share
    answers = SetPredictions(FILES, np.ones(20, np.int64), right.astype(np.int64))
    return RunResult(
        label=label, checkpoint=f'{label}.pth', data=data, predictions={'original': answers},
        measures={'original': Measure(FILES, answers.correct)},
        scores={name: over_seeds([value]) for name, value in scores.items()},
        skipped={'attacks': 'no art'}, notes=['train: left out: x'], seconds={'train': 1.5},
    )  # fmt: skip


def test_one_seed_is_estimated_over_its_images():
    evaluation = Evaluation(suite='mini', runs=[run('a', 0.5, spread=0.9)])
    found = evaluation.estimate('a', 'original')
    assert found == bootstrap([np.where(np.arange(20) < 10, 100.0, 0.0)])
    assert str(evaluation.estimate('a', 'spread')) == '0.9 (1 seed)'
    assert evaluation.estimate('a', 'none') is None
    assert evaluation.over_both('a', 'original') is None
    assert evaluation.differences() == {}


def test_several_seeds_are_estimated_over_seeds_and_paired_by_data():
    runs = [
        run('a', 0.4, 'w0'), run('a', 0.5, 'w1'),
        run('b', 0.8, 'w1'), run('b', 0.6, 'w0'), run('b', 0.9, 'w2'),
    ]  # fmt: skip
    evaluation = Evaluation(suite='mini', runs=runs, base='a')
    assert evaluation.estimate('a', 'original') == over_seeds([40, 50])
    assert evaluation.difference('b', 'original') == paired_difference([80, 60], [50, 40])
    both = evaluation.over_both('b', 'original')
    assert (both.over, both.count) == ('seeds and images', 3)
    assert evaluation.difference('b', 'none') is None


def test_one_seed_each_is_paired_image_by_image():
    evaluation = Evaluation(suite='mini', runs=[run('a', 0.5), run('b', 0.75)], base='a')
    found = evaluation.difference('b', 'original')
    assert (found.mean, found.over) == (25, 'images')
    apart = np.hypot(*(one.high - one.low for one in (
        evaluation.estimate('a', 'original'), evaluation.estimate('b', 'original'))))  # fmt: skip
    assert found.high - found.low < apart
    other_data = Evaluation(suite='mini', runs=[run('a', 0.5, 'u'), run('b', 0.5, 'v')], base='a')
    assert other_data.differences() == {'b − a': {}}


def test_file_and_back(tmp_path):
    runs = [run('a', 0.5, spread=0.9), run('b/ü', 0.7), run('b/ü', 0.8)]
    path = Evaluation(suite='mini', runs=runs, base='a', settings={'k': 20}).save(tmp_path)
    content = json.loads(path.read_text(encoding='utf-8'))
    assert (content['format'], content['suite'], content['base']) == (1, 'mini', 'a')
    assert content['labels']['a']['original']['over'] == 'images'
    assert content['labels']['b/ü']['original']['bootstrap']['over'] == 'seeds and images'
    assert content['differences']['b/ü − a']['original']['mean'] == pytest.approx(20)
    assert content['runs'][0]['scores']['spread'] == {
        'mean': 0.9, 'low': None, 'high': None, 'std': None, 'count': 1, 'over': 'seeds',
    }  # fmt: skip
    stored = load_predictions(tmp_path / content['runs'][1]['predictions'])
    assert stored['original'].accuracy == 70

    again = read_runs(path)
    assert [one.means for one in again] == [one.means for one in runs]
    assert [one.label for one in again] == ['a', 'b/ü', 'b/ü']
    assert (again[0].skipped, again[0].notes) == (runs[0].skipped, runs[0].notes)
    assert again[0].measures['original'].files == FILES


def test_differences_over_seeds_and_images_too(tmp_path):
    runs = [run('a', 0.4), run('a', 0.5), run('b', 0.5), run('b', 0.7), run('c', 0.9)]
    evaluation = Evaluation(suite='mini', runs=runs, base='a')
    found = evaluation.difference_over_both('b', 'original')
    steps = [np.where((low <= np.arange(20)) & (np.arange(20) < high), 100.0, 0.0)
             for low, high in ((8, 10), (10, 14))]  # fmt: skip
    assert found == bootstrap(steps, shared=True) != bootstrap(steps)
    assert evaluation.difference_over_both('c', 'original') is None
    content = json.loads(evaluation.save(tmp_path).read_text(encoding='utf-8'))
    both = content['differences']['b − a']['original']['bootstrap']
    assert both['over'] == 'seeds and images' and both['mean'] == pytest.approx(15)
    assert 'bootstrap' not in content['differences']['c − a']['original']


def test_figures_of_other_images_are_not_compared():
    runs = [run('a', 0.4), run('a', 0.5), run('b', 0.5), run('b', 0.7)]
    for one in runs[2:]:  # another network's: attacked on another set
        one.measures['original'] = Measure([f'x/{file}' for file in FILES], np.ones(20))
    evaluation = Evaluation(suite='imagenet', runs=runs, base='a')
    assert evaluation.difference('b', 'original') is None
    assert evaluation.difference_over_both('b', 'original') is None


def test_other_files_are_refused(tmp_path):
    path = tmp_path / 'results.json'
    for text, message in (
        ('{', 'is not JSON'),
        ('[]', 'has the format list, but this version reads 1'),
        ('{"format": 7}', 'has the format 7'),
        ('{"format": 1}', "lacks 'runs'"),
        ('{"format": 1, "runs": [{"label": "a"}]}', "lacks 'predictions'"),
    ):
        path.write_text(text)
        with pytest.raises(ValueError, match=message):
            read_runs(path)
    Evaluation(suite='mini', runs=[run('a', 0.5)]).save(tmp_path)
    (tmp_path / 'predictions/0_a.npz').unlink()
    with pytest.raises(FileNotFoundError, match='no predictions at .*0_a.npz'):
        read_runs(path)
    with pytest.raises(FileNotFoundError):
        read_runs(tmp_path / 'none.json')


def test_a_folder_named_in_two_ways_is_one(tmp_path):
    runs = [run('a', 0.5, f'{tmp_path}/w'), run('b', 0.75, f'{tmp_path}/x/../w/')]
    (tmp_path / 'x').mkdir()
    assert Evaluation(suite='mini', runs=runs, base='a').difference('b', 'original').mean == 25


def gap_run(label, values, data='w'):
    made = run(label, 0.5, data)
    made.measures['bg_gap'] = Measure([str(i) for i in range(len(values))], np.array(values))
    return made


def test_the_gap_of_the_control_is_subtracted():
    plain, swap = (
        gap_run('plain', [100.0, 0.0, 0.0, 100.0]),
        gap_run('swap', [0.0, 0.0, 0.0, 100.0]),
    )
    control = gap_run('control', [100.0, 0, 0, 0, -100.0, 0, 0, 0, 100.0, 0], 'v')
    evaluation = Evaluation(
        suite='mini', runs=[plain, swap, control], base='plain', control='control'
    )
    subtract_control(evaluation.runs, 'control')
    assert plain.means['net_gap'] == pytest.approx(50 - 10)
    assert 'net_gap' not in control.means
    # between two that share their control it cancels, image by image
    net, raw = (evaluation.difference('swap', name) for name in ('net_gap', 'bg_gap'))
    assert net.mean == pytest.approx(raw.mean) == -25
    assert list(evaluation.differences()) == ['swap − plain']
    # the variance of its mean is the sum of the two
    values = plain.measures['net_gap'].values
    parts = [run.measures['bg_gap'].values for run in (plain, control)]
    assert values.var() / len(values) == pytest.approx(sum(p.var() / len(p) for p in parts))


def test_controls_pair_with_seeds_in_order():
    runs = [gap_run('a', [10.0], 'w0'), gap_run('a', [20.0], 'w1'),
            gap_run('c', [1.0], 'v0'), gap_run('c', [2.0], 'v1')]  # fmt: skip
    subtract_control(runs, 'c')
    assert [run.means['net_gap'] for run in runs[:2]] == [9, 18]
    with pytest.raises(ValueError, match='a has more runs than the 2 controls'):
        subtract_control([*runs, gap_run('a', [1.0], 'w2')], 'c')
    with pytest.raises(ValueError, match="label of the control, 'none'"):
        subtract_control(runs, 'none')


def test_a_run_whose_own_control_failed_has_no_net_gap():
    runs = [gap_run('a', [10.0], 'w0'), gap_run('a', [20.0], 'w1'),
            run('c', 0.5, 'v0'), gap_run('c', [2.0], 'v1')]  # fmt: skip
    subtract_control(runs, 'c')
    assert 'net_gap' not in runs[0].means and runs[1].means['net_gap'] == 18
    assert runs[0].skipped['net_gap'] == 'its control c.pth has no BG-Gap'
    assert 'net_gap' not in runs[1].skipped
