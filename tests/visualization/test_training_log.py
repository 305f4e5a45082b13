import json

import pytest

from bgaug_mm.visualization import find_logs, read_scalars, read_validation, train_minutes


def write(path, rows, end='\n'):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('\n'.join(json.dumps(row) for row in rows) + end)
    return path


def test_resumed_run(tmp_path):
    first = [{'loss': 3.0, 'step': 10}, {'loss': 2.0, 'x': 1, 'step': 20}, {'acc': 1, 'step': 1}]
    later = [{'loss': 1.5, 'step': 20, 'name': 'text'}, {'loss': 1.0, 'step': 30}]
    write(tmp_path / '20260102_000000/vis_data/scalars.json', later)
    write(tmp_path / '20260101_000000/vis_data/scalars.json', first)
    assert [path.parts[-3][:8] for path in find_logs(tmp_path)] == ['20260101', '20260102']
    scalars = read_scalars(tmp_path)
    assert scalars['loss'] == ([10, 20, 30], [3.0, 1.5, 1.0])
    assert 'x' not in scalars, 'step 20 was logged again, without it'
    assert 'name' not in scalars and 'acc' not in scalars


def test_one_file_with_a_last_line_cut_short(tmp_path):
    path = write(tmp_path / 'scalars.json', [{'loss': 1, 'step': 1, 'x': 5}], '\n{"loss": 0.')
    assert read_scalars(path) == {'loss': ([1], [1.0]), 'step': ([1], [1.0]), 'x': ([1], [5.0])}
    assert read_scalars(tmp_path) == read_scalars(path)


def test_bad_input(tmp_path):
    with pytest.raises(ValueError, match='nowhere is neither a scalars.json nor a work dir'):
        read_scalars(tmp_path / 'nowhere')
    path = tmp_path / 'scalars.json'
    path.write_text('{"loss": 1, "step": 1}\n{"lo\n{"loss": 1, "step": 2}\n')
    with pytest.raises(ValueError, match=r'scalars.json, line 2: not JSON'):
        read_scalars(path)


def test_train_minutes(tmp_path):
    """The median: neither the first iteration nor a pause counts."""
    rows = [{'loss': 1, 'step': 10 * (i + 1), 'time': (0.2, 5.0, 0.3)[i]} for i in range(3)]
    (tmp_path / 'scalars.json').write_text('\n'.join(map(json.dumps, rows)))
    assert train_minutes(tmp_path) == pytest.approx(30 * 0.3 / 60)
    with pytest.raises(ValueError, match='is neither a scalars.json nor a work dir'):
        train_minutes(tmp_path / 'nowhere')


def test_the_last_evaluation(tmp_path):
    """Of a resumed run the later one, whatever mmengine calls its step."""
    early = [{'coco/AP': 0.1, 'coco/AR': 0.3, 'step': 8, 'time': 1.0}, {'loss': 1, 'step': 9}]
    late = [{'loss': 1.0, 'step': 9}, {'coco/AP': 0.2, 'step': 0, 'data_time': 2.0}]
    write(tmp_path / '20260102_000000/vis_data/scalars.json', late, '\n{"coco/AP": 0.')
    write(tmp_path / '20260101_000000/vis_data/scalars.json', early)
    assert read_validation(tmp_path) == {'coco/AP': 0.2}
    path = write(tmp_path / 'a/vis_data/scalars.json', early[1:])
    with pytest.raises(ValueError, match='a/vis_data: the log has no evaluation'):
        read_validation(path.parent)
