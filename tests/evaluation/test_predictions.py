import numpy as np
import pytest

from bgaug_mm.evaluation.predictions import SetPredictions, load_predictions, save_predictions


def answers(*predictions, files=('a/0.png', 'ü/1.png', 'b/2.png')):
    return SetPredictions(list(files), np.array([0, 1, 2]), np.array(predictions))


def test_accuracy_in_percent():
    one = answers(0, 1, 0)
    assert one.correct.tolist() == [100, 100, 0]
    assert one.accuracy == pytest.approx(200 / 3)
    assert np.isnan(SetPredictions([], np.zeros(0, int), np.zeros(0, int)).accuracy)


def test_lengths_must_agree():
    with pytest.raises(ValueError, match='equally many, but got 3, 3 and 2'):
        answers(0, 1)


def test_file_and_back(tmp_path):
    path = tmp_path / 'new/predictions.npz'
    save_predictions(
        path, {'original': answers(0, 1, 2), 'knn_only.bg': answers(2, 1, 0)}, fgpref=np.ones(4)
    )
    found = load_predictions(path)
    assert list(found) == ['original', 'knn_only.bg']
    assert found['original'].files == ['a/0.png', 'ü/1.png', 'b/2.png']
    assert found['knn_only.bg'].predictions.tolist() == [2, 1, 0]
    assert found['original'].labels.dtype == np.int64
    with np.load(path) as file:
        assert file['fgpref'].tolist() == [1] * 4


def test_other_files_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match='no predictions at'):
        load_predictions(tmp_path / 'none.npz')
    bad = tmp_path / 'bad.npz'
    pickled = np.array([{'a': 1}], dtype=object)
    for write in (
        lambda: bad.write_bytes(b'not a file of numpy'),
        lambda: bad.write_bytes(b''),
        lambda: np.savez(bad, **{'x.files': np.array(['a']), 'x.labels': np.array([1])}),
        lambda: np.savez(bad, **{'x.files': pickled, 'x.labels': pickled}),
        lambda: (np.save(tmp_path / 'x.npy', np.zeros(3)), (tmp_path / 'x.npy').replace(bad)),
    ):
        write()
        with pytest.raises(ValueError, match=r'bad\.npz holds no predictions'):
            load_predictions(bad)
    save_predictions(bad, {'x': answers(0, 1, 2)})
    bad.write_bytes(bad.read_bytes()[:-40])
    with pytest.raises(ValueError, match='holds no predictions'):
        load_predictions(bad)
