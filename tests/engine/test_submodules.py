"""The model inside its wrappers, and its parts by name."""

import pytest
from mmengine.registry import MODEL_WRAPPERS
from torch import nn

from bgaug_mm.engine.submodules import submodule, unwrapped


class Wrapper(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module


@pytest.fixture
def wrap(monkeypatch):
    monkeypatch.setitem(MODEL_WRAPPERS.module_dict, 'TestWrapper', Wrapper)
    return Wrapper


def test_wrappers_of_wrappers_come_off(wrap):
    model = nn.Linear(1, 1)
    assert unwrapped(model) is model
    assert unwrapped(wrap(wrap(model))) is model


def test_a_part_by_its_name(wrap):
    model = nn.Sequential(nn.Sequential(nn.Linear(1, 1)))
    assert submodule(wrap(model), '0.0') is model[0][0]
    message = r"submodule of Sequential \(it has 0\), but got 'head'"
    with pytest.raises(ValueError, match=message):
        submodule(wrap(model), 'head')
