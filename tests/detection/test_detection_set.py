"""The mini detection set as pycocotools and mmdet read it."""

import json
import runpy

import numpy as np
import pytest

from bgaug_mm.environment import require_detection

try:
    require_detection()
except ImportError as error:
    pytest.skip(str(error), allow_module_level=True)

CLASSES = ('0', '2', '6', '7')


@pytest.fixture(scope='module')
def world(root, tmp_path_factory):
    out = tmp_path_factory.mktemp('detection') / 'digits'
    tool = runpy.run_path(str(root / 'tools/dataset_converters/make_detection_world.py'))['main']
    tool([str(out), '--train-images', '6', '--val-images', '30'])
    return out


@pytest.fixture(scope='module')
def coco(world):
    from pycocotools.coco import COCO

    return COCO(str(world / 'annotations/instances_val.json'))


def test_pycocotools_decodes_the_same_masks(coco):
    from pycocotools import mask as codec

    from bgaug_mm.datasets.worlds.run_lengths import decode_mask

    assert len(coco.anns) > 40
    for row in coco.anns.values():
        mask = coco.annToMask(row)
        np.testing.assert_array_equal(mask, decode_mask(row['segmentation']))
        encoded = coco.annToRLE(row)
        assert codec.area(encoded) == row['area']
        assert codec.toBbox(encoded).tolist() == row['bbox']


@pytest.mark.parametrize('kind', ['bbox', 'segm'])
def test_perfect_results_have_ap_1_at_every_size(coco, kind):
    from pycocotools.cocoeval import COCOeval

    found = coco.loadRes(
        [
            {key: row[key] for key in ('image_id', 'category_id')}
            | {'score': 1.0}
            | ({'bbox': row['bbox']} if kind == 'bbox' else {'segmentation': coco.annToRLE(row)})
            for row in coco.anns.values()
        ]
    )
    evaluation = COCOeval(coco, found, kind)
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    # AP, AP50, AP75, small, medium, large
    np.testing.assert_allclose(evaluation.stats[:6], 1)
    for row in coco.anns.values():
        row['category_id'] = row['category_id'] % 4 + 1
    try:
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    finally:
        for row in coco.anns.values():
            row['category_id'] = (row['category_id'] - 2) % 4 + 1
    assert evaluation.stats[0] < 0.2


def test_mmdet_reads_the_same_objects_from_both_layouts(world):
    from mmdet.datasets import CocoDataset, VOCDataset

    common = dict(data_root=str(world), metainfo=dict(classes=CLASSES), test_mode=True)
    coco = CocoDataset(
        ann_file='annotations/instances_val.json',
        data_prefix=dict(img='VOC2007/JPEGImages/'),
        **common,
    )
    voc = VOCDataset(
        ann_file='VOC2007/ImageSets/Main/test.txt',
        data_prefix=dict(sub_data_root='VOC2007/'),
        **common,
    )
    content = json.loads((world / 'annotations/instances_val.json').read_text())
    visible = iter(row['visible'] for row in content['annotations'])
    assert len(coco) == len(voc) == 30
    for one, two in zip(coco, voc, strict=True):
        assert one['img_path'] == two['img_path']
        assert (one['width'], one['height']) == (two['width'], two['height']) == (256, 256)
        for ours, theirs in zip(one['instances'], two['instances'], strict=True):
            assert ours['bbox_label'] == theirs['bbox_label']
            # mmdet takes VOC's last pixel for the far edge
            assert theirs['bbox'] == [*ours['bbox'][:2], *(edge - 1 for edge in ours['bbox'][2:])]
            assert ours['ignore_flag'] == 0
            assert theirs['ignore_flag'] == (next(visible) < 0.5)
