"""The recipe of DINO and IBOT in the runner: schedules at known points, exact resuming."""

import math
import random
from contextlib import suppress
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from mmengine.runner import Runner

from bgaug_mm.compat.config_paths import config_root
from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM
from bgaug_mm.datasets.transforms import PackSaliencyInputs, RandomBlockMask, SeedSample
from bgaug_mm.datasets.views import with_background_op
from bgaug_mm.registry import TRANSFORMS


@pytest.fixture(scope='module')
def schedule():
    return Config.fromfile(str(config_root() / '_base_/schedules/dino_adamw_100e.py'))


@pytest.fixture(autouse=True)
def stream_off():
    yield
    SAMPLE_STREAM.set(seed=-1, epoch=0)


@pytest.mark.parametrize('backbone', ['vit', 'resnet'])
def test_weight_decay_on_matrices_alone(tiny, schedule, backbone):
    model = tiny.build(backbone=getattr(tiny, backbone), head=dict(norm_last_layer=False))
    settings = schedule.optim_wrapper.to_dict()
    settings.pop('loss_scale')
    optimizer = build_optim_wrapper(model, dict(settings, type='OptimWrapper')).optimizer
    names = {parameter: name for name, parameter in model.named_parameters()}
    decay = {names[p]: g['weight_decay'] for g in optimizer.param_groups for p in g['params']}
    student = {n: p for n, p in model.named_parameters() if p.requires_grad}
    for name, parameter in student.items():
        assert decay[name] == (0.0 if parameter.dim() == 1 else 0.04), name
    assert {decay[name] for name in student} == {0.0, 0.04}


