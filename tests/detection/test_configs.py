"""Every config of configs/detection: its protocol in numbers, and two iterations of it."""

import json
import shutil

import pytest
import torch
from mmengine.config import Config

from bgaug_mm.compat.config_paths import config_root
from bgaug_mm.engine.launch import build_runner, main, train_config, train_parser

ROOT = config_root() / 'detection'
CONFIGS = sorted(
    path.relative_to(ROOT).as_posix() for path in ROOT.rglob('*.py') if '_base_' not in path.parts
)
#: Epochs or iterations, where the rate falls, iterations of warm-up, rate at 16 images.
PROTOCOL = {
    'voc0712/faster-rcnn_r50-c4_24k.py': (24000, [18000, 22000], 100, 0.02),
    'coco/mask-rcnn_r50-c4_1x.py': (12, [8, 11], 500, 0.02),
    'coco/mask-rcnn_r50-c4_2x.py': (24, [16, 22], 1000, 0.02),
    'coco/mask-rcnn_r50-fpn_1x.py': (12, [8, 11], 500, 0.02),
    'coco/mask-rcnn_r50-fpn_2x.py': (24, [16, 22], 1000, 0.02),
    'coco/retinanet_r50-fpn_1x.py': (12, [8, 11], 500, 0.01),
}
#: Small images and few regions.
SMALL = [
    'train_dataloader.batch_size=2', 'train_dataloader.num_workers=0',
    'train_dataloader.persistent_workers=False', 'val_dataloader.num_workers=0',
    'val_dataloader.batch_size=2', 'val_dataloader.persistent_workers=False',
    'val_dataloader.dataset.pipeline.1.scale=(96,64)', 'env_cfg.mp_cfg.mp_start_method=fork',
    'randomness.seed=0', 'default_hooks.checkpoint.interval=100',
]  # fmt: skip
FEW_REGIONS = [
    'model.train_cfg.rpn.sampler.num=16', 'model.train_cfg.rpn_proposal.nms_pre=50',
    'model.train_cfg.rpn_proposal.max_per_img=16', 'model.train_cfg.rcnn.sampler.num=8',
    'model.test_cfg.rpn.nms_pre=50', 'model.test_cfg.rpn.max_per_img=16',
    'model.test_cfg.rcnn.score_thr=0',  # COCO's metric needs a detection
]  # fmt: skip


def by_iteration(name):
    return 'c4_24k' in name or name.startswith('demo/faster')


def datasets(cfg):
    dataset = cfg.train_dataloader.dataset
    return dataset.get('datasets', [dataset])


def command(name, *options):
    small = [*SMALL, *(['model.test_cfg.score_thr=0'] if 'retinanet' in name else FEW_REGIONS)]
    small.append('train_cfg.max_iters=2' if by_iteration(name) else 'train_cfg.max_epochs=1')
    return [str(ROOT / name), '--work-dir', 'out', '--no-pin-memory', '--cfg-options', *small,
            *options]  # fmt: skip


@pytest.mark.parametrize('name', PROTOCOL)
def test_protocol(name, mmdet):
    cfg = Config.fromfile(ROOT / name)
    length, milestones, warmup, rate = PROTOCOL[name]
    iterations = by_iteration(name)
    assert cfg.train_cfg.type == ('IterBasedTrainLoop' if iterations else 'EpochBasedTrainLoop')
    assert cfg.train_cfg['max_iters' if iterations else 'max_epochs'] == length
    first, second = cfg.param_scheduler
    assert (first.type, first.begin, first.end, first.by_epoch) == ('LinearLR', 0, warmup, False)
    assert first.start_factor == 0.001
    assert (second.type, second.end, second.gamma) == ('MultiStepLR', length, 0.1)
    assert second.milestones == milestones and second.by_epoch is not iterations
    optimizer = cfg.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr) == ('SGD', rate)
    assert (optimizer.momentum, optimizer.weight_decay) == (0.9, 1e-4)
    # 8 GPUs with 2 images each
    assert (cfg.train_dataloader.batch_size, cfg.auto_scale_lr.base_batch_size) == (2, 16)
    for dataset in datasets(cfg):
        (resize,) = (step for step in dataset.pipeline if 'Resize' in step.type)
        assert resize.type == 'RandomChoiceResize' and resize.keep_ratio
        sides = range(480 if iterations else 640, 801, 32)
        assert [tuple(scale) for scale in resize.scales] == [(1333, side) for side in sides]
    assert tuple(cfg.test_dataloader.dataset.pipeline[1].scale) == (1333, 800)


