"""Which weights the training starts from: in a tiny runner, fresh, resumed and tested."""

import random

import pytest
import torch
from mmengine.hooks import EMAHook
from mmengine.model import BaseModel, BaseModule
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

from bgaug_mm.engine.hooks import PretrainedBackboneHook


class Backbone(BaseModule):
    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.linear = nn.Linear(3, 3)


class Model(BaseModel):
    def __init__(self, init_cfg=None):
        super().__init__()
        self.backbone = Backbone(init_cfg)
        self.head = nn.Linear(3, 2)
        self.seen = []

    def forward(self, inputs, data_samples=None, mode='tensor'):
        self.seen.append(self.backbone.linear.weight.detach().clone())
        loss = self.head(self.backbone.linear(torch.stack(list(inputs)))).square().sum()
        return dict(loss=loss) if mode == 'loss' else [loss]

    def train_step(self, data, optim_wrapper):
        return super().train_step(dict(inputs=data), optim_wrapper)

    def test_step(self, data):
        return self(data, mode='predict')


WEIGHTS = {'linear.weight': torch.full((3, 3), 7.0), 'linear.bias': torch.ones(3)}


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / 'pretrained.pth'
    torch.save({'state_dict': {f'backbone.{key}': value for key, value in WEIGHTS.items()}}, path)
    return path


def make_runner(folder, init_cfg, *, epochs=1, hooks=(), **options):
    init_default_scope('mmengine')
    loader = dict(batch_size=2, dataset=list(torch.ones(4, 3)), sampler=dict(type='DefaultSampler'))
    return Runner(
        model=Model(init_cfg),
        work_dir=str(folder),
        train_dataloader=loader,
        test_dataloader=loader,
        test_cfg=dict(),
        test_evaluator=[],
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(logger=None, timer=None),
        custom_hooks=[PretrainedBackboneHook(), *hooks],
        experiment_name=f'pretrained-{random.SystemRandom().random()}',
        **options,
    )


def pretrained(path):
    return dict(type='Pretrained', checkpoint=str(path))


def test_starts_from_the_weights_and_so_do_copies_of_the_model(checkpoint, tmp_path):
    runner = make_runner(tmp_path / 'out', pretrained(checkpoint), hooks=[EMAHook()])
    copies = []
    before = EMAHook.before_run

    def note(self, runner):
        before(self, runner)
        copies.append(self.ema_model.module.backbone.linear.weight.clone())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EMAHook, 'before_run', note)
        model = runner.train()
    assert torch.equal(model.seen[0], WEIGHTS['linear.weight'])
    assert not torch.equal(model.seen[1], model.seen[0])
    assert torch.equal(copies[0], WEIGHTS['linear.weight'])


def test_resuming_needs_no_checkpoint_and_keeps_what_was_trained(checkpoint, tmp_path):
    out = tmp_path / 'out'
    first = make_runner(out, pretrained(checkpoint)).train()
    checkpoint.unlink()
    last = str(out / 'epoch_1.pth')
    runner = make_runner(out, pretrained(checkpoint), epochs=2, resume=True, load_from=last)
    assert torch.equal(runner.train().seen[0], first.backbone.linear.weight)


def test_testing_loads_nothing(checkpoint, tmp_path):
    out = tmp_path / 'out'
    runner = make_runner(out, pretrained(checkpoint))
    trained = runner.train().backbone.linear.weight.clone()
    runner.test_evaluator.metrics = []
    runner.test()  # behind training
    assert torch.equal(runner.model.backbone.linear.weight, trained)
    fresh = make_runner(out, pretrained(tmp_path / 'none.pth'), load_from=str(out / 'epoch_1.pth'))
    fresh.test()
    assert torch.equal(fresh.model.backbone.linear.weight, trained)


@pytest.mark.parametrize('init_cfg', [None, dict(type='Pretrained', checkpoint=''), []])
def test_no_checkpoint_is_an_error(init_cfg, tmp_path):
    option = 'name the checkpoint with --cfg-options model.backbone.init_cfg.checkpoint=FILE'
    with pytest.raises(ValueError, match=option):
        make_runner(tmp_path / 'out', init_cfg).train()


def test_weights_of_something_else_are_an_error(tmp_path):
    path = tmp_path / 'other.pth'
    torch.save({'state_dict': {'backbone.conv.weight': torch.ones(2)}}, path)
    sides = r'0 of the 2 .*backbone: linear\.bias \(3,\).*file: conv\.weight \(2,\).*\(Backbone\)'
    with pytest.raises(ValueError, match=sides):
        make_runner(tmp_path / 'out', pretrained(path)).train()
    with pytest.raises(FileNotFoundError):
        make_runner(tmp_path / 'out', pretrained(tmp_path / 'none.pth')).train()
