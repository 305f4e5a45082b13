import json
import runpy
from pathlib import Path

import pytest

from bgaug_mm.environment import require_detection

TOOL = Path(__file__).resolve().parents[2] / 'tools/evaluation/detection_trials.py'


@pytest.fixture
def tool(monkeypatch):
    """The command; stands in for mmdet, which its bad input does not need."""
    main = runpy.run_path(str(TOOL))['main']
    monkeypatch.setitem(main.__globals__, 'require_detection', lambda: None)
    return main


@pytest.fixture
def given(tmp_path):
    """OUT, a config, and weights."""
    (tmp_path / 'detector_x.py').write_text('train_cfg = dict(max_iters=2)\n')
    return [
        str(tmp_path / 'out'), '--configs', str(tmp_path / 'detector_x.py'), '--weights', 'random'
    ]  # fmt: skip


def test_bad_input(tool, given, tmp_path):
    out = given[0]
    for argv, message in (
        ([out], 'name `--configs` and `--weights`, or `--mini`'),
        ([out, '--configs', 'x'], 'name `--configs` and `--weights`, or `--mini`'),
        (
            [out, '--mini', '--gpus', '2', '--amp'],
            '`--mini` brings its own: leave out --gpus, --amp',
        ),
        ([*given, '--quick'], '`--quick` is for `--mini`'),
        ([*given, '--trials', '0'], '`--trials` must be at least 1, but got 0'),
        ([*given, '--jobs', '0'], '`--jobs` must be at least 1, but got 0'),
        ([*given, '--gpus', '-1'], '`--gpus` must be at least 0, but got -1'),
        ([*given, '--table'], 'out has no results yet'),
    ):
        with pytest.raises(ValueError, match=message):
            tool(argv)
    assert not Path(out).exists()


def test_mmdet_is_missing_is_said_first(monkeypatch, given):
    main = runpy.run_path(str(TOOL))['main']

    def require():
        raise ImportError('make detection')

    monkeypatch.setitem(main.__globals__, 'require_detection', require)
    with pytest.raises(ImportError, match='make detection'):
        main(given)


def test_what_is_there_is_tabulated(tool, given, tmp_path, capsys, monkeypatch):
    def work(out, jobs, *, parallel, env, finished):
        assert parallel == 1 and 'OMP_NUM_THREADS' not in env
        for job in jobs[:2]:
            job.folder.mkdir(parents=True)
            value = 30.0 + job.run.seed
            job.done.write_text(json.dumps({'metrics': {'pascal_voc/AP': value}, 'seconds': 60}))
            finished(job)
        return {jobs[2].name: 'no\nspace'}

    monkeypatch.setitem(tool.__globals__, 'work_alone', work)
    assert tool([*given, '--trials', '3', '--list']) == 0
    assert '0 of 3 done' in capsys.readouterr().out
    assert tool([*given, '--trials', '3']) == 1
    said = capsys.readouterr()
    assert '| random | 2 | 30.5 ± 0.7 |' in said.out
    assert said.err == 'detector_x/random/2: no\n'
    out = tmp_path / 'out'
    assert {path.name for path in out.iterdir()} >= {'results.json', 'results.md', 'results.png'}
    assert tool([*given, '--trials', '3', '--table']) == 0
    assert tool([*given, '--trials', '3', '--list']) == 0
    assert '2 of 3 done' in capsys.readouterr().out


def test_one_at_a_time(tool, given, tmp_path):
    from bgaug_mm.files import lock

    (tmp_path / 'out').mkdir()
    with open(tmp_path / 'out/.lock', 'ab') as file:
        if not lock(file):
            pytest.skip('no locks here')
        with pytest.raises(ValueError, match='another command works in .*out'):
            tool(given)


@pytest.mark.slow
def test_from_nothing_to_the_table(tmp_path):
    """--mini in its quick form: worlds, pre-training, both detectors, the table."""
    try:
        require_detection()
    except ImportError as error:
        pytest.skip(str(error))
    main = runpy.run_path(str(TOOL))['main']
    assert main([str(tmp_path), '--mini', '--quick', '--trials', '1']) == 0
    content = json.loads((tmp_path / 'results.json').read_text())
    assert len(content['trials']) == 8
    assert {'AP', 'AP50', 'AP75', 'minutes'} == set(
        content['trials']['faster-rcnn_tiny-c4_digits/byol/0']
    )
    assert {'box AP', 'mask AP'} < set(content['trials']['mask-rcnn_tiny-fpn_digits/random/0'])
