"""Classes of annotations against those of the config, in datasets as mmdet's look."""

import json
from types import SimpleNamespace

import pytest
from mmengine.runner import BaseLoop

from bgaug_mm.detection import KnownClassesHook
from bgaug_mm.registry import HOOKS


class Loop(BaseLoop):
    def __init__(self, dataset, metrics=()):
        super().__init__(None, SimpleNamespace(dataset=dataset))
        self.evaluator = SimpleNamespace(metrics=list(metrics))

    def run(self):
        pass


@pytest.fixture
def voc(annotations, tmp_path):
    def make(found, classes):
        folder = tmp_path / '_'.join(found)
        annotations.voc(folder, 'trainval', [f'{i:06d}' for i in range(len(found))], found)

        class Voc:
            ann_file = str(folder / 'ImageSets/Main/trainval.txt')
            ann_subdir = 'Annotations'
            metainfo = dict(classes=classes)

            def __len__(self):
                return len(found)

            def get_data_info(self, index):
                return dict(xml_path=str(folder / f'Annotations/{index:06d}.xml'))

        return Voc()

    return make


@pytest.fixture
def coco(annotations, tmp_path):
    def make(found, classes):
        annotations.coco(tmp_path, 'train', found, images=1)
        ids = [i for i, name in enumerate(found, 1) if name in classes]
        path = str(tmp_path / 'annotations/instances_train.json')
        return SimpleNamespace(cat_ids=ids, ann_file=path, metainfo=dict(classes=classes))

    return make


def check(*, train=None, val=None, **options):
    hook = HOOKS.build(dict(type='bgaug_mm.KnownClassesHook', **options))
    hook.before_run(SimpleNamespace(_train_loop=train, _val_loop=val, _test_loop=dict()))


def test_voc(voc):
    dataset = voc(['cat', 'dog', 'cow'], ('cat', 'dog'))
    nested = SimpleNamespace(dataset=SimpleNamespace(datasets=[dataset]))
    message = r'trainval\.txt: objects of the unknown classes cow \(known: cat, dog\)\. Name them'
    for one in (dataset, nested):
        with pytest.raises(ValueError, match=message):
            check(train=Loop(one))
        check(train=Loop(one), left_out=['cow'])
    # a class without objects is a matter of chance
    check(train=Loop(voc(['cat'], ('cat', 'dog'))))


def test_coco_file_without_a_class(coco):
    dataset = coco(['cat', 'dog'], ('cat', 'cow'))
    message = r'instances_train\.json lacks the classes cow; it has cat, dog\. Name its classes'
    with pytest.raises(ValueError, match=message):
        check(train=Loop(dataset))
    check(train=Loop(coco(['cat', 'dog'], ('dog', 'cat'))))


def test_coco_evaluation_of_unknown_classes(coco, tmp_path):
    dataset = coco(['cat', 'dog'], ('cat',))
    content = json.loads((tmp_path / 'annotations/instances_train.json').read_text())
    metric = SimpleNamespace(_coco_api=SimpleNamespace(dataset=content))
    with pytest.raises(ValueError, match=r'evaluated annotations: objects of the unknown .* dog'):
        check(val=Loop(dataset, [metric]))
    check(val=Loop(dataset, [SimpleNamespace(_coco_api=None), SimpleNamespace()]))


def test_nothing_to_compare():
    check(train=Loop(SimpleNamespace(metainfo={})), val=None)
    assert isinstance(KnownClassesHook(left_out=['a']).left_out, frozenset)
