import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from bgaug_mm.evaluation import FrozenBackbone, FrozenClassifier, LinearProbe


@pytest.fixture(scope='session')
def linear_classifier():
    """A classifier of linear weights (C, D) on features, which are all values of the image."""

    def build(weight, bias, features: nn.Module | None = None) -> FrozenClassifier:
        width = weight.shape[1]
        zeros, ones = torch.zeros(width).double(), torch.ones(width).double()
        probe = LinearProbe(weight.double(), bias.double(), zeros, ones)
        return FrozenClassifier(FrozenBackbone(features or nn.Flatten(), to_rgb=False), probe)

    return build


@pytest.fixture
def world(tmp_path):
    """Ten images of a bright square on black, and their true masks."""
    for i in range(10):
        mask = np.zeros((24, 32), np.uint8)
        mask[6:18, 4 + i : 18 + i] = 255
        for part, pixels in (('set', np.dstack([mask] * 3)), ('set_masks', mask)):
            path = tmp_path / part / f'{i % 2} ü' / f'{i}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return tmp_path
