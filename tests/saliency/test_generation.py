"""Runs on small sets: whole, resumed, in shards, and what may not be mixed."""

import csv
import itertools
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets.mask_store import MaskFolder
from bgaug_mm.registry import SALIENCY_ESTIMATORS
from bgaug_mm.saliency import (
    SaliencyEstimator,
    generation,
    mask_maker,
    mask_report,
    mask_settings,
)
from bgaug_mm.saliency.generation import HOPELESS, generate_masks
from bgaug_mm.saliency.image_list import Item, list_images
from bgaug_mm.saliency.worker_pool import WorkError


class Red(SaliencyEstimator):
    """Red is salient, a little more so in larger batches; blue makes it fail."""

    seen = 0

    def estimate_batch(self, images):
        type(self).seen += len(images)
        return [np.clip(self.estimate(image) + len(images) / 100, 0, 1) for image in images]

    def estimate(self, image):
        if (image[..., 2] == 255).all():
            raise RuntimeError('no blue')
        return image[..., 0] / 255


@pytest.fixture(autouse=True)
def red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SALIENCY_ESTIMATORS._module_dict, 'red', Red)
    monkeypatch.setattr(Red, 'seen', 0)
    # its own test draws it; here, a third of a second a run is too much
    monkeypatch.setattr(
        mask_report, 'line_panels', lambda panels, path: path.write_text(str(panels))
    )


@pytest.fixture
def images(tmp_path: Path) -> list[Item]:
    """11 images in two folders, two of them broken."""
    rng = np.random.default_rng(0)
    for i in range(11):
        path = tmp_path / f'in/{"ab"[i % 2]}/im {i:02d}.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 255, (8, 10, 3), np.uint8)).save(path)
    (tmp_path / 'in/a/im 02.png').write_bytes(b'')
    Image.new('RGB', (5, 5), 'blue').save(tmp_path / 'in/b/im 05.png')
    return list_images(str(tmp_path / 'in'))


def run(images: list[Item], out: Path, **options):
    return generate_masks(images, out, **{'estimator': {'type': 'red'}, **options})


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


REPORT = {
    f'_report/{name}'
    for name in (
        'settings.json', 'failures.csv', 'foreground_share.csv', 'summary.json',
        'foreground_share.png', 'samples.png',
    )
}  # fmt: skip


def test_masks_and_report(images: list[Item], tmp_path: Path) -> None:
    out = tmp_path / 'out'
    summary = run(images, out)
    assert (summary['images'], summary['masks'], summary['failures']) == (11, 9, 2)
    files = tree(out)
    masks = {item.name for item in images} - {'a/im 02.png', 'b/im 05.png'}
    assert set(files) == masks | REPORT
    for item in images:
        location = MaskFolder(item.root, str(out)).locate(item.path)  # where training looks
        if item.name in masks:
            image, mask = cv2.imread(item.path), cv2.imread(location, cv2.IMREAD_UNCHANGED)
            expected = np.round(255 * np.clip(np.float32(image[..., 2] / 255 + 0.01), 0, 1))
            np.testing.assert_array_equal(mask, expected)

    with open(out / '_report/failures.csv', newline='') as file:
        assert [*csv.reader(file)] == [
            ['image', 'reason'],
            ['a/im 02.png', 'the file is empty'],
            ['b/im 05.png', 'Red: RuntimeError: no blue'],
        ]
    with open(out / '_report/foreground_share.csv', newline='') as file:
        rows = [*csv.reader(file)]
    assert [name for name, _ in rows[1:]] == sorted(masks)
    first = cv2.imread(str(out / rows[1][0]), cv2.IMREAD_UNCHANGED)
    assert float(rows[1][1]) == round(first.mean() / 255, 6)
    assert json.loads(files['_report/summary.json']) == summary
    assert json.loads(files['_report/settings.json'])['estimator'] == {'type': 'red'}


def test_again_does_nothing_and_changes_nothing(images: list[Item], tmp_path: Path) -> None:
    out = tmp_path / 'out'
    first = run(images, out)
    before, seen = tree(out), Red.seen
    assert run(images, out) == first
    assert tree(out) == before
    assert Red.seen == seen + 1  # the blue one is tried again, the broken one cannot be


