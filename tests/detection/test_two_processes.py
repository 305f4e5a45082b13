"""Training of detectors by two processes on the CPU, over gloo."""

import os
import subprocess
import sys

import pytest

OPTIONS = [
    'checkpoint=random', 'train_dataloader.batch_size=2', 'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False', 'val_dataloader.num_workers=0',
    'val_dataloader.persistent_workers=False', 'val_dataloader.batch_size=2',
    'default_hooks.logger.interval=1', 'model.test_cfg.rcnn.score_thr=0',
    'model.test_cfg.rpn.nms_pre=50', 'model.test_cfg.rpn.max_per_img=16',
]  # fmt: skip
CASES = {
    'faster-rcnn_tiny-c4_digits': (
        ['train_cfg.max_iters=2', 'train_cfg.val_interval=2', 'custom_hooks.2.num_iters=1'],
        'pascal_voc/AP75',
    ),
    'mask-rcnn_tiny-fpn_digits': (
        ['train_cfg.max_epochs=1', 'train_cfg.val_interval=1'],
        'coco/segm_mAP',
    ),
}


@pytest.mark.parametrize('name', CASES)
def test_trains_and_evaluates(name, work, root, tmp_path):
    options, metric = CASES[name]
    config = str(root / f'configs/detection/demo/{name}.py')
    done = subprocess.run(
        [
            'bash', str(root / 'tools/dist_train.sh'), config, '2', '--work-dir', str(tmp_path),
            '--data', str(work / 'data/digits_detection'),
            '--auto-scale-lr', '--cfg-options', *OPTIONS, *options,
        ],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, 'PYTHON': sys.executable, 'CUDA_VISIBLE_DEVICES': ''},
    )  # fmt: skip
    text = done.stdout + done.stderr
    assert done.returncode == 0, text[-3000:]
    assert 'Distributed launcher: pytorch' in text
    assert f'{metric}: ' in text
    # four images in batches of two by two processes: one step an epoch, of the rate for 16
    assert 'the current batch size is 4. Scaling the original LR by 0.25' in text
