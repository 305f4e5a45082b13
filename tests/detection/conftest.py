"""Generated data in COCO's and in VOC's layout, and a checkpoint with marks."""

import json
import runpy
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config

from bgaug_mm.environment import require_detection


@pytest.fixture(scope='session')
def mmdet():
    """mmdet's module; the test skips where detection is not installed."""
    try:
        require_detection()
    except ImportError:
        pytest.skip('needs mmdet, and mmcv with its operations: make detection')
    import mmdet.models

    return mmdet


@pytest.fixture(autouse=True)
def quick_logs(monkeypatch):
    """The text of a config, which the runner lays out five times, takes most of a run."""
    monkeypatch.setattr(Config, 'pretty_text', 'x = 1\n')


def _image(path, rng):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))


def write_voc(folder, listing, names, classes):
    """Images with one object each, of the classes in turn."""
    rng = np.random.default_rng(0)
    for number, name in enumerate(names):
        _image(folder / f'JPEGImages/{name}.jpg', rng)
        root = ET.Element('annotation')
        size = ET.SubElement(root, 'size')
        item = ET.SubElement(root, 'object')
        ET.SubElement(item, 'name').text = classes[number % len(classes)]
        ET.SubElement(item, 'difficult').text = '0'
        box = ET.SubElement(item, 'bndbox')
        sides = dict(width=64, height=48), dict(xmin=5, ymin=5, xmax=40, ymax=36)
        for parent, values in zip((size, box), sides, strict=True):
            for key, value in values.items():
                ET.SubElement(parent, key).text = str(value)
        path = folder / f'Annotations/{name}.xml'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(ET.tostring(root))
    path = folder / f'ImageSets/Main/{listing}.txt'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(f'{name}\n' for name in names))


def write_coco(root, part, classes, images=4):
    """Images with one object each, of the classes in turn."""
    rng = np.random.default_rng(1)
    content = {'images': [], 'annotations': []}
    content['categories'] = [{'id': i, 'name': name} for i, name in enumerate(classes, 1)]
    for number in range(1, images + 1):
        name = f'{number:012d}.jpg'
        _image(root / part / name, rng)
        content['images'].append({'id': number, 'file_name': name, 'width': 64, 'height': 48})
        content['annotations'].append(
            {
                'id': number,
                'image_id': number,
                'category_id': number,
                'bbox': [5, 5, 36, 32],
                'area': 36 * 32,
                'iscrowd': 0,
                'segmentation': [[5, 5, 41, 5, 41, 37, 5, 37]],
            }
        )
    path = root / f'annotations/instances_{part}.json'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


@pytest.fixture(scope='session')
def annotations():
    """Writers of annotated images: ``voc`` and ``coco``."""
    return SimpleNamespace(voc=write_voc, coco=write_coco)


@pytest.fixture(scope='session')
def work(tmp_path_factory, mmdet, root):
    """A folder with data/ as every detection config expects it below the working directory."""
    from mmdet.datasets import CocoDataset, VOCDataset

    work = tmp_path_factory.mktemp('detection')
    voc, coco = work / 'data/VOCdevkit', work / 'data/coco'
    names = VOCDataset.METAINFO['classes']
    write_voc(voc / 'VOC2007', 'trainval', ['000001', '000003'], names)
    write_voc(voc / 'VOC2007', 'test', ['000002', '000004'], names)
    write_voc(voc / 'VOC2012', 'trainval', ['2008_000001', '2008_000002'], names)
    for part in ('train2017', 'val2017'):
        write_coco(coco, part, CocoDataset.METAINFO['classes'])
    make = runpy.run_path(str(root / 'tools/dataset_converters/make_detection_world.py'))['main']
    options = ['--train-images', '4', '--val-images', '4', '--size', '96']
    make([str(work / 'data/digits_detection'), '--foregrounds', 'digits', *options])
    return work


@pytest.fixture(scope='session')
def marked(tmp_path_factory, mmdet):
    """``marked(depth, width)``: a pre-training checkpoint, and its online backbone's weights.

    The target network beside it has other weights.
    """
    from mmdet.models.backbones import ResNet

    made, folder = {}, tmp_path_factory.mktemp('checkpoints')

    def make(depth, width=64):
        if (depth, width) not in made:
            torch.manual_seed(depth)
            state = ResNet(depth, stem_channels=width, base_channels=width).state_dict()
            weights = {
                key: value + 0.01 if value.dim() == 1 else value * 1.01
                for key, value in state.items()
                if value.dim()
            }
            content = {f'backbone.{key}': value for key, value in weights.items()}
            content |= {f'target_net.module.0.{key}': -value for key, value in weights.items()}
            path = folder / f'resnet{depth}_{width}.pth'
            torch.save({'state_dict': content, 'meta': {}}, path)
            made[depth, width] = path, weights
        return made[depth, width]

    return make
