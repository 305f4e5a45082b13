import sys
import time

import pytest

from bgaug_mm.engine.training_run import TrainingRun, train_command

LINE = (
    '11/21 19:30:57 - mmengine - INFO - Epoch(train)  [{}][ {}/12]  lr: 1.9e-03  '
    'eta: {}  time: 0.7  loss: {}  feature_std: 0.9'
)


def run(tmp_path, code, **options):
    return TrainingRun(
        [sys.executable, '-c', code], log=tmp_path / 'a' / 'train.log', epochs=4, **options
    )


def finish(training):
    training.start()
    while training.poll() is None:
        time.sleep(0.02)
    return training.process.returncode


def test_progress_is_read_from_the_log(tmp_path):
    training = run(tmp_path, '')
    training._take('Epoch(val) [1][3/4]')
    assert training.first_step is None
    assert training.seconds_left() is None
    training._take(LINE.format(2, 6, '0:01:40', '3.25'))
    assert training.done == pytest.approx((1 + 0.5) / 4)
    assert training.loss == '3.25'
    assert training.seconds_left() == pytest.approx(100, abs=1)
    assert training.first_step == pytest.approx(time.time(), abs=1)
    training._take(LINE.format(3, 12, '1 day, 2:00:00', 'nan'))
    assert training.seconds_left() == pytest.approx(26 * 3600, abs=1)
    assert training.done == pytest.approx(3 / 4)


def test_progress_by_iterations(tmp_path):
    training = run(tmp_path, '')
    line = '11/22 09:30:57 - mmengine - INFO - Iter(train) [  {}/24000]  lr: 2e-02  '
    training._take(line.format(6000) + 'eta: 5:00:00  loss: 1.25')
    assert training.done == pytest.approx(0.25)
    assert training.loss == '1.25'
    assert training.seconds_left() == pytest.approx(5 * 3600, abs=1)


def test_a_whole_run(tmp_path):
    code = f'import os; print({LINE.format(1, 4, "0:00:09", "1.5")!r}, os.environ["EXTRA"])'
    training = run(tmp_path, code, env={'EXTRA': 'given'})
    assert training.poll() is None
    assert finish(training) == 0
    assert training.done == 1
    assert training.seconds_left() == 0
    assert training.loss == '1.5'
    assert training.tail().endswith('given')


def test_what_an_earlier_run_logged_is_kept_but_not_read(tmp_path):
    (tmp_path / 'a').mkdir()
    (tmp_path / 'a/train.log').write_text(LINE.format(4, 12, '0:00:00', '9') + '\n')
    training = run(tmp_path, 'print("new")')
    assert finish(training) == 0
    assert training.loss == ''
    assert '[4][ 12/12]' in training.tail()
    assert training.tail(1) == 'new'


def test_a_line_in_two_pieces(tmp_path):
    line = LINE.format(1, 6, '0:00:09', '1.5')
    code = (
        'import sys, time\n'
        f'sys.stdout.write({line[:60]!r}); sys.stdout.flush(); time.sleep(.3)\n'
        f'print({line[60:]!r}, flush=True); sys.exit(3)'
    )
    training = run(tmp_path, code)
    assert finish(training) == 3
    assert training.done == pytest.approx(0.125)


def test_stop_ends_the_process(tmp_path):
    training = run(tmp_path, 'import time; time.sleep(60)')
    training.start()
    training.stop()
    assert training.process.returncode is not None
    training.stop()  # twice does no harm


def test_tail_without_a_log(tmp_path):
    assert run(tmp_path, '').tail() == ''


def test_train_command(tmp_path):
    command = train_command(tmp_path / 'train.py', tmp_path / 'c.py', '--resume')
    assert command == [
        sys.executable,
        str(tmp_path / 'train.py'),
        str(tmp_path / 'c.py'),
        '--resume',
    ]
