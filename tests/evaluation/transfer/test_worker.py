import json
import signal
import subprocess
import sys
import time

import pytest

from bgaug_mm.evaluation.transfer import worker
from bgaug_mm.files import write_json

LOG = [
    {'loss': 2.0, 'time': 3.0, 'step': 10},
    {'loss': 1.0, 'time': 3.0, 'step': 20},
    {'pascal_voc/AP': 12.5, 'time': 0.1, 'data_time': 0.1, 'step': 0},
]


@pytest.fixture
def job(tmp_path):
    """A command that writes a training's log."""

    def make(rows=LOG, metrics=True, code=''):
        log = tmp_path / 'work_dir/now/vis_data/scalars.json'
        text = ''.join(json.dumps(row) + '\n' for row in rows)
        code += (
            f'; import pathlib; p = pathlib.Path({str(log)!r}); p.parent.mkdir(parents=True)'
            f'; p.write_text({text!r})'
        )
        values = {
            'command': [sys.executable, '-c', code.removeprefix('; ')],
            'folder': str(tmp_path), 'metrics': metrics, 'started': time.time(),
        }  # fmt: skip
        write_json(tmp_path / 'job.json', values)
        return str(tmp_path / 'job.json')

    return make


def result(tmp_path):
    return json.loads((tmp_path / 'result.json').read_text())


def test_what_the_last_evaluation_found(job, tmp_path):
    path, handler = job(), signal.getsignal(signal.SIGTERM)
    assert worker.main([path]) == 0
    assert signal.getsignal(signal.SIGTERM) == handler, 'else children of this process never end'
    assert result(tmp_path)['metrics'] == {'pascal_voc/AP': 12.5}
    assert result(tmp_path)['minutes'] == 1.0
    assert 60 <= result(tmp_path)['seconds'] < 90
    assert worker.main([path]) == 0, 'the folders are there: run again, it would fail'


def test_a_pre_training_has_no_ap(job, tmp_path):
    assert worker.main([job(LOG[:2], metrics=False)]) == 0
    assert 'metrics' not in result(tmp_path)


def test_metrics_of_a_test(job, tmp_path):
    path = job(
        [],
        code=f'open({str(tmp_path / "metrics.json")!r}, "w").write(\'{{"coco/bbox_mAP": 0.5}}\')',
    )
    assert worker.main([path]) == 0
    assert result(tmp_path)['metrics'] == {'coco/bbox_mAP': 0.5}
    assert 'minutes' not in result(tmp_path)


@pytest.mark.parametrize(
    ('rows', 'told'),
    [(LOG[:2], 'gave nothing, none of pascal_voc/AP'), ([{'accuracy/top1': 3.0}], 'gave accuracy')],
)
def test_no_ap_is_a_failure(job, tmp_path, capsys, rows, told):
    assert worker.main([job(rows)]) == 1
    assert told in capsys.readouterr().err
    assert not (tmp_path / 'result.json').exists()


def test_a_failing_command_gives_its_status(job, tmp_path):
    assert worker.main([job(code='raise SystemExit(3)')]) == 3
    assert not (tmp_path / 'result.json').exists()


def test_the_command_ends_with_the_worker(job, tmp_path):
    started = tmp_path / 'started'
    code = f'open({str(started)!r}, "w"); import time; time.sleep(60)'
    command = [sys.executable, '-m', worker.__name__, job(code=code)]
    process = subprocess.Popen(command)
    end = time.time() + 60
    while not started.exists():
        assert time.time() < end and process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) != 0
    assert not (tmp_path / 'work_dir').exists()
