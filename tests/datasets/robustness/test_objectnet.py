import json

import pytest

from bgaug_mm.datasets.robustness import ObjectNet


@pytest.fixture
def root(layouts, tmp_path):
    layouts.objectnet(tmp_path)
    return tmp_path / 'objectnet-1.0'


def test_only_classes_that_imagenet_has_with_all_its_matches(root):
    dataset = ObjectNet(root)
    labels = [dataset[i]['gt_label'] for i in range(len(dataset))]
    assert labels == [[423, 559]] * 3 + [[418]]
    assert dataset[3]['img_path'] == str(root / 'images/pen/a.png')
    assert (dataset.BORDER, dataset.metainfo['label_map']) == (2, None)


def change(root, name, edit):
    path = root / 'mappings' / name
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))


def test_a_folder_or_class_that_the_maps_do_not_cover(root):
    (root / 'images/fork').mkdir()
    with pytest.raises(ValueError, match='folder_to_objectnet_label.json does not cover .* fork'):
        ObjectNet(root)
    (root / 'images/fork').rmdir()
    change(root, 'objectnet_to_imagenet_1k.json', lambda content: content.update(Fork='thing 1'))
    with pytest.raises(ValueError, match='has no folder for the classes Fork'):
        ObjectNet(root)
    change(root, 'folder_to_objectnet_label.json', lambda content: content.update(fork='Fork'))
    with pytest.raises(
        ValueError, match="has no class 'thing 1', which the class 'Fork' is mapped"
    ):
        ObjectNet(root)
    change(root, 'objectnet_to_imagenet_1k.json', lambda content: content.pop('Fork'))
    change(root, 'pytorch_to_imagenet_2012_id.json', lambda content: content.pop('3'))
    with pytest.raises(ValueError, match="does not map ImageNet's classes 0 to 999"):
        ObjectNet(root)


def test_maps_of_another_form(root):
    change(root, 'objectnet_to_imagenet_1k.json', lambda content: content.update(Pen=['a']))
    with pytest.raises(
        ValueError, match=r"1k\.json: 'Pen' must be mapped to a name, but is to \['"
    ):
        ObjectNet(root)
    (root / 'mappings/folder_to_objectnet_label.json').write_text('[]')
    with pytest.raises(ValueError, match=r'label\.json must map names to names, but is a list'):
        ObjectNet(root)


@pytest.mark.parametrize('content', ['[1, 2]', '{"a": 1}', '{"1": null}'])
def test_numbers_that_are_none(root, content):
    (root / 'mappings/pytorch_to_imagenet_2012_id.json').write_text(content)
    with pytest.raises(ValueError, match=r'2012_id\.json does not map numbers to numbers'):
        ObjectNet(root)


def test_a_missing_map_or_class_folder(root):
    (root / 'images/pen/a.png').unlink()
    with pytest.raises(ValueError, match='images/pen has no images'):
        ObjectNet(root)
    (root / 'images/pen').rmdir()
    with pytest.raises(ValueError, match='images misses 1 of its 2 class folders: pen'):
        ObjectNet(root)
    (root / 'mappings/imagenet_to_label_2012_v2').unlink()
    with pytest.raises(
        FileNotFoundError, match=r'imagenet_to_label_2012_v2 is missing.*objectnet\.'
    ):
        ObjectNet(root)