def test_schedules_at_known_points(schedule):
    """100 epochs of 2 iterations: by hand at the ends, the middle and along the way."""
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = torch.optim.AdamW(
        [dict(params=parameters[:1]), dict(params=parameters[1:], weight_decay=0.0)],
        lr=1e-3,
        weight_decay=0.04,
    )
    schedulers = []
    for settings in schedule.param_scheduler:
        default = dict(optimizer=optimizer, epoch_length=2)
        schedulers.append(PARAM_SCHEDULERS.build(settings.to_dict(), default_args=default))
    lr, decay, without = [], [], []
    for _ in range(200):
        lr.append(optimizer.param_groups[0]['lr'])
        decay.append(optimizer.param_groups[0]['weight_decay'])
        without.append(optimizer.param_groups[1]['weight_decay'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    assert set(without) == {0.0}
    expected = [0.4 - 0.36 * (1 + math.cos(math.pi * k / 200)) / 2 for k in range(200)]
    np.testing.assert_allclose(decay, expected, rtol=1e-6)
    assert decay[0] == pytest.approx(0.04) and decay[100] == pytest.approx(0.22)
    assert lr[0] == pytest.approx(0, abs=1e-8) and max(lr) == pytest.approx(1e-3, rel=1e-3)
    assert lr.index(max(lr)) in (19, 20)  # 10 epochs of warm-up
    assert lr[110] == pytest.approx((1e-3 + 1e-6) / 2, rel=1e-2) and lr[-1] < 2e-6
    assert all(a < b for a, b in pairwise(lr[:19]))


class Views(BaseDataset):
    """Eight images' random views, two of 32 px with block masks and one of 16 px."""

    def __init__(self, masked):
        self.mask, self.pack = (
            RandomBlockMask(patch_size=8),
            PackSaliencyInputs(with_block_mask=masked, meta_keys=()),
        )
        super().__init__(pipeline=[SeedSample(), self.make])

    def load_data_list(self):
        return [dict() for _ in range(8)]

    def make(self, results):
        views = [np.random.randint(0, 256, (size, size, 3), np.uint8) for size in (32, 32, 16)]
        masks = [self.mask({'img': view})['block_mask'] for view in views[:2]]
        return self.pack({'img': views, 'block_mask': [*masks, None]})


class Stop(Hook):
    """Records every step; ends the run in the middle of an epoch, as a kill would."""

    priority = 'LOWEST'

    def __init__(self, at):
        self.at, self.seen = at, []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        group = runner.optim_wrapper.optimizer.param_groups[0]
        model = runner.model
        self.seen.append(
            (
                float(outputs['loss']), group['lr'], group['weight_decay'],
                model.dino_loss.teacher_temp, float(model.dino_loss.center.sum()),
                float(model.teacher_head.mlp[0].weight.double().sum()),
            )
        )  # fmt: skip
        if runner.iter + 1 == self.at:
            raise KeyboardInterrupt


def run(tiny, folder, kind, *, stop=None, resume=False):
    """4 epochs of 2 iterations with all of the recipe's schedules."""
    backbone = dict(tiny.vit, drop_path_rate=0.3)
    backbone.update(out_type='raw' if kind == 'IBOT' else 'cls_token')
    losses = dict(loss=dict(warmup_epochs=3, student_temp=0.3))
    if kind == 'IBOT':
        losses['patch_loss'] = dict(warmup_epochs=3, student_temp=0.3)
    recorder = Stop(stop)
    init_default_scope('mmengine')
    runner = Runner(
        model=tiny.build(kind, backbone=backbone, base_momentum=0.9, **losses),
        work_dir=str(folder),
        train_dataloader=dict(
            batch_size=4,
            dataset=Views(kind == 'IBOT'),
            sampler=dict(type='DefaultSampler', shuffle=True),
            collate_fn=dict(type='default_collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=4),
        optim_wrapper=dict(
            optimizer=dict(type='AdamW', lr=1e-2, weight_decay=0.04),
            clip_grad=dict(max_norm=3.0),
            paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0, flat_decay_mult=0.0),
        ),
        param_scheduler=[
            dict(type='CosineAnnealingLR', T_max=4, by_epoch=True, convert_to_iter_based=True),
            dict(
                type='CosineAnnealingParamScheduler', param_name='weight_decay',
                eta_min_ratio=10, T_max=4, by_epoch=True, end=4, convert_to_iter_based=True,
            ),
        ],
        default_hooks=dict(
            logger=None, timer=None, sampler_seed=dict(type='bgaug_mm.SampleSeedHook')
        ),
        custom_hooks=[dict(type='bgaug_mm.FreezeLastLayerHook', epochs=1), recorder],
        randomness=dict(seed=0),
        resume=resume,
        experiment_name=f'{kind}-{random.SystemRandom().random()}',
    )  # fmt: skip
    with suppress(KeyboardInterrupt):
        runner.train()
    return SimpleNamespace(model=runner.model, steps=recorder.seen)


@pytest.mark.parametrize('kind', ['DINO', 'IBOT'])
def test_a_killed_run_continues_exactly(tiny, tmp_path, kind):
    """Loss, learning rate, weight decay, temperature, centre and teacher, to the bit."""
    straight = run(tiny, tmp_path / 'straight', kind)
    killed = run(tiny, tmp_path / 'killed', kind, stop=5)  # in the third epoch
    resumed = run(tiny, tmp_path / 'killed', kind, resume=True)
    assert len(straight.steps) == 8 and len(resumed.steps) == 4
    assert killed.steps == straight.steps[:5]
    assert resumed.steps == straight.steps[4:]
    for key, value in straight.model.state_dict().items():
        assert torch.equal(resumed.model.state_dict()[key], value), key
    decays = [step[2] for step in straight.steps]
    expected = [0.4 - 0.36 * (1 + math.cos(math.pi * k / 8)) / 2 for k in range(1, 8)]
    assert decays[:-1] == pytest.approx(expected)
    assert [step[3] for step in straight.steps[::2]] == pytest.approx([0.04, 0.055, 0.07, 0.07])


@pytest.mark.parametrize('name', ['dino', 'ibot'])
def test_background_operations_in_the_recipes(name):
    """Put into the global views; masks of both kinds reach the batch."""
    config = Config.fromfile(str(config_root() / f'{name}.py'))
    init_default_scope(config.default_scope)
    op = dict(type='bgaug_mm.BackgroundRemove', prob=1.0, min_foreground=0)
    loader = with_background_op(config.train_dataloader, op, views='large', pack_masks=True)
    _, _, _, multi_view, pack = loader['dataset']['pipeline']
    has_op = [op in view for view in multi_view['transforms']]
    assert has_op == [True, True, False] and multi_view['num_views'] == [1, 1, 8]
    for view in multi_view['transforms']:  # small, the test is not about sizes
        view[0] = dict(view[0], size=view[0]['size'] // 3)
    results = {
        'img': np.random.randint(0, 256, (90, 120, 3), np.uint8),
        'gt_seg_map': np.random.randint(0, 256, (90, 120), np.uint8),
        'img_path': 'x.jpg',
    }
    inputs = TRANSFORMS.build(pack)(TRANSFORMS.build(multi_view)(results))['inputs']
    channels = [5, 5] if name == 'ibot' else [4, 4]
    assert [view.shape[0] for view in inputs] == channels + [4] * 8
