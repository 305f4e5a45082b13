from pathlib import Path

import pytest

from bgaug_mm.datasets.robustness import ImageNetA, ImageNetR, ImageNetSketch
from bgaug_mm.registry import DATASETS


@pytest.fixture(scope='module')
def root(layouts, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('folders')
    layouts.imagenet_a(root)
    layouts.imagenet_a(root, 'imagenet-r')
    layouts.class_folders(root / 'sketch', layouts.WNIDS, list(range(1000)), '.JPEG')
    return root


@pytest.mark.parametrize(('cls', 'folder'), [(ImageNetA, 'imagenet-a'), (ImageNetR, 'imagenet-r')])
def test_subset_of_200_classes_in_imagenets_numbers(root, layouts, cls, folder):
    dataset = cls(root / folder, layouts.WNIDS)
    assert [dataset[i]['gt_label'] for i in range(200)] == list(range(0, 1000, 5))
    assert Path(dataset[3]['img_path']).parent.name == layouts.WNIDS[15]
    assert dataset.metainfo['class_indices'] == tuple(range(0, 1000, 5))
    assert dataset.metainfo['num_classes'] == 1000


def test_sketch_has_all_classes(root, layouts):
    config = dict(type='bgaug_mm.ImageNetSketch', data_root=str(root / 'sketch'))
    dataset = DATASETS.build(dict(config, wnids=str(root / 'sketch')))
    assert [dataset[i]['gt_label'] for i in (0, 1, 999)] == [0, 1, 999]
    assert dataset.metainfo['class_indices'] is None


def test_what_is_missing_is_named(layouts, tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r'imagenet-a is missing.*imagenet-a\.tar and put it there'
    ):
        ImageNetA(tmp_path / 'imagenet-a', layouts.WNIDS)
    layouts.imagenet_a(tmp_path)
    folder = tmp_path / 'imagenet-a'
    with pytest.raises(ValueError, match=r"`wnids` lists 999 .*, not ImageNet-1k's 1000"):
        ImageNetA(folder, layouts.WNIDS[1:])
    with pytest.raises(ValueError, match="README.txt lists ids that are not among ImageNet's: n1"):
        ImageNetA(folder, [*layouts.WNIDS[1:], 'n99999999'])
    with pytest.raises(FileNotFoundError, match="nowhere is missing: ImageNet's WordNet ids are"):
        ImageNetA(folder, tmp_path / 'nowhere')
    for wnid in (layouts.WNIDS[5], layouts.WNIDS[20]):
        (folder / wnid).rename(tmp_path / wnid)
    with pytest.raises(ValueError, match='misses 2 of its 200 class folders: ' + layouts.WNIDS[5]):
        ImageNetA(folder, layouts.WNIDS)
    (folder / 'README.txt').rename(tmp_path / 'README.txt')
    with pytest.raises(FileNotFoundError, match=r'README.txt is missing: the list of its classes'):
        ImageNetA(folder, layouts.WNIDS)
    (folder / 'README.txt').write_text('n1 is no id\n')
    with pytest.raises(ValueError, match='lists no WordNet ids'):
        ImageNetA(folder, layouts.WNIDS)


def test_an_empty_class_folder_is_named(layouts, tmp_path):
    layouts.class_folders(tmp_path, layouts.WNIDS, list(range(1000)), '.JPEG')
    next((tmp_path / layouts.WNIDS[7]).iterdir()).unlink()
    with pytest.raises(ValueError, match=layouts.WNIDS[7] + ' has no images .jpeg, .jpg, .png'):
        ImageNetSketch(tmp_path, layouts.WNIDS)
