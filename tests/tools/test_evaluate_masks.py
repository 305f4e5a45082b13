import csv
import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.registry import SALIENCY_ESTIMATORS
from bgaug_mm.saliency import SaliencyEstimator

pytest.importorskip('py_sod_metrics')

TOOL = Path(__file__).resolve().parents[2] / 'tools/saliency/evaluate_masks.py'


class Red(SaliencyEstimator):
    """The red channel, or what is left."""

    def __init__(self, *, inverted=False, broken=False):
        super().__init__()
        self.inverted, self.broken = inverted, broken

    def estimate(self, image):
        if self.broken:
            raise RuntimeError('out of\nmemory')
        red = image[..., 0] / 255
        return 1 - red if self.inverted else red


class NotInstalled(Red):
    def __init__(self):
        raise ImportError('numba is not installed; run:\n  pip install numba')


@pytest.fixture(scope='module')
def main():
    SALIENCY_ESTIMATORS.import_from_location()
    for name, module in (('red', Red), ('absent', NotInstalled)):
        SALIENCY_ESTIMATORS.register_module(name=name, module=module)
    yield runpy.run_path(str(TOOL))['main']
    for name in ('red', 'absent'):
        del SALIENCY_ESTIMATORS.module_dict[name]


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """Eight images: a disc whose red is nearly the mask, less and less."""
    root = tmp_path_factory.mktemp('world')
    y, x = np.mgrid[:40, :48]
    for i in range(8):
        disc = (y - 20) ** 2 + (x - 16 - i) ** 2 < 120
        truth = np.where(disc, 255, 0).astype(np.uint8)
        image = np.full((40, 48, 3), 60, np.uint8)
        image[..., 0] = truth
        image[: 2 * i, :, 0] = 255  # a stripe that the estimate takes for foreground
        for part, pixels in (('set', image), ('set_masks', truth)):
            (root / part / 'a b').mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(root / part / f'a b/{i}.png')
    return root / 'set'


