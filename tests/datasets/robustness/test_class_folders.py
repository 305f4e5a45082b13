import pytest

from bgaug_mm.datasets.robustness import imagenet_wnids
from bgaug_mm.datasets.robustness.class_folders import (
    images_in,
    labelled_images,
    read_json,
    some,
    wnids_in,
)


def test_wnids_of_a_folder_of_a_file_and_of_a_list(layouts, tmp_path):
    for wnid in layouts.WNIDS:
        (tmp_path / 'train' / wnid).mkdir(parents=True)
    (tmp_path / 'train/other').mkdir()
    (tmp_path / 'LOC.txt').write_text(''.join(f'{w} a, b\n' for w in reversed(layouts.WNIDS)))
    # mmpretrain's meta/train.txt has many lines a class
    lines = ''.join(f'{w}/{w}_{i}.JPEG 3\n' for w in layouts.WNIDS for i in range(2))
    (tmp_path / 'train.txt').write_text(lines)
    for source in ('train', 'LOC.txt', 'train.txt'):
        assert imagenet_wnids(tmp_path / source) == layouts.WNIDS
    assert imagenet_wnids(layouts.WNIDS[::-1]) == layouts.WNIDS
    (tmp_path / 'train' / layouts.WNIDS[0]).rmdir()
    with pytest.raises(ValueError, match="train lists 999 WordNet ids, not ImageNet-1k's 1000"):
        imagenet_wnids(tmp_path / 'train')
    assert wnids_in(tmp_path / 'train')[0] == layouts.WNIDS[1]


def test_images_are_sorted_and_others_left_out(tmp_path):
    for name in ('b.JPEG', 'a.png', 'c.jpg', 'README.txt', 'd.JPG'):
        (tmp_path / name).touch()
    assert [path[len(str(tmp_path)) + 1 :] for path in images_in(tmp_path)] == [
        'a.png', 'b.JPEG', 'c.jpg', 'd.JPG'
    ]  # fmt: skip


def test_folders_of_other_classes_are_passed_by(tmp_path):
    for name in ('x/1.png', 'y/2.png', '.cache/3.png'):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    found = list(labelled_images(tmp_path, {'y': [4, 5]}, others=['x', 'z']))
    assert found == [(str(tmp_path / 'y/2.png'), [4, 5])]
    with pytest.raises(ValueError, match='1 folders that are no class of the set: x'):
        list(labelled_images(tmp_path, {'y': 0}))


def test_names_are_cut_short():
    assert some(list('abc'), 3) == 'a, b, c'
    assert some(list('abcde'), 3) == 'a, b, c and 2 more'


def test_json_that_is_none_is_named(tmp_path):
    (tmp_path / 'x.json').write_bytes(b'\xff\xfe{')
    with pytest.raises(ValueError, match=r'x\.json is not a JSON file'):
        read_json(tmp_path / 'x.json')
