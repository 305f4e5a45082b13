"""Every config of configs/benchmarks trains two iterations from a pre-training checkpoint."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

from bgaug_mm.compat.config_paths import config_root
from bgaug_mm.engine.launch import build_runner, main, train_config, train_parser

CONFIGS = sorted(
    path.relative_to(config_root()).as_posix()
    for path in (config_root() / 'benchmarks').rglob('*.py')
)
#: ResNet-50, an eighth as wide; ViT-S on small images.
RESNET = ['model.backbone.base_channels=8', 'model.backbone.stem_channels=8',
          'model.head.in_channels=256']  # fmt: skip
VIT = ['model.backbone.img_size=32']
SMALL = [
    'train_dataloader.batch_size=2', 'train_dataloader.num_workers=0',
    'val_dataloader.num_workers=0', 'train_cfg.max_epochs=1', 'randomness.seed=0',
    'val_dataloader.dataset.pipeline.1.scale=40', 'val_dataloader.dataset.pipeline.2.crop_size=32',
]  # fmt: skip
#: How the weights' names look in a file.
LAYOUTS = {
    'full': lambda key: {'state_dict': f'backbone.{key}'},
    'ddp': lambda key: {'state_dict': f'module.backbone.{key}'},
    'extracted': lambda key: {'state_dict': key},
    'bare': lambda key: {None: key},
}


@pytest.fixture(scope='module')
def work(tmp_path_factory):
    """data/imagenet of 8 images, 4 of them in the 1 % and 10 % lists."""
    root = tmp_path_factory.mktemp('work')
    rng, names = np.random.default_rng(0), []
    for i in range(8):
        names.append(f'n0000000{i % 2}/n0000000{i % 2}_{i}.JPEG')
        for part in ('train', 'val'):
            path = root / 'data/imagenet' / part / names[-1]
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), rng.integers(0, 256, (50, 40, 3), dtype=np.uint8))
    meta = root / 'data/imagenet/meta'
    meta.mkdir()
    for part in ('train', 'val'):
        (meta / f'{part}.txt').write_text('\n'.join(f'{name} {name[8]}' for name in names))
    for share in (1, 10):
        named = [Path(name).name for name in names[:4]]
        (meta / f'{share}percent.txt').write_text('\n'.join(named) + '\n')
    return root


@pytest.fixture(scope='module')
def weights():
    """A ResNet's, as pre-training leaves them."""
    init_default_scope('mmcls')
    return weights_of(dict(type='mmcls.ResNet', depth=50, base_channels=8, stem_channels=8))


@pytest.fixture(scope='module')
def vit_weights():
    """A ViT's."""
    return weights_of(dict(type='mmpretrain.VisionTransformer', arch='deit-small', img_size=32))


def weights_of(backbone):
    torch.manual_seed(3)
    backbone = MODELS.build(backbone)
    return {key: value + 0.01 for key, value in backbone.state_dict().items()
            if not key.endswith('num_batches_tracked')}  # fmt: skip


@pytest.fixture(autouse=True)
def quick_logs(monkeypatch):
    """The text of a config, which the runner lays out five times, takes most of a run."""
    monkeypatch.setattr(Config, 'pretty_text', 'x = 1\n')


def save(weights, layout, path):
    content = {'head.fc.weight': torch.zeros(2)}
    if layout != 'bare':
        content = {'state_dict': content, 'meta': {}}
    for key, value in weights.items():
        ((group, name),) = LAYOUTS[layout](key).items()
        (content[group] if group else content)[name] = value
    torch.save(content, path)
    return path


def command(name, *options):
    return [str(config_root() / name), '--work-dir', 'out', '--no-pin-memory',
            '--cfg-options', *SMALL, *(VIT if '_vit_' in name else RESNET), *options]  # fmt: skip


