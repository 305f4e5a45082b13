import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets.worlds.detection import DetectionSet, detection_files, size_name
from bgaug_mm.datasets.worlds.run_lengths import decode_mask
from bgaug_mm.datasets.worlds.scenes import SceneOptions, compose_scene

OPTIONS = SceneOptions(size=64, labels=(0, 2), objects=(1, 4), scale=(0.2, 0.8))
SETS = [
    DetectionSet('train', 'trainval', 'train', 8, OPTIONS),
    DetectionSet('val', 'test', 'test', 3, replace(OPTIONS, rho=1.0)),
]


@pytest.fixture
def files(blocks):
    return {file.path: file for file in detection_files(blocks, SETS, database='d')}


def test_paths(files):
    numbers = [f'{number:06d}' for number in range(1, 12)]
    assert set(files) == {
        *(f'VOC2007/JPEGImages/{number}.jpg' for number in numbers),
        *(f'VOC2007/Annotations/{number}.xml' for number in numbers),
        'VOC2007/ImageSets/Main/trainval.txt',
        'VOC2007/ImageSets/Main/test.txt',
        'annotations/instances_train.json',
        'annotations/instances_val.json',
        'objects.csv',
        'samples.png',
    }
    lines = files['VOC2007/ImageSets/Main/test.txt'].content.decode().splitlines()
    assert lines == numbers[8:]


@pytest.mark.parametrize(('part', 'first'), [(SETS[0], 1), (SETS[1], 9)])
def test_both_layouts_say_what_the_scenes_hold(blocks, files, part, first):
    coco = json.loads(files[f'annotations/instances_{part.coco}.json'].content)
    assert [c['name'] for c in coco['categories']] == ['a', 'c']
    assert len(coco['images']) == part.images
    for index, entry in enumerate(coco['images']):
        scene = compose_scene(blocks, part.fold, index, part.options)
        name = f'{first + index:06d}'
        assert entry['file_name'] == f'{name}.jpg'
        assert entry['background'] == blocks.backgrounds[scene.background]
        file = files[f'VOC2007/JPEGImages/{name}.jpg']
        np.testing.assert_array_equal(file.pixels, scene.image)
        decoded = np.asarray(Image.open(BytesIO(file.content))).astype(int)
        assert decoded.shape == (64, 64, 3)
        assert abs(decoded[..., 1] - scene.image[..., 1]).mean() < 12
        rows = [a for a in coco['annotations'] if a['image_id'] == entry['id']]
        nodes = ET.fromstring(files[f'VOC2007/Annotations/{name}.xml'].content).findall('object')
        assert len(rows) == len(nodes) == len(scene.objects) > 0
        for row, node, item in zip(rows, nodes, scene.objects, strict=True):
            np.testing.assert_array_equal(decode_mask(row['segmentation']), item.mask)
            left, top, width, height = row['bbox']
            edges = [int(edge.text) for edge in node.find('bndbox')]
            assert edges == [left + 1, top + 1, left + width, top + height]
            assert node.findtext('name') == ['a', 'c'][row['category_id'] - 1]


def test_counts(files):
    lines = files['objects.csv'].content.decode().splitlines()
    assert lines[0] == 'set,class,small,medium,large,difficult'
    assert [line.split(',')[:2] for line in lines[1:]] == [
        ['train', 'a'], ['train', 'c'], ['val', 'a'], ['val', 'c']
    ]  # fmt: skip
    for set_name in ('train', 'val'):
        rows = json.loads(files[f'annotations/instances_{set_name}.json'].content)['annotations']
        counts = np.array(
            [line.split(',')[2:] for line in lines if line.startswith(set_name)], int
        ).sum(0)
        small = sum(row['area'] < 32 * 32 for row in rows)
        hidden = sum(row['visible'] < 0.5 for row in rows)
        assert counts.tolist() == [small, len(rows) - small, 0, hidden]


@pytest.mark.parametrize(
    ('area', 'name'), [(1, 'small'), (1023, 'small'), (1024, 'medium'), (9215, 'medium'),
                       (9216, 'large')]
)  # fmt: skip
def test_size_name(area, name):
    assert size_name(area) == name
