import json
from pathlib import Path

import pytest
from mmengine.registry import DATASETS

import bgaug_mm  # noqa: F401
from bgaug_mm.datasets.robustness import IMAGENET9_SUBSETS, ImageNet9, read_in_to_in9


@pytest.fixture(scope='module')
def root(layouts, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('in9')
    layouts.imagenet9(root)
    return root / 'bg_challenge'


@pytest.mark.parametrize('subset', IMAGENET9_SUBSETS)
def test_labels_are_the_numbers_of_the_folders(root, subset):
    config = dict(type='bgaug_mm.ImageNet9', data_root=str(root), subset=subset)
    dataset = DATASETS.build(config)
    assert len(dataset) == 18
    for index in (0, 5, 17):
        sample = dataset[index]
        assert sample['gt_label'] == index // 2
        assert Path(sample['img_path']).parent.name.startswith(f'{index // 2:02d}_')
        assert dataset.folder in Path(sample['img_path']).parents
    assert dataset.metainfo['classes'][2] == 'wheeled vehicle'
    assert dataset.metainfo['label_map'][:11] == (*[0] * 10, 1)
    assert dataset.metainfo['num_classes'] == 9


def test_training_images_lie_in_a_folder_of_their_own(layouts, tmp_path):
    layouts.imagenet9(tmp_path)
    folder = tmp_path / 'bg_challenge'
    with pytest.raises(FileNotFoundError, match=r'original/train is missing.*"Training Data" of'):
        ImageNet9(folder, split='train')
    (folder / 'original/val').rename(folder / 'original/train')
    assert len(ImageNet9(folder, split='train')) == 18


def test_without_a_map_there_is_none_unless_named(layouts, tmp_path):
    layouts.imagenet9(tmp_path, label_map=False)
    folder = tmp_path / 'bg_challenge'
    assert ImageNet9(folder).metainfo['label_map'] is None
    with pytest.raises(FileNotFoundError, match=r'in_to_in9\.json is missing.*github\.com/Madry'):
        ImageNet9(folder, label_map='in_to_in9.json')


def test_a_missing_set_or_class_is_named(layouts, tmp_path):
    layouts.imagenet9(tmp_path)
    folder = tmp_path / 'bg_challenge'
    (folder / 'no_fg').rename(folder / 'nofg')
    with pytest.raises(
        FileNotFoundError, match=r'no_fg/val is missing.*backgrounds_challenge_data'
    ):
        ImageNet9(folder, 'no_fg')
    (folder / 'only_fg/val/03_reptile').rename(folder / 'only_fg/03_reptile')
    with pytest.raises(ValueError, match='only_fg/val misses 1 of its 9 class folders: 03_'):
        ImageNet9(folder, 'only_fg')
    (folder / 'original/val/stray').mkdir()
    with pytest.raises(ValueError, match='no class of the set: stray'):
        ImageNet9(folder)
    (folder / 'original/val/stray').rmdir()
    (folder / 'original/val/03_snake').mkdir()
    with pytest.raises(ValueError, match='has two folders of one class: .*03_reptile, 03_snake'):
        ImageNet9(folder)
    with pytest.raises(ValueError, match="`split` must be 'val' or 'train', but got 'test'"):
        ImageNet9(folder, split='test')
    with pytest.raises(ValueError, match="`subset` must be one of .* but got 'train'"):
        ImageNet9(folder, 'train')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'17': None}, "does not cover 1 of ImageNet's classes, first 17"),
        ({'17': 9}, 'maps to 9, which is not in -1..8'),
        ({str(n): -1 for n in range(80, 90)}, 'no class of ImageNet to the class 8'),
    ],
)
def test_a_map_with_gaps_is_refused(tmp_path, change, message):
    content = {str(n): n // 10 if n < 90 else -1 for n in range(1000)} | change
    path = tmp_path / 'map.json'
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}))
    with pytest.raises(ValueError, match=message):
        read_in_to_in9(path)
    path.write_text('[1, 2')
    with pytest.raises(ValueError, match=r'map\.json is not a JSON file'):
        read_in_to_in9(path)
    path.write_text('[1, 2]')
    with pytest.raises(ValueError, match='must map class numbers'):
        read_in_to_in9(path)
