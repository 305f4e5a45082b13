import csv
import hashlib
import json
import os

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets.worlds import ComposedImage, Triplet, WorldFile, write_world


def items(value=7):
    image, mask = np.full((2, 3, 3), value, np.uint8), np.full((2, 3), 255, np.uint8)
    yield ComposedImage('train', 'a/00000.png', image, mask, 'sand, wet')
    yield ComposedImage('original', 'a/00000.png', image + 1, mask - 255, '')
    yield Triplet('original/a/00000.png', 'x/p.png', 'y/n.png')


def write(out, value=7, **options):
    options = {'maker': 'test', 'args': {'value': value}, **options}
    return write_world(out, items(value), **options)


def test_files_manifest_and_triplets(tmp_path):
    out = tmp_path / 'new' / 'world'
    assert write(out, notes={'pairing': {'a': 'b'}})
    assert (np.asarray(Image.open(out / 'train/a/00000.png')) == 7).all()
    assert (np.asarray(Image.open(out / 'train_masks/a/00000.png')) == 255).all()
    assert (np.asarray(Image.open(out / 'original_masks/a/00000.png')) == 0).all()
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['args'] == {'value': 7}
    assert manifest['pairing'] == {'a': 'b'}
    assert manifest['sets'] == dict.fromkeys(
        ('train', 'train_masks', 'original', 'original_masks'), 1
    )
    expected = hashlib.sha256()
    for name, shape, value in (
        ('train', (2, 3, 3), 7),
        ('train_masks', (2, 3), 255),
        ('original', (2, 3, 3), 8),
        ('original_masks', (2, 3), 0),
    ):
        expected.update(f'{name}/a/00000.png {shape}'.encode())
        expected.update(bytes([value]) * int(np.prod(shape)))
    assert manifest['sha256_of_pixels'] == expected.hexdigest()
    rows = list(csv.reader((out / 'triplets.csv').open()))
    assert rows == [
        ['anchor', 'positive', 'negative'],
        ['original/a/00000.png', 'x/p.png', 'y/n.png'],
    ]
    assert list(csv.reader((out / 'backgrounds.csv').open())) == [
        ['set', 'file', 'background'],
        ['train', 'a/00000.png', 'sand, wet'],
        ['original', 'a/00000.png', ''],
    ]
    assert os.listdir(out.parent) == ['world']  # nothing temporary left


def test_sums_are_of_every_file(tmp_path):
    out = tmp_path / 'world'
    write_world(out, [*items(), WorldFile('more/x.txt', b'x')], maker='test', args={})
    assert (out / 'more/x.txt').read_bytes() == b'x'
    sums = dict(
        reversed(line.split('  ', 1)) for line in (out / 'SHA256SUMS').read_text().splitlines()
    )
    files = {str(path.relative_to(out)) for path in out.rglob('*') if path.is_file()}
    assert set(sums) == files - {'SHA256SUMS'}
    assert len(sums) == 4 + 4
    for path, value in sums.items():
        assert hashlib.sha256((out / path).read_bytes()).hexdigest() == value


def test_further_files_are_counted_by_folder_and_their_pixels_digested(tmp_path):
    out = tmp_path / 'world'
    pixels = np.full((2, 3, 3), 5, np.uint8)
    files = [
        WorldFile('a/b/1.jpg', b'1', pixels),
        WorldFile('a/b/2.jpg', b'2'),
        WorldFile('c', b''),
    ]

    def again():
        return write_world(out, files, maker='test', args={})

    assert again()
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['sets'] == {'a/b': 2}
    expected = hashlib.sha256(b'a/b/1.jpg (2, 3, 3)' + bytes([5]) * 18).hexdigest()
    assert manifest['sha256_of_pixels'] == expected
    # no tables of what composed images alone have
    assert sorted(os.listdir(out)) == ['SHA256SUMS', 'a', 'c', 'manifest.json']
    (out / 'a/b/.hidden').touch()
    assert not again()
    (out / 'a/b/2.jpg').unlink()
    with pytest.raises(FileExistsError, match='misses files'):
        again()


def test_a_second_call_skips(tmp_path):
    write(tmp_path / 'world')

    def never():
        raise AssertionError('composed again')
        yield

    assert not write_world(tmp_path / 'world', never(), maker='test', args={'value': 7})


def test_other_options_are_an_error_that_names_them_or_overwrite(tmp_path):
    out = tmp_path / 'world'
    write(out)
    with pytest.raises(FileExistsError, match=r"'value': \(7, 8\).*--overwrite"):
        write(out, 8)
    assert write(out, 8, overwrite=True)
    assert (np.asarray(Image.open(out / 'train/a/00000.png')) == 8).all()


def test_missing_files_are_an_error_or_made_again(tmp_path):
    out = tmp_path / 'world'
    write(out)
    (out / 'train/a/00000.png').unlink()
    with pytest.raises(FileExistsError, match='misses files'):
        write(out)
    assert write(out, overwrite=True)
    assert not write(out)


def test_foreign_folders_are_left_alone(tmp_path):
    (tmp_path / 'mine').write_text('precious')
    for overwrite in (False, True):
        with pytest.raises(FileExistsError, match=r'no manifest\.json'):
            write(tmp_path, overwrite=overwrite)
        with pytest.raises(FileExistsError, match='is a file'):
            write(tmp_path / 'mine', overwrite=overwrite)
    (tmp_path / 'manifest.json').write_text('{broken')
    with pytest.raises(FileExistsError, match='not a manifest'):
        write(tmp_path, overwrite=True)
    assert (tmp_path / 'mine').read_text() == 'precious'


def test_an_empty_folder_is_taken(tmp_path):
    assert write(tmp_path)
    assert (tmp_path / 'manifest.json').is_file()


def test_an_interrupted_run_leaves_nothing(tmp_path):
    def interrupted():
        yield from items()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_world(tmp_path / 'world', interrupted(), maker='test', args={})
    assert os.listdir(tmp_path) == []


def test_another_process_may_win_the_race(tmp_path):
    out = tmp_path / 'world'

    def overtaken():
        yield from items()
        write(out)

    assert not write_world(out, overtaken(), maker='test', args={'value': 7})
    assert os.listdir(tmp_path) == ['world']
