import json
import os
import runpy
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools/evaluation/study.py'
MAKE = 'make_digits_on_photos.py {out} --seed {seed} --rho {rho} --per-class 8 --test-per-class 2'
STUDY = {
    'config': 'bgaug_mm::demo/{method}_{world}.py',
    'epochs': 2,
    'options': {
        'train_dataloader.num_workers': 0,
        'train_dataloader.persistent_workers': False,
        'train_dataloader.batch_size': 16,
    },
    'worlds': {'digits': {'make': MAKE, 'uniform': 0.1}},
    'methods': {'simclr': {'seeds': 1}},
    'arms': {'plain': {}, 'swap': {'op': 'background_swap_strong'}, 'untrained': {'epochs': 0}},
}


@pytest.fixture(scope='module')
def tool():
    return runpy.run_path(str(TOOL))['main']


@pytest.fixture
def study(tmp_path):
    def write(**changes):
        path = tmp_path / 'study.yml'
        path.write_text(yaml.safe_dump({**STUDY, **changes}, sort_keys=False))
        return str(path)

    return write


def test_from_nothing_to_the_table(tool, study, tmp_path, capsys, monkeypatch):
    """Made, trained, probed and shown; nothing is done twice; what failed is said."""
    name, out = study(), tmp_path / 'out'
    only = ['--only', '*/swap']
    assert tool([name, str(out), '--list', *only]) == 0
    assert '0 of 2 done; ' in capsys.readouterr().out
    assert not out.exists()

    assert tool([name, str(out), '--jobs', '2', *only]) == 0
    assert '| simclr | swap | 1 |' in capsys.readouterr().out
    results = json.loads((out / 'results.json').read_text())
    assert set(results['runs']) == {'digits/simclr/swap/0'}
    scores = results['runs']['digits/simclr/swap/0']
    assert scores['bg_gap'] == scores['mixed_same'] - scores['mixed_rand']
    assert 0 < scores['projection_spread'] <= 150 and scores['minutes'] > 0
    assert '| simclr | swap | 1 |' in (out / 'results.md').read_text()
    assert (out / 'study.png').is_file()
    (folder,) = out.glob('runs/digits-simclr-swap-0-*/work_dir')
    assert [path.name for path in folder.glob('*.pth')] == ['epoch_2.pth']

    elsewhere, known = tmp_path / 'elsewhere', ['--known', str(out / 'results.json')]
    assert tool([name, str(elsewhere), *only, *known]) == 0, 'nothing is left to make'
    assert not (elsewhere / 'runs').exists()
    assert json.loads((elsewhere / 'results.json').read_text()) == results
    assert tool([name, str(elsewhere), '--list', *known]) == 0
    assert f'1 more are known from {out / "results.json"}' in capsys.readouterr().out

    stamp = (folder.parent / 'result.json').stat().st_mtime_ns
    assert tool([name, str(out), *only]) == 0
    assert tool([name, str(out), '--table']) == 0
    assert (folder.parent / 'result.json').stat().st_mtime_ns == stamp
    (plain,) = [job for job in tool.__globals__['plan'](
        tool.__globals__['read_study'](name), out, ROOT / 'tools'
    ) if job.run and job.run.arm == 'plain']  # fmt: skip
    plain.failed.write_text('why')
    tool([name, str(out), '--list'])
    listed = capsys.readouterr().out
    assert 'FAILED' in listed and '  done ' in listed
    monkeypatch.setitem(
        tool.__globals__, 'work_alone', lambda out, jobs, **options: {'plain': 'no\nspace'}
    )
    assert tool([name, str(out)]) == 1
    assert capsys.readouterr().err == 'plain: no\n'


def test_bad_input(tool, study, tmp_path):
    name, out = study(), str(tmp_path / 'out')
    with pytest.raises(ValueError, match='neither a file nor a preset'):
        tool(['nothing', out])
    with pytest.raises(ValueError, match='`--jobs` must be at least 1, but got 0'):
        tool([name, out, '--jobs', '0'])
    with pytest.raises(ValueError, match="no run fits 'x'"):
        tool([name, out, '--only', 'x'])
    with pytest.raises(ValueError, match='`--known x.json` cannot be read'):
        tool([name, out, '--known', 'x.json'])
    with pytest.raises(ValueError, match='out has no results yet'):
        tool([name, out, '--table'])
    with pytest.raises(ValueError, match='needs its material: --source cutouts=FOLDER'):
        tool(['background', out, '--only', 'cutouts/*/0'])
    with pytest.raises(ValueError, match='`--source a=b/c`|the worlds are digits'):
        tool([name, out, '--source', 'a=b/c'])


def test_one_at_a_time(tool, study, tmp_path):
    from bgaug_mm.files import lock

    out = tmp_path / 'out'
    out.mkdir()
    with open(out / '.lock', 'ab') as file:
        if not lock(file):
            pytest.skip('no locks here')
        with pytest.raises(ValueError, match='another command works in .*out'):
            tool([study(), str(out)])


@pytest.mark.slow
@pytest.mark.parametrize('how', [signal.SIGTERM, signal.SIGKILL], ids=['term', 'kill'])
def test_interrupted_and_continued(study, tmp_path, how):
    """Ended while it trains: what goes on is what would have been."""
    name = study(epochs=6, arms={'plain': {}})
    command = [sys.executable, str(TOOL), name]
    env = {**os.environ, 'OMP_NUM_THREADS': '1'}
    out = tmp_path / 'out'
    with open(tmp_path / 'log', 'wb') as log:
        process = subprocess.Popen([*command, str(out)], env=env, stdout=log, stderr=log)
        end = time.time() + 240
        while not list(out.glob('runs/*/work_dir/last_checkpoint')):
            assert time.time() < end and process.poll() is None, (tmp_path / 'log').read_text()
            time.sleep(0.2)
        process.send_signal(how)
        assert process.wait(60) != 0
    assert not list(out.glob('runs/*/result.json')) or how == signal.SIGKILL
    for folder in (out, tmp_path / 'whole'):
        subprocess.run([*command, str(folder)], env=env, check=True, capture_output=True)
    first, second = (
        json.loads((folder / 'results.json').read_text())['runs']['digits/simclr/plain/0']
        for folder in (out, tmp_path / 'whole')
    )
    for key in ('original', 'mixed_rand', 'knn_mixed_rand', 'spread'):
        assert first[key] == pytest.approx(second[key]), key
