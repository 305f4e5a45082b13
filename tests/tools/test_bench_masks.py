import importlib.util
import json
import sys

import pytest

STORES = dict(
    read_speedup_over_png=6.0, bytes_ratio_8bit=0.3, bytes_ratio_1bit=0.1, index_seconds_1_28m=0.5
)


@pytest.fixture(scope='module')
def bench(root):
    sys.path.insert(0, str(root / 'tools/benchmarks'))
    try:
        spec = importlib.util.spec_from_file_location(
            'bench_masks', root / 'tools/benchmarks/bench_masks.py'
        )
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(root / 'tools/benchmarks'))
    return module


def one_after_the_other(make, tasks, *, workers, preload):
    """As run_tasks, in this process."""
    handle = make()
    for task in tasks:
        yield handle(task)


def test_writes_a_table_and_a_file(bench, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, 'PHOTOS', bench.PHOTOS[:2])
    monkeypatch.setattr(bench, 'run_tasks', one_after_the_other)
    asked = {}
    monkeypatch.setattr(
        bench, 'measure_stores', lambda folder, **options: asked.update(options) or STORES
    )
    file = tmp_path / 'out.json'
    names = ['rbd', 'gs', 'spectral_residual']
    bench.main(['--quick', '--size=48', '--json', str(file), '--estimators', *names])
    result = json.loads(file.read_text())
    assert {row['estimator'] for row in result['estimators']} == set(names)
    assert result['estimators'] == sorted(result['estimators'], key=lambda row: row['ms'])
    rbd = next(row for row in result['estimators'] if row['estimator'] == 'rbd')
    assert result['rbd_images_per_s'] == rbd['images_per_s'] > 0
    assert rbd['images_per_s'] == pytest.approx(1e3 / rbd['ms'], rel=0.05)
    assert result['two_process_speedup'] > 0 and 'mbplus_images_per_s' not in result
    assert STORES.items() <= result.items() and asked['records'] == 2000
    text = capsys.readouterr().out
    assert all(name in text for name in [*names, *STORES])


def test_rate_leaves_out_the_start_and_the_end(bench, monkeypatch):
    """Two processes: three results are of the start, the last one is not of full work."""
    times = iter([50.0, 50.0, 50.0, 51.0, 52.0, 53.0, 99.0])
    monkeypatch.setattr(bench, 'run_tasks', lambda *args, **options: range(7))
    monkeypatch.setattr(bench.time, 'perf_counter', lambda: next(times))
    assert bench.images_per_s([], 2) == 1.0  # 4 results in 51 … 53: the 4th to the 6th


def test_all_estimators_are_measured_or_named_with_what_they_lack(bench):
    built, lacking = bench.estimators(None)
    assert {'rbd', 'gs'} <= set(built)
    assert 'path' in lacking['onnx'] and 'checkpoint' in lacking['attention']


def test_photos_need_no_download(bench):
    pictures = bench.photos(400)
    assert {max(picture.shape) for picture in pictures.values()} == {400}


@pytest.mark.parametrize(
    ('argv', 'message'),
    [
        (['--estimators', 'nobody'], "unknown estimator 'nobody'"),
        (['--estimators', 'onnx'], 'path'),
    ],
)
def test_bad_names(bench, argv, message):
    with pytest.raises(SystemExit, match=message):
        bench.main(['--quick', *argv])
