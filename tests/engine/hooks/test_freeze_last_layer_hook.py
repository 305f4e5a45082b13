"""A layer that rests for an epoch: by hand, in a tiny runner, with accumulation, resumed."""

import random
from types import SimpleNamespace

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from torch import nn

from bgaug_mm.engine.hooks import FreezeLastLayerHook


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Linear(3, 3)
        self.head = nn.ModuleDict({'last_layer': nn.Linear(3, 2)})

    def forward(self, x):
        return self.head['last_layer'](self.body(x)).square().sum()


def make_runner(model, optimizer, loop=EpochBasedTrainLoop):
    return SimpleNamespace(
        model=model, optim_wrapper=optimizer, epoch=0, iter=0, train_loop=loop.__new__(loop)
    )


def changed(model, optimizer, parameters):
    before = [p.detach().clone() for p in parameters]
    optimizer.update_params(model(torch.ones(2, 3)))
    return [not torch.equal(a, b) for a, b in zip(before, parameters, strict=True)]


@pytest.mark.parametrize('options', [dict(epochs=2), dict(iters=2)])
def test_frozen_then_trained(options):
    model = Net()
    optimizer = OptimWrapper(
        torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.5), clip_grad={'max_norm': 3}
    )
    hook, runner = FreezeLastLayerHook(**options), make_runner(model, optimizer)
    layer, body = model.head['last_layer'].weight, model.body.weight
    hook.before_train(runner)
    for runner.epoch, runner.iter in ((0, 0), (1, 1)):
        assert changed(model, optimizer, [layer, body]) == [False, True]
        assert layer not in optimizer.optimizer.state, 'no moments'
    runner.epoch = runner.iter = 2
    assert changed(model, optimizer, [layer, body]) == [True, True]
    runner.epoch = runner.iter = 0
    hook.after_train(runner)
    assert changed(model, optimizer, [layer, body]) == [True, True], 'it lets go'


def test_its_first_step_is_that_of_a_fresh_optimizer():
    """As if the layer had joined later: no moments from the frozen time."""
    model, fresh = Net(), Net()
    optimizer = OptimWrapper(torch.optim.AdamW(model.parameters(), lr=0.1))
    hook, runner = FreezeLastLayerHook(iters=3), make_runner(model, optimizer)
    hook.before_train(runner)
    for runner.iter in range(3):
        optimizer.update_params(model(torch.ones(2, 3)))
    fresh.load_state_dict(model.state_dict())
    other = OptimWrapper(torch.optim.AdamW(fresh.parameters(), lr=0.1))
    runner.iter = 3
    optimizer.update_params(model(torch.ones(2, 3)))
    other.update_params(fresh(torch.ones(2, 3)))
    torch.testing.assert_close(model.head['last_layer'].weight, fresh.head['last_layer'].weight)


def test_gradient_accumulation():
    model = Net()
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1), accumulative_counts=2)
    optimizer.initialize_count_status(model, 0, 8)
    hook, runner = FreezeLastLayerHook(iters=4), make_runner(model, optimizer)
    hook.before_train(runner)
    layer, body = model.head['last_layer'].weight, model.body.weight
    steps = []
    for runner.iter in range(8):
        steps.append(changed(model, optimizer, [layer, body]))
    assert [body for _, body in steps] == [False, True] * 4
    assert [layer for layer, _ in steps] == [False] * 5 + [True, False, True]


class Model(BaseModel):
    def __init__(self):
        super().__init__()
        self.net = Net()
        self.seen = []

    def forward(self, inputs, data_samples=None, mode='tensor'):
        self.seen.append(self.net.head['last_layer'].weight.detach().clone())
        return dict(loss=self.net(torch.stack(list(inputs))))

    def train_step(self, data, optim_wrapper):
        return super().train_step(dict(inputs=data), optim_wrapper)


def run(folder, *, epochs, resume=False):
    init_default_scope('mmengine')
    runner = Runner(
        model=Model(),
        work_dir=str(folder),
        train_dataloader=dict(
            batch_size=2, dataset=list(torch.ones(4, 3)), sampler=dict(type='DefaultSampler')
        ),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.1)),
        default_hooks=dict(logger=None, timer=None),
        custom_hooks=[FreezeLastLayerHook(module='net.head.last_layer', epochs=2)],
        randomness=dict(seed=0),
        resume=resume,
        experiment_name=f'freeze-{random.SystemRandom().random()}',
    )
    runner.train()
    return runner.model


def test_in_a_runner_and_resumed(tmp_path):
    straight = run(tmp_path / 'straight', epochs=3)
    first, *rest = straight.seen
    assert all(torch.equal(first, weight) for weight in rest[:4])  # 2 epochs of 2 iterations
    assert not torch.equal(first, rest[4])
    run(tmp_path / 'resumed', epochs=1)
    resumed = run(tmp_path / 'resumed', epochs=3, resume=True)
    for key, value in straight.state_dict().items():
        assert torch.equal(resumed.state_dict()[key], value), key


def test_bad_input():
    with pytest.raises(ValueError, match='`epochs` must be an integer from 0, but got -1'):
        FreezeLastLayerHook(epochs=-1)
    with pytest.raises(ValueError, match='`iters` must be an integer from 0, but got 1.5'):
        FreezeLastLayerHook(iters=1.5)
    model = Net()
    optimizer = OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1))
    with pytest.raises(ValueError, match=r"of Net \(it has body, head\), but got 'tail'"):
        FreezeLastLayerHook(module='tail').before_train(make_runner(model, optimizer))
    with pytest.raises(ValueError, match='counts iterations: give `iters`, not `epochs`'):
        FreezeLastLayerHook().before_train(make_runner(model, optimizer, IterBasedTrainLoop))
