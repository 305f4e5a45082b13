import json

import numpy as np

from bgaug_mm.datasets.worlds.coco_layout import CocoAnnotations
from bgaug_mm.datasets.worlds.run_lengths import decode_mask
from bgaug_mm.datasets.worlds.scenes import Scene, SceneObject


def test_by_hand():
    mask = np.zeros((4, 6), bool)
    mask[1:3, 2:5] = True
    mask[1, 2] = False  # a corner is covered
    scene = Scene(np.zeros((4, 6, 3), np.uint8), [SceneObject(1, mask, 5 / 6)], 1)
    empty = Scene(scene.image, [], 0)
    annotations = CocoAnnotations(['cat', 'dog'], ['sand', 'sea'], description='d')
    annotations.add(empty, 'a.jpg')
    annotations.add(scene, 'b.jpg')
    file = annotations.file('annotations/instances_x.json')
    assert file.path == 'annotations/instances_x.json'
    content = json.loads(file.content)
    assert content['categories'] == [{'id': 1, 'name': 'cat'}, {'id': 2, 'name': 'dog'}]
    assert content['images'][1] == {
        'id': 2, 'file_name': 'b.jpg', 'width': 6, 'height': 4, 'background': 'sea'
    }  # fmt: skip
    (row,) = content['annotations']
    np.testing.assert_array_equal(decode_mask(row.pop('segmentation')), mask)
    assert row == {
        'id': 1, 'image_id': 2, 'category_id': 2, 'bbox': [2, 1, 3, 2], 'area': 5, 'iscrowd': 0,
        'visible': 0.8333,
    }  # fmt: skip