def test_every_config_has_a_protocol():
    assert {name for name in CONFIGS if not name.startswith('demo/')} == set(PROTOCOL)


def test_voc_sets(mmdet):
    cfg = Config.fromfile(ROOT / 'voc0712/faster-rcnn_r50-c4_24k.py')
    assert [dataset.ann_file for dataset in datasets(cfg)] == [
        'VOC2007/ImageSets/Main/trainval.txt',
        'VOC2012/ImageSets/Main/trainval.txt',
    ]
    assert cfg.test_dataloader.dataset.ann_file == 'VOC2007/ImageSets/Main/test.txt'
    assert cfg.val_evaluator == cfg.test_evaluator == dict(type='bgaug_mm.VOCAveragePrecision')


@pytest.mark.parametrize('name', CONFIGS)
def test_takes_two_iterations(name, work, marked, monkeypatch, tmp_path):
    """And an evaluation; each tensor of backbone and shared head came from the checkpoint."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'data').symlink_to(work / 'data')
    path, weights = marked(*((18, 16) if name.startswith('demo/') else (50, 64)))
    options = [f'checkpoint={path}']
    if 'c4' in name:
        options.append('custom_hooks.2.num_iters=1')
    cfg = train_config(train_parser().parse_args(command(name, *options)))
    for dataset in datasets(cfg):
        dataset.pipeline[2].scales = [(96, 64), (96, 72)]
    runner = build_runner(cfg)
    start, metrics = {}, {}
    timer = runner.hooks[0]

    def note(inner, batch_idx, data_batch=None):
        if not start:
            start.update({k: v.clone() for k, v in inner.model.state_dict().items()})

    monkeypatch.setattr(timer, 'before_train_iter', note)
    monkeypatch.setattr(
        timer, 'after_val_epoch', lambda inner, metrics=None, found=metrics: found.update(metrics)
    )
    runner.train()
    assert runner.iter == 2

    own = {
        key: value
        for key, value in start.items()
        if key.startswith(('backbone.', 'roi_head.shared_head.'))
        and not key.endswith('num_batches_tracked')
    }
    new = {key for key in own if key.startswith('roi_head.shared_head.norm.')}
    assert len(new) == (4 if 'c4' in name else 0)
    for key in own.keys() - new:
        bare = key.removeprefix('backbone.').removeprefix('roi_head.shared_head.')
        assert torch.equal(own[key], weights[bare]), key
    assert len(own.keys() - new) == len(weights)

    model = runner.model.train()
    assert all(parameter.requires_grad for parameter in model.parameters())
    assert all(m.training for m in model.modules())
    for key in ('conv1.weight', 'layer3.0.conv1.weight'):
        assert not torch.equal(model.backbone.state_dict()[key], start[f'backbone.{key}'])
    assert model.data_preprocessor.mean.flatten().tolist() == pytest.approx(
        [123.675, 116.28, 103.53]
    )
    assert model.data_preprocessor._channel_conversion
    expected = {f'pascal_voc/{key}' for key in ('AP', 'AP50', 'AP75')}
    if 'faster' not in name:
        kinds = ['bbox'] if 'retinanet' in name else ['bbox', 'segm']
        expected = {f'coco/{kind}_mAP{part}' for kind in kinds for part in ('', '_50', '_75')}
    assert expected <= set(metrics)


def test_errors_say_what_to_do(work, marked, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'data').symlink_to(work / 'data')
    name = 'demo/faster-rcnn_tiny-c4_digits.py'

    def error(*options):
        capsys.readouterr()
        assert main(['train', *command(name, *options)]) == 2
        text = capsys.readouterr().err
        assert 'Traceback' not in text
        return text

    assert 'name the checkpoint with --cfg-options checkpoint=FILE' in error()
    deeper, _ = marked(50)
    text = error(f'checkpoint={deeper}')
    assert 'The file holds a ResNet-50, 64 wide; the backbone is a ResNet-18, 16 wide' in text
    path, _ = marked(18, 16)
    key = 'train_dataloader.dataset.ann_file'
    text = error(f'checkpoint={path}', f'{key}=VOC2007/none.txt')
    assert f'the annotations data/digits_detection/VOC2007/none.txt ({key}) do not exist' in text
    (tmp_path / 'empty.txt').write_text('')
    text = error(f'checkpoint={path}', f'{key}={tmp_path / "empty.txt"}')
    assert 'empty.txt: the dataset is empty, or no image is left by filter_cfg' in text
    cfg = train_config(train_parser().parse_args(command(name, f'checkpoint={path}')))
    cfg.train_dataloader.dataset.metainfo.classes = ('0', '2', '6', '8')
    message = r'trainval\.txt: objects of the unknown classes 7 \(known: 0, 2, 6, 8\)'
    with pytest.raises(ValueError, match=message):
        build_runner(cfg).train()


@pytest.mark.parametrize(
    ('damage', 'told'),
    [
        (('>0</difficult>', '></difficult>'), 'a tag is empty or missing'),
        (('<width>', '<breadth>'), 'mismatched tag'),
    ],
)
def test_a_damaged_voc_file_is_named(work, monkeypatch, tmp_path, capsys, damage, told):
    shutil.copytree(work / 'data/digits_detection', tmp_path / 'data')
    path = sorted((tmp_path / 'data/VOC2007/Annotations').iterdir())[0]
    name = 'demo/faster-rcnn_tiny-c4_digits.py'
    text = path.read_text()
    assert damage[0] in text
    path.write_text(text.replace(*damage))
    monkeypatch.chdir(tmp_path)
    argv = ['train', *command(name, 'checkpoint=random'), '--data', 'data']
    assert main(argv) == 2
    # before it, mmengine's logger of an earlier test complains that its stream is closed
    said = capsys.readouterr().err.partition('error: ')[2]
    assert 'Traceback' not in said
    assert f'{path.name}: not an annotation in the format of VOC' in said and told in said


def test_a_damaged_coco_file_is_named(work, monkeypatch, tmp_path, capsys):
    shutil.copytree(work / 'data/digits_detection', tmp_path / 'data')
    path = tmp_path / 'data/annotations/instances_train.json'
    path.write_text(path.read_text()[:100])
    monkeypatch.chdir(tmp_path)
    name = 'demo/mask-rcnn_tiny-fpn_digits.py'
    assert main(['train', *command(name, 'checkpoint=random'), '--data', 'data']) == 2
    assert f'annotations/{path.name}: not JSON' in capsys.readouterr().err


def test_an_untrained_detector(work, monkeypatch, tmp_path):
    """``random`` in the place of a checkpoint."""
    monkeypatch.chdir(tmp_path)
    argv = ['test', str(ROOT / 'demo/faster-rcnn_tiny-c4_digits.py'), 'random', '--out', 'x.json']
    options = ['test_dataloader.num_workers=0', 'test_dataloader.persistent_workers=False']
    argv += ['--work-dir', 'out', '--no-pin-memory', '--cfg-options', *options]
    argv += ['--data', str(work / 'data/digits_detection')]
    assert main(argv) == 0
    metrics = json.loads((tmp_path / 'x.json').read_text())
    assert metrics['pascal_voc/AP'] < 5