@pytest.mark.parametrize('index', range(len(CONFIGS)), ids=CONFIGS)
def test_takes_two_iterations(index, work, weights, vit_weights, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'data').symlink_to(work / 'data')
    name = CONFIGS[index]
    vit = '_vit_' in name
    weights = vit_weights if vit else weights
    checkpoint = save(weights, list(LAYOUTS)[index % len(LAYOUTS)], tmp_path / 'x.pth')
    option = f'model.backbone.init_cfg.checkpoint={checkpoint}'
    cfg = train_config(train_parser().parse_args(command(name, option)))
    finetuned = 'finetune' in name
    dataset = cfg.train_dataloader.dataset
    dataset = dataset.dataset if finetuned else dataset
    dataset.pipeline[1].scale = 32
    if not finetuned:
        dataset.indices = 4
    runner = build_runner(cfg)
    start = {}

    def note(inner, batch_idx, data_batch=None):
        if not start:
            start.update({k: v.clone() for k, v in inner.model.state_dict().items()})

    monkeypatch.setattr(runner.hooks[0], 'before_train_iter', note)
    runner.train()
    assert runner.iter == 2
    assert len(runner.train_dataloader.dataset) == 4
    end = runner.model.state_dict()
    for key, value in weights.items():
        assert torch.equal(start[f'backbone.{key}'], value), key
        if not finetuned:
            assert torch.equal(end[f'backbone.{key}'], value), key
    changed = {key.partition('.')[0] for key in end if not torch.equal(start[key], end[key])}
    assert changed == ({'backbone', 'head'} if finetuned else {'head'})
    kinds = (
        {'VisionTransformer', 'VisionTransformerClsHead'} if vit else {'ResNet', 'LinearClsHead'}
    )
    assert {type(m).__name__ for m in runner.model.modules()} >= kinds
    optimizer = runner.optim_wrapper.optimizer
    rates = {group['initial_lr'] for group in optimizer.param_groups}
    share = 100 if '_1percent' in name else 10
    if finetuned:
        assert rates == {0.01, 0.01 * share}
        assert optimizer.defaults['weight_decay'] == (5e-4 if share == 100 else 1e-4)
    else:
        assert rates == ({1.6} if 'lars' in name else {12.0} if vit else {30.0})
        assert type(optimizer).__name__ == ('LARS' if 'lars' in name else 'SGD')


def test_the_two_libraries_have_the_same_recipes():
    ours = {name.removeprefix('benchmarks/') for name in CONFIGS}
    ours -= {'mmpretrain/linear_vit_small_sgd_90e.py'}  # DINO and iBOT are in one only
    assert {f'mmpretrain/{name}' for name in ours if '/' not in name} == {
        name for name in ours if '/' in name
    }


def test_errors_say_what_to_do(work, weights, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'data').symlink_to(work / 'data')

    def error(name, *options):
        capsys.readouterr()
        assert main(['train', *command(f'benchmarks/{name}.py', *options)]) == 2
        text = capsys.readouterr().err
        assert 'Traceback' not in text
        return text

    key = 'model.backbone.init_cfg.checkpoint'
    for library in ('', 'mmpretrain/'):
        text = error(f'{library}linear_resnet50_sgd_100e')
        assert f'name the checkpoint with --cfg-options {key}=FILE' in text
    other = {f'encoder_q.{name}': value for name, value in weights.items()}
    path = save(other, 'bare', tmp_path / 'other.pth')
    text = error('linear_resnet50_sgd_100e', f'{key}={path}')
    assert f'{path}: 0 of the 265 backbone weights match' in text
    assert 'in the backbone: bn1.bias (8,)' in text
    assert 'in the file: encoder_q.bn1.bias (8,)' in text
    assert 'choose it with which=encoder_q' in text
    assert f'Name a checkpoint of this backbone (ResNet) with --cfg-options {key}=FILE' in text
    assert 'does not exist' in error('linear_resnet50_sgd_100e', f'{key}=none.pth')
    names = 'train_dataloader.dataset.names=meta/none.txt'
    text = error('finetune_resnet50_1percent', f'{key}={path}', names)
    assert 'list of names data/imagenet/meta/none.txt does not exist: fetch https://raw.' in text
    assert 'imagenet_subsets/1percent.txt and put it there' in text