@pytest.mark.parametrize('batch_size', [1, 3])
@pytest.mark.parametrize('stop', range(5))
def test_resumed_run_equals_an_uninterrupted_one(
    images: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_size: int, stop: int
) -> None:
    expected = tmp_path / 'expected'
    run(images, expected, batch_size=batch_size)
    out = tmp_path / 'out'
    write, written = mask_maker.write_mask, itertools.count()

    def interrupted(path, mask):
        if next(written) == 2 * stop:
            # as a kill leaves it: a temporary file, the mask before without an entry
            Path(path).with_name(f'.{Path(path).name}.abcd_123').write_bytes(b'half')
            raise KeyboardInterrupt
        write(path, mask)

    with monkeypatch.context() as patch:
        patch.setattr(mask_maker, 'write_mask', interrupted)
        Path(out / 'a').mkdir(parents=True)
        with pytest.raises(KeyboardInterrupt):
            run(images, out, batch_size=batch_size)
    made = {path: path.stat().st_mtime_ns for path in out.rglob('im*.png')}
    assert run(images, out, batch_size=batch_size) is not None
    assert all(path.stat().st_mtime_ns == time for path, time in made.items())  # not redone
    assert tree(out) == tree(expected)


def test_killed_while_the_report_is_written(
    images: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, expected = tmp_path / 'out', tmp_path / 'expected'
    run(images, expected)

    def killed(*args, **kwargs):
        (out / '_report/.summary.json.abcd_123').write_bytes(b'half')
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(generation, 'write_report', killed)
        with pytest.raises(KeyboardInterrupt):
            run(images, out)
    run(images, out)
    assert tree(out) == tree(expected)


@pytest.mark.parametrize('batch_size', [1, 2])
def test_shards(images: list[Item], tmp_path: Path, batch_size: int) -> None:
    out, expected = tmp_path / 'out', tmp_path / 'expected'
    whole = run(images, expected, batch_size=batch_size)
    assert run(images, out, batch_size=batch_size, shard=(2, 3)) is None
    third = {name for name in tree(out) if not name.startswith('_report')}
    assert len(third) in (2, 3, 4)
    assert run(images, out, batch_size=batch_size, shard=(0, 3)) is None
    assert not (out / '_report/summary.json').exists()
    assert run(images, out, batch_size=batch_size, shard=(1, 3)) == whole  # the last one
    assert tree(out) == tree(expected)
    # begun in shards, ended without
    other = tmp_path / 'other'
    run(images, other, batch_size=batch_size, shard=(1, 3))
    assert run(images, other, batch_size=batch_size) == whole
    assert tree(other) == tree(expected)


def test_repaired_images_get_their_masks(images: list[Item], tmp_path: Path) -> None:
    out = tmp_path / 'out'
    run(images, out)
    Image.new('RGB', (5, 5), 'red').save(tmp_path / 'in/a/im 02.png')
    (out / 'a/im 00.png').unlink()  # one that is to be made again
    summary = run(images, out)
    assert (summary['masks'], summary['failures']) == (10, 1)
    assert 'im 02' not in (out / '_report/failures.csv').read_text()


def test_threshold_and_name_rule(images: list[Item], tmp_path: Path) -> None:
    out = tmp_path / 'out'
    run(images, out, threshold=0.5, name_rule='{dir}/{stem}{ext}.png')
    mask = cv2.imread(str(out / 'a/im 00.png.png'), cv2.IMREAD_UNCHANGED)
    assert set(np.unique(mask)) == {0, 255}


def test_other_settings(images: list[Item], tmp_path: Path) -> None:
    out = tmp_path / 'out'
    run(images, out)
    with pytest.raises(ValueError, match='threshold was None, now 0.5.*--overwrite'):
        run(images, out, threshold=0.5)
    stray = out / 'b/notes.png'
    stray.write_bytes(b'not a mask of ours')
    run(images, out, threshold=0.5, overwrite=True)
    run(images, tmp_path / 'expected', threshold=0.5)
    files = tree(out)
    assert files.pop('b/notes.png') == b'not a mask of ours'
    assert files == tree(tmp_path / 'expected')
    with pytest.raises(ValueError, match='shards cannot overwrite'):
        run(images, out, overwrite=True, shard=(0, 2))


def test_masks_of_others(images: list[Item], tmp_path: Path) -> None:
    (tmp_path / 'out/a').mkdir(parents=True)
    (tmp_path / 'out/a/im 04.png').write_bytes(b'by hand')
    with pytest.raises(ValueError, match="there is a mask '.*im 04.png', but no _report/settings"):
        run(images, tmp_path / 'out')
    assert run(images, tmp_path / 'out', overwrite=True)['masks'] == 9


def test_another_shard_begins_while_one_looks_for_masks_of_others(
    images: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, look = tmp_path / 'out', generation._require_no_masks

    def late(*args) -> None:
        monkeypatch.setattr(generation, '_require_no_masks', look)
        run(images, out, shard=(1, 2))
        look(*args)

    monkeypatch.setattr(generation, '_require_no_masks', late)
    assert run(images, out, shard=(0, 2))['masks'] == 9


def test_files_of_others_in_the_report_stay(images: list[Item], tmp_path: Path) -> None:
    (tmp_path / 'out/_report/notes').mkdir(parents=True)
    (tmp_path / 'out/_report/.samples.png.abcd_123').touch()
    run(images, tmp_path / 'out')
    assert (tmp_path / 'out/_report/notes').is_dir()
    assert set(tree(tmp_path / 'out')) >= REPORT
    assert not (tmp_path / 'out/_report/.samples.png.abcd_123').exists()


def test_masks_must_not_replace_images(images: list[Item], tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / 'in'):
        with pytest.raises(ValueError, match="images in .* lie in the masks' folder"):
            run(images, out)


@pytest.mark.parametrize(
    'options, message',
    [
        ({'workers': 0}, '`workers` must be at least 1, but got 0'),
        ({'batch_size': 0}, '`batch_size` must be at least 1, but got 0'),
        ({'shard': (2, 2)}, r'`shard` must be i/n with 0 <= i < n .*from 0.*2/2'),
        ({'threshold': 1.0}, r'`threshold` must be in \(0, 1\), but got 1.0'),
        ({'name_rule': '{dir}/{stem}.jpg'}, "`name_rule` must end in '.png'"),
        ({'name_rule': '{dir}/x.png'}, r'has no \{stem\}'),
        ({'estimator': {'type': 'rde'}}, "unknown estimator 'rde'; known: .*rbd"),
        ({'estimator': {'type': 'red', 'colour': 1}}, "estimator 'red': .*colour"),
    ],
)
def test_bad_options(images: list[Item], tmp_path: Path, options, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        run(images, tmp_path / 'out', **options)
    assert not (tmp_path / 'out').exists()


def test_an_estimator_that_always_fails_ends_the_run(tmp_path: Path) -> None:
    for i in range(HOPELESS + 5):
        path = tmp_path / f'in/{i:02d}.png'
        path.parent.mkdir(exist_ok=True)
        Image.new('RGB', (5, 5), 'blue').save(path)
    images = list_images(str(tmp_path / 'in'))
    with pytest.raises(WorkError, match=f'failed on the first {HOPELESS} images: Red.*no blue'):
        run(images, tmp_path / 'out')
    summary = run(images[:5], tmp_path / 'few')  # with a few, it may be the images
    assert summary == {'images': 5, 'masks': 0, 'failures': 5}
    assert (tmp_path / 'few/_report/failures.csv').exists()


def test_full_disk(images: list[Item], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, written = mask_maker.write_mask, itertools.count()

    def full(path, mask):
        if next(written) == 4:
            raise OSError(28, 'No space left on device')
        write(path, mask)

    out = tmp_path / 'out'
    with monkeypatch.context() as patch:
        patch.setattr(mask_maker, 'write_mask', full)
        with pytest.raises(WorkError, match='cannot be written: No space left on device.*Free'):
            run(images, out)
    assert len([*out.rglob('im*.png')]) == 4

    def no_room(path, value):
        raise OSError(28, 'No space left on device')

    with monkeypatch.context() as patch:
        patch.setattr(mask_settings, 'write_json', no_room)
        with pytest.raises(WorkError, match=r'settings.json. cannot be written: No space left'):
            run(images, tmp_path / 'other')
    run(images, out)
    run(images, tmp_path / 'expected')
    assert tree(out) == tree(tmp_path / 'expected')
