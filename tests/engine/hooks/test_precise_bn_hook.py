"""Statistics against those of all inputs at once; when they are made; what stays untouched."""

import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch import nn

from bgaug_mm.engine.hooks import PreciseBNHook

torch.manual_seed(0)
INPUTS = torch.randn(12, 3, 2, 2) * torch.tensor([1.0, 5.0, 0.1])[:, None, None] + 2


class Model(BaseModel):
    """BN on the inputs, times a weight, BN again; the batches' means differ much."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.BatchNorm2d(3), nn.BatchNorm2d(3, momentum=None)
        self.frozen = nn.BatchNorm2d(3).eval()
        self.idle = nn.BatchNorm2d(3)
        self.weight = nn.Parameter(torch.ones(()))
        self.at_validation = []

    def train(self, mode=True):
        super().train(mode)
        self.frozen.eval()
        return self

    def forward(self, inputs, data_samples=None, mode='tensor'):
        outputs = self.second(self.frozen(self.first(inputs)) * self.weight)
        return dict(loss=outputs.square().mean()) if mode == 'loss' else [outputs]

    def train_step(self, data, optim_wrapper):
        return super().train_step(dict(inputs=data), optim_wrapper)

    def _run_forward(self, data, mode):
        return super()._run_forward(data if isinstance(data, dict) else dict(inputs=data), mode)

    def val_step(self, data):
        self.at_validation.append(self.first.running_var.clone())
        return [0]


class Nothing(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return {}


BY_EPOCH = dict(by_epoch=True, max_epochs=3, val_interval=2)


def train(folder, *hooks, train_cfg=BY_EPOCH):
    init_default_scope('mmengine')
    loader = dict(
        batch_size=4, dataset=list(INPUTS), collate_fn=torch.stack, num_workers=0,
        sampler=dict(type='DefaultSampler', shuffle=True),
    )  # fmt: skip
    runner = Runner(
        model=Model(),
        work_dir=str(folder),
        train_dataloader=loader,
        train_cfg=train_cfg,
        val_dataloader=dict(loader, batch_size=12),
        val_cfg=dict(),
        val_evaluator=[Nothing()],
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        custom_hooks=list(hooks),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=2)),
        randomness=dict(seed=0),
    )
    runner.train()
    return runner


def test_all_elements_count_once(tmp_path):
    runner = train(tmp_path, PreciseBNHook())
    model = runner.model
    by_channel = INPUTS.transpose(0, 1).flatten(1).double()
    torch.testing.assert_close(model.first.running_mean.double(), by_channel.mean(1))
    expected = by_channel.var(1, unbiased=False)
    torch.testing.assert_close(model.first.running_var.double(), expected)
    # before each evaluation, and in the checkpoint
    assert len(model.at_validation) == 2
    assert all(torch.allclose(var.double(), expected) for var in model.at_validation)
    saved = torch.load(tmp_path / 'epoch_2.pth', weights_only=False)['state_dict']
    torch.testing.assert_close(saved['first.running_var'].double(), expected)
    # layers that do not train, or see nothing, keep theirs; momentum stays
    for layer in (model.frozen, model.idle):
        assert (layer.running_mean == 0).all() and (layer.running_var == 1).all()
    assert model.first.momentum == 0.1 and not model.first._forward_pre_hooks


def test_training_is_not_changed(tmp_path):
    with_hook = train(tmp_path / 'a', PreciseBNHook())
    without = train(tmp_path / 'b')
    off = train(tmp_path / 'c', PreciseBNHook(num_iters=0))
    assert torch.equal(with_hook.model.weight, without.model.weight)
    assert torch.equal(off.model.first.running_var, without.model.first.running_var)
    assert not torch.equal(with_hook.model.first.running_var, without.model.first.running_var)


def test_iterations(tmp_path, monkeypatch):
    done = []
    monkeypatch.setattr(PreciseBNHook, '_update', lambda _, runner: done.append(runner.iter + 1))
    by_iteration = dict(by_epoch=False, max_iters=7, val_interval=3)
    train(tmp_path, PreciseBNHook(), train_cfg=by_iteration)
    assert done == [3, 6, 7]


def test_processes_share_their_sums(tmp_path, monkeypatch):
    """Another process that has seen the same doubles counts and sums."""
    name = 'bgaug_mm.engine.hooks.precise_bn_hook.all_reduce'
    monkeypatch.setattr(name, lambda sums: sums.mul_(2))
    shared = train(tmp_path / 'a', PreciseBNHook()).model.first
    monkeypatch.undo()
    alone = train(tmp_path / 'b', PreciseBNHook()).model.first
    torch.testing.assert_close(shared.running_var, alone.running_var)


def test_bad_option():
    with pytest.raises(ValueError, match='`num_iters` must be at least 0, but got -1'):
        PreciseBNHook(num_iters=-1)
