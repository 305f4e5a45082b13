import json
import time

import pytest

from bgaug_mm.evaluation.study import worker as study_worker
from bgaug_mm.files import lock, write_json


@pytest.fixture
def job(tmp_path):
    """Masks to be made, which is the quickest job."""
    done = tmp_path / 'masks.json'
    values = {
        'task': 'masks', 'world': str(tmp_path), 'folder': str(tmp_path / 'masks'),
        'done': str(done), 'edit': {'erode': 1}, 'seed': 3, 'started': time.time(),
    }  # fmt: skip
    write_json(tmp_path / 'job.json', values)
    return tmp_path / 'job.json', done


def test_masks(job, monkeypatch):
    path, done = job
    asked = []

    def make(world, out, edit, *, seed):
        asked.append((out.name, edit, seed))
        return {'iou': 50.0}

    monkeypatch.setattr(study_worker, 'make_masks', make)
    assert study_worker.main([str(path)]) == 0
    content = json.loads(done.read_text())
    assert content['iou'] == 50 and 0 <= content['seconds'] < 60
    assert study_worker.main([str(path)]) == 0
    assert asked == [('masks', {'erode': 1}, 3)], 'nothing is done twice'


def test_a_job_that_another_process_is_at_is_waited_for(job, monkeypatch):
    path, done = job
    other = open(f'{done}.lock', 'ab')  # noqa: SIM115  (closed in between)
    waited = []

    def sleep(seconds):
        assert not done.exists()
        waited.append(seconds)
        if len(waited) == 2:  # the other ends, with its result
            done.write_text('{}')
            other.close()

    if not lock(other):
        pytest.skip('no locks here')
    monkeypatch.setattr(study_worker.time, 'sleep', sleep)
    assert study_worker.main([str(path)]) == 0
    assert len(waited) == 2 and done.read_text() == '{}'


def test_a_failing_training_gives_its_status(job, tmp_path, monkeypatch):
    path, done = job
    (tmp_path / 'config.py').write_text('train_cfg = dict(max_epochs=2)\n')
    (tmp_path / 'work_dir').mkdir()
    (tmp_path / 'work_dir/epoch_2.pth').write_bytes(b'cut short')
    values = json.loads(path.read_text())
    values.update(task='run', config=str(tmp_path / 'config.py'), train=True, folder=str(tmp_path),
                  run={})  # fmt: skip
    write_json(path, values)
    asked = []
    monkeypatch.setattr(study_worker.launch, 'main', lambda argv: asked.append(argv) or 2)
    assert study_worker.main([str(path)]) == 2
    assert asked[0][0] == 'train' and asked[0][-1] == '--resume'
    assert not done.exists()


def test_random_weights_are_evaluated(job, tmp_path, monkeypatch):
    path, done = job
    (tmp_path / 'config.py').write_text('model = dict(type="x")\n')
    values = json.loads(path.read_text())
    values.update(task='run', config=str(tmp_path / 'config.py'), train=False, run={'arm': 'u'})
    write_json(path, values)
    monkeypatch.setattr(study_worker, 'build_frozen_backbone', lambda config, seed: ('net', seed))
    monkeypatch.setattr(
        study_worker, 'evaluate_backbone', lambda net, world: {'original': float(net[1])}
    )
    assert study_worker.main([str(path)]) == 0
    content = json.loads(done.read_text())
    assert content['scores'] == {'original': 3.0} and content['run'] == {'arm': 'u'}
    assert content['seconds'] >= 0 and 'minutes' not in content
