"""Which weights the training starts from: in a tiny runner, fresh, resumed and tested."""

import random

import pytest
import torch
from mmengine.hooks import EMAHook
from mmengine.model import BaseModel, BaseModule
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

from bgaug_mm.checkpoints.safetensors_file import write_safetensors
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


def make_runner(folder, init_cfg, *, epochs=1, hooks=(), hook=None, model=None, **options):
    init_default_scope('mmengine')
    loader = dict(batch_size=2, dataset=list(torch.ones(4, 3)), sampler=dict(type='DefaultSampler'))
    return Runner(
        model=model or Model(init_cfg),
        work_dir=str(folder),
        train_dataloader=loader,
        test_dataloader=loader,
        test_cfg=dict(),
        test_evaluator=[],
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(logger=None, timer=None),
        custom_hooks=[PretrainedBackboneHook(**(hook or {})), *hooks],
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


@pytest.mark.parametrize('layout', ['teacher', 'safetensors', 'options'])
def test_the_config_names_file_and_network(layout, checkpoint, tmp_path):
    other = {f'backbone.{key}': value - 1 for key, value in WEIGHTS.items()}
    path = tmp_path / 'both.pth'
    state = {**other, **{f'teacher.0.{key}': value for key, value in WEIGHTS.items()}}
    torch.save({'state_dict': {f'module.{key}': value for key, value in state.items()}}, path)
    cfg, hook = dict(checkpoint=str(path), which='teacher'), None
    if layout == 'safetensors':
        write_safetensors(tmp_path / 'x.safetensors', WEIGHTS)
        cfg = dict(checkpoint=str(tmp_path / 'x.safetensors'))
    elif layout == 'options':  # which win
        cfg, hook = dict(checkpoint='none.pth'), dict(checkpoint=str(path), which='teacher')
    runner = make_runner(tmp_path / 'out', None, cfg=cfg, hook=hook)
    assert torch.equal(runner.train().seen[0], WEIGHTS['linear.weight'])


@pytest.mark.parametrize('supervised', [False, True])
def test_a_config_that_has_the_key_but_no_file_is_an_error(supervised, checkpoint, tmp_path):
    init_cfg = pretrained(checkpoint) if supervised else None  # mmdet's bases name such weights
    with pytest.raises(ValueError, match='name the checkpoint with --cfg-options checkpoint=FILE'):
        make_runner(tmp_path / 'out', init_cfg, cfg=dict(checkpoint=None)).train()


def test_random_weights_are_a_choice_and_no_checkpoint_leaks_in(checkpoint, tmp_path):
    cfg = dict(checkpoint='random')
    model = Model()
    before = model.backbone.linear.weight.detach().clone()
    trained = make_runner(tmp_path / 'out', None, cfg=cfg, model=model).train()
    assert torch.equal(trained.seen[0], before)
    with pytest.raises(ValueError, match=r"'random', but .* Backbone from .*pretrained\.pth"):
        make_runner(tmp_path / 'out', pretrained(checkpoint), cfg=cfg).train()


class Head(BaseModule):
    """The last stage, and a norm that no checkpoint has."""

    def __init__(self, init_cfg=None):
        super().__init__(init_cfg)
        self.layer4 = nn.Linear(3, 3)
        self.norm = nn.BatchNorm1d(3)


def detector(init_cfg=None):
    model = Model(init_cfg)
    model.roi_head = BaseModule()
    model.roi_head.shared_head = Head(init_cfg)
    return model


STAGE = {'layer4.weight': torch.full((3, 3), 5.0), 'layer4.bias': torch.zeros(3)}


def test_a_shared_head_gets_its_weights_too_and_nothing_else_afterwards(checkpoint, tmp_path):
    whole = tmp_path / 'whole.pth'
    content = {f'backbone.{key}': value for key, value in {**WEIGHTS, **STAGE}.items()}
    torch.save({'state_dict': content}, whole)
    options = dict(cfg=dict(checkpoint=str(whole)), hook=dict(new=['norm']))
    # supervised weights that the config leaves there do not come in
    for init_cfg in (None, pretrained(checkpoint)):
        runner = make_runner(tmp_path / 'out', None, model=detector(init_cfg), **options)
        model = runner.train()
        assert torch.equal(model.seen[0], WEIGHTS['linear.weight'])
        head = model.roi_head.shared_head  # has no part in this loss
        assert torch.equal(head.layer4.weight, STAGE['layer4.weight'])
        assert torch.equal(head.norm.weight, torch.ones(3))
    options['hook'] = {}
    with pytest.raises(ValueError, match=r'Unmatched in the backbone: norm\.bias'):
        make_runner(tmp_path / 'out', None, model=detector(), **options).train()
    options = dict(cfg=dict(checkpoint=str(checkpoint)), hook=dict(new=['norm']))
    with pytest.raises(ValueError, match=r'Unmatched in the backbone: layer4\.bias'):
        make_runner(tmp_path / 'out', None, model=detector(), **options).train()
