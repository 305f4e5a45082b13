import os

import cv2
import numpy as np
import pytest

from bgaug_mm.datasets.mask_store import (
    MaskFolder,
    check_name_rule,
    read_mask_bytes,
    read_mask_list,
    write_mask,
)


@pytest.mark.parametrize(
    ('root', 'image', 'expected'),
    [
        ('data/train', 'data/train/n01/x.JPEG', 'data/train_masks/n01/x.png'),
        ('data/train/', 'data/train/n01/x.JPEG', 'data/train_masks/n01/x.png'),
        ('data/train/', 'data/train/x.tar.jpg', 'data/train_masks/x.tar.png'),
        ('data/train', 'data/train/a/b/noending', 'data/train_masks/a/b/noending.png'),
        ('data/train', './data/train/x.jpg', 'data/train_masks/x.png'),
        ('s3://bucket/train', 's3://bucket/train/a/x.jpg', 's3://bucket/train_masks/a/x.png'),
    ],
)
def test_mirrored_tree(root: str, image: str, expected: str) -> None:
    assert MaskFolder(root).locate(image) == expected


def test_the_default_root_of_a_dot_is_beside_the_real_folder(tmp_path, monkeypatch) -> None:
    (tmp_path / 'photos').mkdir()
    monkeypatch.chdir(tmp_path / 'photos')
    assert MaskFolder('.').root == str(tmp_path / 'photos_masks')


@pytest.mark.parametrize(
    ('rule', 'expected'),
    [
        ('{dir}/{stem}_mask.png', 'masks/n01/x_mask.png'),
        ('{stem}_mask.png', 'masks/x_mask.png'),
        ('{dir}/{stem}{ext}', 'masks/n01/x.JPEG'),
        ('{dir}/{{{stem}}}.png', 'masks/n01/{x}.png'),
    ],
)
def test_name_rule(rule: str, expected: str) -> None:
    store = MaskFolder('data/train', 'masks', name_rule=rule)
    assert store.locate('data/train/n01/x.JPEG') == expected


def test_a_rule_with_a_folder_works_for_an_image_without_one() -> None:
    store = MaskFolder('data', 'masks', name_rule='{dir}/{stem}.png')
    assert store.locate('data/x.jpg') == 'masks/x.png'


@pytest.mark.parametrize(
    'rule',
    ['{stem.__class__}.png', '{0}.png', '{stem!r}.png', '{stem:>9}.png', '{name}.png', '{stem',
     'mask.png', '{}.png'],
)  # fmt: skip
def test_other_rules_are_refused(rule: str) -> None:
    with pytest.raises(ValueError, match=r'`name_rule` must be made of \{dir\}'):
        check_name_rule(rule)


def test_an_image_outside_of_the_root_is_refused() -> None:
    with pytest.raises(ValueError, match=r"image 'other/x.jpg' is not below .* 'data/train'"):
        MaskFolder('data/train').locate('other/x.jpg')


def test_no_folder_to_look_beside() -> None:
    with pytest.raises(ValueError, match='give `mask_root`'):
        MaskFolder('')
    with pytest.raises(ValueError, match='has an absolute path'):
        MaskFolder('', 'masks').locate('/data/x.jpg')
    assert MaskFolder('', 'masks').locate('a/x.jpg') == 'masks/a/x.png'


@pytest.mark.parametrize('separator', ['\t', ',', ' ', ' , '])
def test_list_file(tmp_path, separator: str) -> None:
    path = tmp_path / 'list.txt'
    path.write_text(f'n01/x.jpg{separator}a.png\n\nn01/y.jpg{separator}b.png\n')
    store = MaskFolder('train', 'masks', list_file=str(path))
    assert store.locate('train/n01/x.jpg') == 'masks/a.png'
    assert store.locate('train/n01/y.jpg') == 'masks/b.png'
    assert store.locate('train/n01/z.jpg') is None


def test_list_file_with_blanks_in_names_and_absolute_paths(tmp_path) -> None:
    path = tmp_path / 'list.txt'
    path.write_text('a photo.jpg\tits mask.png\n/abs/y.jpg\t/else/y.png\n')
    store = MaskFolder('train', 'masks', list_file=str(path))
    assert store.locate('train/a photo.jpg') == 'masks/its mask.png'
    assert MaskFolder('/abs', 'm', list_file=str(path)).locate('/abs/y.jpg') == '/else/y.png'


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('x.jpg x.png\ny.jpg\n', 'line 2: must hold an image path and a mask path'),
        ('x.jpg,\n', 'line 1: must hold'),
        ('a b c\n', 'line 1: must hold'),
        ('x.jpg x.png\nx.jpg y.png\n', "line 2: image 'x.jpg' has another mask already, 'x.png'"),
        ('x.jpg m.png\ny.jpg m.png\n', "line 2: mask 'm.png' belongs to another image, 'x.jpg'"),
        ('\n', 'is empty'),
    ],
)
def test_list_file_contradictions(tmp_path, text: str, message: str) -> None:
    path = tmp_path / 'list.txt'
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        read_mask_list(str(path))


def test_list_file_missing_or_beside_a_rule(tmp_path) -> None:
    with pytest.raises(ValueError, match="`list_file` '.*none.txt' cannot be read"):
        read_mask_list(str(tmp_path / 'none.txt'))
    with pytest.raises(ValueError, match='not both'):
        MaskFolder('train', name_rule='{stem}.png', list_file='x')


def test_exists_lists_each_folder_once(tmp_path, monkeypatch) -> None:
    (tmp_path / 'm').mkdir()
    (tmp_path / 'm' / 'x.png').touch()
    store = MaskFolder(str(tmp_path), str(tmp_path / 'm'))
    calls = []
    listdir = os.listdir
    monkeypatch.setattr(os, 'listdir', lambda path: calls.append(path) or listdir(path))
    found = [store.exists(str(tmp_path / 'm' / name)) for name in ('x.png', 'y.png', 'x.png')]
    assert found == [True, False, True]
    assert len(calls) == 1
    assert not store.exists(str(tmp_path / 'nowhere' / 'x.png'))
    store.forget()
    (tmp_path / 'm' / 'y.png').touch()
    assert store.exists(str(tmp_path / 'm' / 'y.png'))


def test_write_and_read_a_mask(tmp_path) -> None:
    mask = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)
    path = str(tmp_path / 'new' / 'folder' / 'm.png')
    write_mask(path, mask)
    data = np.frombuffer(read_mask_bytes(path), np.uint8)
    np.testing.assert_array_equal(cv2.imdecode(data, cv2.IMREAD_UNCHANGED), mask)
    assert os.listdir(os.path.dirname(path)) == ['m.png']
    assert os.stat(path).st_mode & 0o777 == 0o644
    with pytest.raises(FileNotFoundError):
        read_mask_bytes(str(tmp_path / 'none.png'))


@pytest.mark.parametrize('mask', [np.zeros((2, 2)), np.zeros((2, 2, 1), np.uint8),
                                  np.zeros((0, 2), np.uint8)])  # fmt: skip
def test_write_mask_refuses_other_arrays(tmp_path, mask) -> None:
    with pytest.raises(ValueError, match=r'a mask must be \(H, W\) uint8'):
        write_mask(str(tmp_path / 'm.png'), mask)