def rows(path):
    with open(path, encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


def test_tables_and_pictures(main, data, tmp_path, capsys):
    out = tmp_path / 'out'
    main([
        str(data), '--out-dir', str(out), '--estimators', 'red', 'inverse=red:inverted=True',
        f'true={data}_masks', 'absent', 'later', 'worn=red:broken=True',
    ])  # fmt: skip
    said = capsys.readouterr().out
    assert 'absent is skipped: numba is not installed; run: pip install numba\n' in said
    assert "later is skipped: unknown estimator 'later'" in said
    assert 'worn is skipped: ' in said and '0.png: out of memory' in said
    text = (out / 'results.md').read_text()
    assert text in said
    table = [line.split('|')[1:-1] for line in text.splitlines() if line.startswith('|')]
    assert [cells[0].strip() for cells in table[2:]] == ['red', 'inverse', 'true']
    assert len({len(cells) for cells in table}) == 1
    assert table[4][1].strip() == '100.0 (100.0–100.0)'
    assert 'Skipped: absent: numba' in text

    found = json.loads((out / 'results.json').read_text())
    assert list(found['estimators']) == ['red', 'inverse', 'true']
    assert set(found['skipped']) == {'absent', 'later', 'worn'}
    assert found['settings'] == {'images': 8, 'of': str(data), 'longest side': None}
    summary = {row['estimator']: row for row in rows(out / 'summary.csv')}
    images = rows(out / 'per_image.csv')
    assert len(images) == 3 * 8 and images[0]['image'] == 'a b/0.png'
    for name, entry in found['estimators'].items():
        for key in ('iou', 'mae', 'kept', 'removed', 'harmless'):
            mean = np.mean([float(row[key]) for row in images if row['estimator'] == name])
            assert float(summary[name][key]) == pytest.approx(mean, abs=1e-5)
            assert entry[key]['value'] == pytest.approx(mean, abs=1e-5)
            assert entry[key]['low'] <= entry[key]['value'] <= entry[key]['high']
    red, inverse = found['estimators']['red'], found['estimators']['inverse']
    assert red['max_f']['value'] > 0.6 and inverse['iou']['value'] == 0
    # stripes of 0 and 2 rows leave 90 % of the background, one of 4 rows does not
    assert red['harmless']['value'] == 2 / 8
    for picture in ('samples.png', 'scores.png'):
        with Image.open(out / picture) as image:
            assert min(image.size) > 300


def test_comparison_with_one(main, data, tmp_path, capsys):
    specs = ['red', f'true={data}_masks', 'absent']
    main([str(data), '--out-dir', str(tmp_path), '--estimators', *specs, '--against', 'true'])
    found = json.loads((tmp_path / 'results.json').read_text())
    assert list(found['differences']['true']) == ['red']
    one, other = (found['estimators'][name]['max_f']['value'] for name in ('true', 'red'))
    gain = found['differences']['true']['red']['max_f']
    assert gain['value'] == pytest.approx(one - other) and gain['low'] > 0
    assert '| true minus … |' in capsys.readouterr().out
    assert f'| red | +{100 * gain["value"]:.1f} (+' in (tmp_path / 'results.md').read_text()
    main([str(data), '--out-dir', str(tmp_path), '--estimators', *specs, '--against', 'absent'])
    assert 'differences' not in json.loads((tmp_path / 'results.json').read_text())


def test_interrupted_run_writes_what_it_has(main, data, tmp_path, monkeypatch):
    def interrupted(self, image):
        if self.inverted:
            raise KeyboardInterrupt
        return image[..., 0] / 255

    monkeypatch.setattr(Red, 'estimate', interrupted)
    specs = ['red', 'second=red:inverted=True', 'third=red']
    main([str(data), '--out-dir', str(tmp_path), '--limit', '2', '--estimators', *specs])
    found = json.loads((tmp_path / 'results.json').read_text())
    assert list(found['estimators']) == ['red'] and list(found['skipped']) == ['second']
    with pytest.raises(SystemExit, match='nothing was evaluated'):
        main([str(data), '--out-dir', str(tmp_path), '--estimators', *specs[1:]])


def test_samples_are_best_median_and_worst(main, data, tmp_path, monkeypatch):
    from bgaug_mm.evaluation.masks import report as mask_report

    made = {}
    sheet = mask_report.contact_sheet
    monkeypatch.setattr(
        mask_report,
        'contact_sheet',
        lambda rows, *args, **options: (
            made.update(rows=rows, **options) or sheet(rows, *args, **options)
        ),
    )
    main([str(data), '--out-dir', str(tmp_path), '--estimators', 'red'])
    (row,), (captions,) = made['rows'], made['captions']
    assert captions[1::3] == ['a b/0.png', 'a b/3.png', 'a b/7.png']
    assert captions[2] == 'IoU 1.00' and captions[0] == 'red'
    for image, _, mask in (row[:3], row[3:6], row[6:]):
        assert np.array_equal(image[..., 0], mask)


def test_size_and_limit(main, data, tmp_path):
    options = ['--limit', '3', '--size', '24']
    main([str(data), '--out-dir', str(tmp_path), '--estimators', 'red', *options])
    found = json.loads((tmp_path / 'results.json').read_text())
    assert found['settings'] == {'images': 3, 'of': str(data), 'longest side': 24}
    assert [row['image'] for row in rows(tmp_path / 'per_image.csv')] == [
        'a b/0.png', 'a b/2.png', 'a b/5.png',
    ]  # fmt: skip
    with Image.open(tmp_path / 'samples.png') as image:
        assert image.size[0] > 500


def test_bad_input_is_one_line(main, data, tmp_path, monkeypatch):
    def fails(match, *argv, folder=data):
        with pytest.raises(SystemExit, match=f'^evaluate_masks: .*{match}'):
            main([str(folder), '--out-dir', str(tmp_path / 'out'), '--estimators', *argv])
        assert not (tmp_path / 'out').exists()

    fails('nothing was evaluated', 'absent')
    fails('there is no folder', 'red', folder=data / 'none')
    fails('no true masks at', 'red', '--truth', str(data / 'none'))
    fails('8 of 8 images have no true mask, the first .*0.png', 'red', '--truth', str(tmp_path))
    fails('`--size` must be at least 1, but got 0', 'red', '--size', '0')
    fails('`limit` must be at least 1', 'red', '--limit', '0')
    fails('`--against blue` is none of', 'red', '--against', 'blue')
    fails('two estimators are named red', 'red', 'red')
    fails('nowhere is neither an estimator nor', 'mine=nowhere')

    # an image or true mask that cannot be used is no fault of the estimator
    for part in ('set', 'set_masks'):
        (tmp_path / part).mkdir()
        for i in range(2):
            Image.open(f'{data}{part[3:]}/a b/{i}.png').save(tmp_path / part / f'{i}.png')
    Image.new('L', (9, 9)).save(tmp_path / 'set_masks/1.png')
    fails('1.png is 48x40, but its true mask .* 9x9', 'red', folder=tmp_path / 'set')
    (tmp_path / 'set/1.png').write_bytes(b'')
    fails('the file is empty', 'red', folder=tmp_path / 'set')


def test_every_estimator_by_default(main, data, tmp_path, capsys, monkeypatch):
    kept = {'red': Red, 'absent': NotInstalled, 'Red': Red}
    monkeypatch.setattr(SALIENCY_ESTIMATORS, '_module_dict', kept)
    main([str(data), '--out-dir', str(tmp_path), '--limit', '2'])
    assert list(json.loads((tmp_path / 'results.json').read_text())['estimators']) == ['red']
    assert 'absent is skipped' in capsys.readouterr().out
