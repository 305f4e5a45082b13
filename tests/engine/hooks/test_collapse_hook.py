"""The collapse figure on known embeddings, and where the hook puts it."""

from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.registry import MODEL_WRAPPERS
from torch import nn

from bgaug_mm.engine.hooks import CollapseHook
from bgaug_mm.engine.hooks.collapse_hook import feature_std


def test_known_values():
    torch.manual_seed(0)
    assert feature_std(torch.randn(20000, 16)) == pytest.approx(1, abs=0.01)  # on the sphere
    assert feature_std(torch.ones(8, 16)) == pytest.approx(0, abs=1e-6)  # collapsed
    assert feature_std(torch.ones(8, 16) * torch.arange(1, 9)[:, None]) == pytest.approx(
        0, abs=1e-6
    )  # only the lengths differ
    # by hand: unit vectors (1,0) and (0,1): std per dimension √½, times √2
    assert feature_std(torch.tensor([[2.0, 0.0], [0.0, 3.0]])) == pytest.approx(1)


@pytest.mark.parametrize('shape', [(2, 3), (7, 32), (64, 5)])
def test_naive_reference(shape):
    x = np.random.default_rng(0).normal(size=shape)
    unit = np.array([row / np.sqrt((row**2).sum()) for row in x])
    stds = [np.sqrt(((c - c.mean()) ** 2).sum() / (len(c) - 1)) for c in unit.T]
    expected = sum(stds) / len(stds) * np.sqrt(shape[1])
    assert feature_std(torch.tensor(x)) == pytest.approx(expected, rel=1e-5)
    assert feature_std(torch.tensor(x).half()) == pytest.approx(expected, rel=1e-2)


class Model(nn.Module):
    """Two views through a neck that returns a tuple, as upstream's necks do."""

    def __init__(self) -> None:
        super().__init__()
        self.neck = nn.Sequential(nn.Identity(), Tuple())

    def forward(self, first, second):
        return self.neck(first), self.neck(second)


class Tuple(nn.Module):
    def forward(self, x):
        return (x,)


def iterate(hook, model, views, hub, iterations=1):
    runner = SimpleNamespace(model=model, message_hub=hub, iter=0)
    hook.before_train(runner)
    for runner.iter in range(iterations):
        hook.before_train_iter(runner, runner.iter)
        (model.module if hasattr(model, 'module') else model)(*views)
        hook.after_train_iter(runner, runner.iter)
    hook.after_train(runner)


@pytest.fixture
def hub(request):
    return MessageHub(request.node.name)


def logged(hub) -> list[float]:
    scalars = hub.log_scalars
    return list(scalars['train/feature_std'].data[0]) if scalars else []


def test_first_view_of_every_second_iteration(hub):
    spread, collapsed = torch.eye(4), torch.ones(4, 4)
    model = Model()
    iterate(CollapseHook(interval=2), model, (spread, collapsed), hub, iterations=5)
    assert logged(hub) == pytest.approx([feature_std(spread)] * 2)
    assert not model.neck._forward_hooks, 'it stops listening'


def test_maps_are_averaged_over_space(hub):
    x = torch.randn(4, 6, 3, 3)
    iterate(CollapseHook(interval=1), Model(), (x, x), hub)
    assert logged(hub) == pytest.approx([feature_std(x.mean((2, 3)))])


def test_one_sample_has_no_spread(hub):
    iterate(CollapseHook(interval=1), Model(), (torch.ones(1, 4), torch.ones(1, 4)), hub)
    assert logged(hub) == []


def test_wrapped_model(hub, monkeypatch):
    monkeypatch.setitem(MODEL_WRAPPERS.module_dict, 'TestWrapper', SimpleNamespace)
    wrapped = SimpleNamespace(module=Model())
    iterate(CollapseHook(interval=1), wrapped, (torch.eye(4), torch.eye(4)), hub)
    assert len(logged(hub)) == 1


def test_warns_once(hub, monkeypatch):
    said = Mock()
    monkeypatch.setattr('bgaug_mm.engine.hooks.collapse_hook.print_log', said)
    views = torch.ones(4, 4), torch.eye(4)
    iterate(CollapseHook(interval=1, warn_below=0.3), Model(), views, hub, iterations=3)
    said.assert_called_once()
    assert 'feature_std is 0.000' in said.call_args[0][0]
    iterate(CollapseHook(interval=1, warn_below=0.3), Model(), views[::-1], hub)
    said.assert_called_once()


def test_bad_options(hub):
    with pytest.raises(ValueError, match='`interval` must be an integer from 1, but got 0'):
        CollapseHook(interval=0)
    with pytest.raises(ValueError, match=r'`warn_below` must be in \[0, 1\], but got 2'):
        CollapseHook(warn_below=2)
    with pytest.raises(ValueError, match="submodule of Model .it has neck., but got 'projector'"):
        iterate(CollapseHook(module='projector'), Model(), (), hub)
