import xml.etree.ElementTree as ET

import numpy as np

from bgaug_mm.datasets.worlds.scenes import Scene, SceneObject
from bgaug_mm.datasets.worlds.voc_layout import voc_annotation


def test_by_hand():
    masks = np.zeros((2, 4, 6), bool)
    masks[0, 1:3, 2:5] = True
    masks[1, 0, 0] = True
    objects = [SceneObject(1, masks[0], 0.5), SceneObject(0, masks[1], 0.49)]
    scene = Scene(np.zeros((4, 6, 3), np.uint8), objects, 0)
    file = voc_annotation(scene, ['cat', 'A & B'], name='000007', folder='VOC2007', database='d')
    assert file.path == 'VOC2007/Annotations/000007.xml'
    root = ET.fromstring(file.content)
    assert root.findtext('filename') == '000007.jpg'
    assert [root.findtext(f'size/{key}') for key in ('width', 'height', 'depth')] == ['6', '4', '3']
    rows = [
        [node.findtext(key) for key in ('name', 'difficult', 'truncated')]
        + [int(edge.text) for edge in node.find('bndbox')]
        for node in root.findall('object')
    ]
    # first and last pixel, counted from 1
    assert rows == [['A & B', '0', '0', 3, 2, 5, 3], ['cat', '1', '0', 1, 1, 1, 1]]
    assert [edge.tag for edge in root.find('object/bndbox')] == ['xmin', 'ymin', 'xmax', 'ymax']
