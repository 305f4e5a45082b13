import json

import pytest

from bgaug_mm.datasets.robustness import ImageNetReaL, ImageNetVal


@pytest.fixture
def root(layouts, tmp_path):
    layouts.imagenet(tmp_path)
    layouts.imagenet_real(tmp_path)
    return tmp_path / 'imagenet'


def test_class_folders(root, layouts):
    dataset = ImageNetVal(root, root / 'train')
    assert [dataset[i]['gt_label'] for i in (0, 1, 999)] == [0, 1, 999]
    assert layouts.WNIDS[1] in dataset[1]['img_path']


def test_one_folder_with_a_list(root):
    images = sorted((root / 'val').rglob('*.JPEG'), key=lambda path: path.name)
    labels = {path.name: 999 - i for i, path in enumerate(images)}
    for path in images:
        path.rename(root / 'val' / path.name)
        path.parent.rmdir()
    with pytest.raises(FileNotFoundError, match=r'meta/val\.txt is missing'):
        ImageNetVal(root)
    (root / 'meta').mkdir()
    listing = root / 'meta/val.txt'
    listing.write_text(''.join(f'{name} {label}\n' for name, label in labels.items()))
    dataset = ImageNetVal(root, 'no wnids needed')
    assert len(dataset) == 1000
    sample = dataset[7]
    assert sample == {**sample, 'img_path': str(images[7].parents[1] / images[7].name)}
    assert sample['gt_label'] == 992
    assert ImageNetReaL(root)[0]['gt_label'] == [999]
    lines = listing.read_text().splitlines(keepends=True)
    listing.write_text(''.join(lines[:-1]))
    with pytest.raises(ValueError, match=r'val\.txt does not cover 1 images of .*_00001000\.JPEG'):
        ImageNetVal(root)
    listing.write_text(''.join([*lines, 'ILSVRC2012_val_00001001.JPEG 7\n']))
    with pytest.raises(ValueError, match=r'val misses 1 of the 1001 images .*_00001001\.JPEG'):
        ImageNetVal(root)
    listing.write_text('ILSVRC2012_val_00000001.JPEG\n')
    with pytest.raises(ValueError, match=r'`ILSVRC2012_val_00000001.JPEG` is not a file name and'):
        ImageNetVal(root)


def test_reassessed_labels_go_by_the_number_in_the_name(root):
    dataset = ImageNetReaL(root)
    assert len(dataset) == 750  # every fourth has no label
    found = {d['img_path'][-13:-5]: d['gt_label'] for d in map(dataset.get_data_info, range(750))}
    assert found['00000001'] == [999]  # index 0
    assert '00000002' not in found
    assert found['00000003'] == [3]
    assert found['00000004'] == [5, 996]


def test_labels_that_do_not_fit_the_images(root):
    path = root / 'real.json'
    real = json.loads(path.read_text())
    path.write_text(json.dumps(real[:-1]))
    with pytest.raises(ValueError, match=r'real\.json has labels of 999 images, but .* has 1000'):
        ImageNetReaL(root)
    path.write_text('{}')
    with pytest.raises(ValueError, match='must be a list of lists'):
        ImageNetReaL(root)
    path.write_text(json.dumps(real))
    image = next((root / 'val').rglob('*_00000017.JPEG'))
    image.rename(image.with_name('ILSVRC2012_val_00001017.JPEG'))
    with pytest.raises(ValueError, match=r'does not cover .*_00001017\.JPEG'):
        ImageNetReaL(root)
    image.with_name('ILSVRC2012_val_00001017.JPEG').rename(image.with_name('x.JPEG'))
    with pytest.raises(ValueError, match=r'x\.JPEG is not named ILSVRC2012_val_'):
        ImageNetReaL(root)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r'reassessed-imagenet/blob/master/real\.json and'):
        ImageNetReaL(root)
