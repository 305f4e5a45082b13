"""The scoring context: batch statistics, no noise, no trace."""

import random

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bgaug_mm.engine.hard_views import scoring


class Noisy(nn.Module):
    """Everything that acts in training: modules, functional forms, counters, streams."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.norm = nn.InstanceNorm2d(4, track_running_stats=True)
        self.drop = nn.Dropout(0.5)
        self.frozen = nn.BatchNorm2d(4).eval()
        self.sync = nn.SyncBatchNorm(4)
        self.register_buffer('calls', torch.zeros(()))

    def forward(self, x):
        torch.rand(3)
        np.random.rand()
        random.random()
        if self.training:
            self.calls += 1
            x = x + 100
        x = self.frozen(self.norm(self.bn(self.conv(x))))
        return F.dropout(self.drop(self.sync(x)), 0.5, self.training)


@pytest.fixture
def model():
    torch.manual_seed(0)
    model = Noisy().train()
    model.frozen.eval()
    model.frozen.running_mean.fill_(0.3)
    return model


@pytest.fixture
def x():
    return torch.randn(5, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 3 + 1


def traces(model):
    flags = {name: module.training for name, module in model.named_modules()}
    return flags, {name: value.clone() for name, value in model.state_dict().items()}


def test_batch_statistics_without_noise(model, x):
    with scoring(model):
        got = model(x)
    z = model.conv(x)
    z = F.batch_norm(z, None, None, model.bn.weight, model.bn.bias, training=True)
    z = F.instance_norm(z)
    z = (z - 0.3) / (1 + 1e-5) ** 0.5  # frozen: its running statistics
    expected = F.batch_norm(z, None, None, training=True)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)
    assert not got.requires_grad


def test_nothing_changes(model, x):
    flags, state = traces(model)
    streams = torch.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    with scoring(model):
        model(x)
    after_flags, after = traces(model)
    assert after_flags == flags
    assert after.keys() == state.keys()
    assert all(torch.equal(after[name], value) for name, value in state.items())
    assert torch.equal(torch.get_rng_state(), streams[0])
    assert np.array_equal(np.random.get_state()[1], streams[1])
    assert random.getstate() == streams[2]
    assert model.norm.track_running_stats and torch.is_grad_enabled()


def test_the_same_passes_without_the_context_do_leave_traces(model, x):
    """The failing case: what is tested above is there to be changed."""
    _, state = traces(model)
    streams = torch.get_rng_state()
    model(x)
    changed = {name for name, value in traces(model)[1].items() if not torch.equal(value,
               state[name])}  # fmt: skip
    assert {'bn.running_mean', 'bn.num_batches_tracked', 'norm.running_mean', 'calls',
            'sync.running_var'} <= changed  # fmt: skip
    assert not torch.equal(torch.get_rng_state(), streams)


def test_restored_after_an_error(model, x):
    flags, _ = traces(model)
    buffer = model.bn.running_mean
    with pytest.raises(RuntimeError, match='in the middle'), scoring(model):
        model(x)
        raise RuntimeError('in the middle')
    assert traces(model)[0] == flags
    assert model.bn.running_mean is buffer and 'running_mean' in dict(model.bn.named_buffers())


def test_model_without_parameters(x):
    with scoring(nn.Identity()):
        assert torch.equal(nn.Identity()(x), x)
