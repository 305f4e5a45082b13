"""Real photos of PASCAL VOC 2011 with boxes, through mmdet's reader to our metric.

Three come with the sdist of labelme on PyPI. It is fetched once, into the user's cache;
the tests skip where it cannot be.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from mmengine.evaluator import Evaluator

from bgaug_mm.files import write_bytes
from bgaug_mm.registry import METRICS

SDIST = 'labelme-5.8.3.tar.gz'
SHA256 = '1a9980ce1356a27918e21a20c8dce626119a088e911b2b336ab5a2f15b0e66cd'
INSIDE = 'labelme-5.8.3/examples/bbox_detection/data_dataset_voc'
NAMES = ('2011_000003', '2011_000006', '2011_000025')
#: As the files have them; mmdet takes 1 off every edge and drops fractions.
BOXES = {
    '2011_000003': [('person', 191, 107, 313, 329), ('person', 365, 83, 500, 333)],
    '2011_000006': [
        ('person', 91, 107, 240, 330),
        ('person', 178, 110, 298, 282),
        ('person', 254, 115, 369, 292),
        ('person', 395, 81, 447, 117),
    ],
    '2011_000025': [
        ('bus', 84, 20, 435, 373),
        ('bus', 1, 99, 107, 282),
        ('car', 409, 167, 500, 266),
    ],
}


@pytest.fixture(scope='module')
def sdist(tmp_path_factory):
    """The sdist in the user's cache."""
    cache = Path(os.environ.get('XDG_CACHE_HOME') or Path.home() / '.cache') / 'bgaug_mm' / SDIST
    if not cache.is_file():
        folder = tmp_path_factory.mktemp('sdist')
        name, _, version = SDIST.removesuffix('.tar.gz').partition('-')
        command = [sys.executable, '-m', 'pip', 'download', '--quiet', '--no-deps']
        command += ['--disable-pip-version-check', '--retries', '1', '--timeout', '20']
        command += ['--no-binary', name, '--dest', str(folder), f'{name}=={version}']
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
            write_bytes(cache, (folder / SDIST).read_bytes())
        except (subprocess.SubprocessError, OSError) as error:
            said = (getattr(error, 'stderr', None) or str(error)).strip().splitlines()[-1]
            pytest.skip(f'pip could not fetch {SDIST}, and it is not at {cache}: {said}')
    assert hashlib.sha256(cache.read_bytes()).hexdigest() == SHA256, f'{cache} is another file'
    return cache


@pytest.fixture(scope='module')
def devkit(sdist, tmp_path_factory):
    """The photos in VOC's layout.

    labelme leaves <difficult/> empty, which VOC does not and mmdet cannot read: 0 there.
    """
    root = tmp_path_factory.mktemp('devkit')
    with tarfile.open(sdist) as archive:
        for name in NAMES:
            for path in (f'JPEGImages/{name}.jpg', f'Annotations/{name}.xml'):
                content = archive.extractfile(f'{INSIDE}/{path}').read()
                content = content.replace(b'<difficult/>', b'<difficult>0</difficult>')
                write_bytes(root / 'VOC2011' / path, content)
    listing = ''.join(f'{name}\n' for name in NAMES).encode()
    write_bytes(root / 'VOC2011/ImageSets/Main/test.txt', listing)
    return root


def read(devkit):
    from mmdet.datasets import VOCDataset
    from mmengine.registry import init_default_scope

    init_default_scope('mmdet')
    return VOCDataset(
        data_root=str(devkit),
        ann_file='VOC2011/ImageSets/Main/test.txt',
        data_prefix=dict(sub_data_root='VOC2011/'),
        test_mode=True,
        pipeline=[
            dict(type='LoadImageFromFile'),
            dict(type='LoadAnnotations', with_bbox=True),
            dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape')),
        ],
    )


def test_boxes_and_the_metric(mmdet, devkit):
    dataset = read(devkit)
    classes = dataset.metainfo['classes']
    evaluator = Evaluator([METRICS.build(dict(type='bgaug_mm.VOCAveragePrecision'))])
    evaluator.dataset_meta = dataset.metainfo
    for name, item in zip(NAMES, dataset, strict=True):
        sample = item['data_samples']
        assert sample.img_id == name
        assert item['inputs'].shape[1:] == sample.ori_shape
        assert sample.ori_shape == ((338, 500) if name == NAMES[0] else (375, 500))
        truth = sample.gt_instances
        truth.bboxes = truth.bboxes.tensor
        rows = [
            (classes[label], *(int(edge) + 1 for edge in box))
            for label, box in zip(truth.labels.tolist(), truth.bboxes.tolist(), strict=True)
        ]
        assert rows == BOXES[name]
        assert len(sample.ignored_instances) == 0
        sample.ignored_instances.bboxes = sample.ignored_instances.bboxes.tensor
        found = truth.clone()
        found.scores = truth.bboxes.new_ones(len(truth))
        if name == NAMES[2]:  # the car is not found: bus and person 100, car 0
            found = found[found.labels == classes.index('bus')]
        sample.pred_instances = found
        evaluator.process([sample])
    metrics = evaluator.evaluate(len(NAMES))
    for key in ('AP', 'AP50', 'AP75'):
        assert metrics[f'pascal_voc/{key}'] == pytest.approx(200 / 3)
