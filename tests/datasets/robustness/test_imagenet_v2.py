import pytest

from bgaug_mm.datasets.robustness import IMAGENET_V2_FOLDERS, ImageNetV2


def test_folders_are_numbers_not_texts(layouts, tmp_path):
    folder = tmp_path / IMAGENET_V2_FOLDERS['matched-frequency']
    layouts.imagenet_v2(tmp_path)
    dataset = ImageNetV2(folder)
    labels = [dataset[i]['gt_label'] for i in range(1000)]
    assert labels == list(range(1000))
    assert all(f'/{label}/' in dataset[label]['img_path'] for label in (0, 2, 10, 999))
    (folder / '10').rename(tmp_path / '10')
    with pytest.raises(ValueError, match='misses 1 of its 1000 class folders: 10'):
        ImageNetV2(folder)
    with pytest.raises(FileNotFoundError, match='vaishaal/ImageNetV2 and put it there'):
        ImageNetV2(tmp_path / 'x')
