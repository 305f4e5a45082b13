import json
import runpy
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    'original', 'mixed_same', 'mixed_rand', 'only_fg', 'only_bg', 'bg_gap', 'knn_mixed_rand',
    'fgpref',
}  # fmt: skip
QUICK = (
    '--cfg-options', 'train_cfg.max_epochs=1', 'train_dataloader.batch_size=40',
    'train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False',
)  # fmt: skip


@pytest.fixture(scope='module')
def world(tmp_path_factory):
    out = tmp_path_factory.mktemp('data') / 'world'
    maker = ROOT / 'tools/dataset_converters/make_digits_on_photos.py'
    runpy.run_path(str(maker))['main']([str(out), '--per-class', '16', '--test-per-class', '2'])
    return out


@pytest.fixture(scope='module')
def demo():
    return runpy.run_path(str(ROOT / 'tools/demo.py'))


@pytest.fixture(scope='module')
def finished(demo, world, tmp_path_factory):
    work_dir = tmp_path_factory.mktemp('demo')
    demo['main'](['--data', str(world), '--work-dir', str(work_dir), *QUICK])
    return work_dir


def test_results(finished):
    results = json.loads((finished / 'results.json').read_text())
    assert list(results) == ['plain', 'bgswap']
    for row in results.values():
        assert set(row) >= KEYS
        assert all(-100 <= row[key] <= 100 for key in KEYS)
        assert row['bg_gap'] == pytest.approx(row['mixed_same'] - row['mixed_rand'])
    everything = json.loads((finished / 'background_gap.json').read_text())
    assert list(everything) == ['random init', 'plain', 'bgswap']
    for name, score in everything['plain'].items():
        assert score['mean'] == pytest.approx(results['plain'][name])
    assert everything['plain']['bg_gap']['over'] == 'images'


def test_pictures_and_report(finished):
    views = np.asarray(Image.open(finished / 'views.png'))
    assert views.shape[1] == 8 * 118 + 6
    report = (finished / 'report.html').read_text(encoding='utf-8')
    assert report.count('data:image/png') >= 5  # two charts, heat maps, failures, views
    assert 'bgswap − plain' in report
    evaluation = json.loads((finished / 'evaluation/results.json').read_text())
    assert list(evaluation['labels']) == ['random init', 'plain', 'bgswap']
    assert (finished / 'evaluation/results.md').is_file()
    assert (finished / 'background_gap.png').is_file()


def test_a_repeat_skips_and_prints_the_table(demo, finished, world, capsys):
    before = (finished / 'results.json').stat().st_mtime_ns
    start = time.time()
    demo['main'](['--data', str(world), '--work-dir', str(finished), *QUICK])
    assert time.time() - start < 10
    out = capsys.readouterr().out
    assert 'All done before' in out
    (row,) = (line for line in out.splitlines() if line.startswith('knn_mixed_rand'))
    assert row.count('(') == 3, 'figures come with intervals'
    assert (finished / 'results.json').stat().st_mtime_ns == before


def test_a_moved_world_and_work_dir_are_known_again(demo, finished, world, tmp_path, capsys):
    (tmp_path / 'here').symlink_to(world)
    demo['main'](['--data', str(tmp_path / 'here'), '--work-dir', str(finished), *QUICK])
    assert 'All done before' in capsys.readouterr().out


def test_an_unfinished_training_goes_on(demo, finished, world, capsys):
    (finished / 'done').unlink()
    (run,) = finished.glob('bgswap-*')
    (run / 'done').unlink()
    demo['main'](['--data', str(world), '--work-dir', str(finished), *QUICK])
    out = capsys.readouterr().out
    assert 'plain: trained already' in out
    assert 'bgswap: goes on from its last checkpoint' in out
    assert (run / 'done').is_file()
    assert 'resumed' in (run / 'train.log').read_text()


def test_a_failing_training_shows_its_log(demo, world, tmp_path):
    (tmp_path / 'bad.py').write_text(
        f'_base_ = {str(ROOT / "configs/demo/simclr_digits.py")!r}\nmodel = dict(type="Nothing")\n'
    )
    with pytest.raises(RuntimeError, match=r'training plain failed with status \d+.*\n') as caught:
        demo['main']([
            '--data', str(world), '--work-dir', str(tmp_path / 'w'),
            '--plain', str(tmp_path / 'bad.py'), '--jobs', '1', *QUICK,
        ])  # fmt: skip
    assert 'Nothing' in str(caught.value)
    assert not (tmp_path / 'w' / 'results.json').exists()


def test_no_world(demo, tmp_path):
    with pytest.raises(ValueError, match='nowhere misses the set folders train'):
        demo['main'](['--data', str(tmp_path / 'nowhere'), '--work-dir', str(tmp_path)])


def test_other_settings_are_another_training(demo, finished):
    assert demo['digest']({'a': 1}, 'x') == demo['digest']({'a': 1}, 'x')
    assert demo['digest']({'a': 1}, 'x') != demo['digest']({'a': 2}, 'x')
    assert len(list(finished.glob('plain-*'))) == 1


def test_world_fingerprint(demo, world, tmp_path):
    fingerprint = demo['world_fingerprint']
    assert 'sha256_of_pixels' in fingerprint(world)
    (tmp_path / 'train').mkdir()
    (tmp_path / 'train' / 'a.png').write_bytes(b'12')
    one = fingerprint(tmp_path)
    assert one == [('train/a.png', 2)]
    (tmp_path / 'train' / 'a.png').write_bytes(b'123')
    assert fingerprint(tmp_path) != one
