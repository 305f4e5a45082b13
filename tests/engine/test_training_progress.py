import sys
import time

import pytest

from bgaug_mm.engine import training_progress
from bgaug_mm.engine.training_progress import follow
from bgaug_mm.engine.training_run import TrainingRun

STEP = 'Epoch(train)  [1][ 2/4]  lr: 1e-3  eta: 0:00:08  loss: 2.5'


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(training_progress, '_LOOK_EVERY', 0.05)
    monkeypatch.setattr(training_progress, '_PRINT_EVERY', 0.1)


def run(tmp_path, name, seconds=0.3, status=0):
    code = f'import sys, time; print({STEP!r}, flush=True); time.sleep({seconds})'
    return TrainingRun(
        [sys.executable, '-c', f'{code}; sys.exit({status})'], log=tmp_path / name, epochs=2
    )


def test_both_run_and_progress_is_printed(tmp_path, capsys):
    runs = {'one': run(tmp_path, 'one'), 'two': run(tmp_path, 'two')}
    calls = []
    follow(runs, jobs=2, started=time.time() - 7, meanwhile=lambda: calls.append(1))
    out = capsys.readouterr().out
    assert calls == [1]
    assert 'First training steps after 7 s' in out or 'First training steps after 8 s' in out
    assert 'one 0.5/2 epochs loss 2.5' in out
    assert 'left' in out
    assert 'one 2.0/2 epochs loss 2.5 | two 2.0/2 epochs loss 2.5 | 100 %, 0:00 left' in out


def test_one_at_a_time(tmp_path):
    runs = {name: run(tmp_path, name) for name in ('one', 'two', 'three')}
    most, poll = [], TrainingRun.poll

    def counting(training):
        most.append(sum(r.process is not None and r.process.poll() is None for r in runs.values()))
        return poll(training)

    for training in runs.values():
        training.poll = counting.__get__(training)
    follow(runs, jobs=1, started=0)
    assert max(most) == 1
    assert [training.done for training in runs.values()] == [1, 1, 1]


def test_a_failure_ends_the_others_and_shows_the_log(tmp_path):
    runs = {'good': run(tmp_path, 'good', seconds=60), 'bad': run(tmp_path, 'bad', status=3)}
    with pytest.raises(RuntimeError, match=r'training bad failed with status 3') as caught:
        follow(runs, jobs=2, started=0)
    assert 'loss: 2.5' in str(caught.value)
    assert runs['good'].process.poll() is not None


def test_an_interruption_ends_all(tmp_path):
    runs = {'one': run(tmp_path, 'one', seconds=60)}

    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        follow(runs, jobs=1, started=0, meanwhile=interrupt)
    assert runs['one'].process.poll() is not None


def test_time_left_counts_runs_that_have_not_begun(tmp_path):
    runs = {name: run(tmp_path, name, seconds=60) for name in ('one', 'two')}
    assert training_progress._left(runs, 1) == 'starting'
    first = runs['one']
    first.start()
    try:
        assert training_progress._left(runs, 1) == 'starting'
        first._take('Epoch(train)  [1][4/4]  eta: 0:01:40  loss: 1')
        # 100 s for the second half, so 200 s for the other run
        assert training_progress._left(runs, 1) in ('5:00 left', '4:59 left')
    finally:
        first.stop()
