import pytest
import torch
from torch import nn

from bgaug_mm.evaluation import FrozenBackbone, FrozenClassifier, fit_linear_probe


@pytest.fixture
def parts():
    torch.manual_seed(0)
    backbone = FrozenBackbone(
        nn.Conv2d(3, 5, 3), mean=[100.0, 110.0, 120.0], std=[50.0, 55.0, 60.0]
    )
    images = torch.randint(0, 256, (24, 3, 8, 8), dtype=torch.uint8)
    labels = torch.arange(24) % 3
    return backbone, fit_linear_probe(backbone(images), labels), images


def test_logits_are_the_probes_on_the_backbones_features(parts):
    backbone, probe, images = parts
    logits = FrozenClassifier(backbone, probe)(images)
    assert logits.dtype == torch.float32
    torch.testing.assert_close(
        logits.double(), probe.logits(backbone(images)), atol=1e-4, rtol=1e-4
    )


def test_images_take_gradients_and_weights_do_not(parts):
    backbone, probe, images = parts
    model = FrozenClassifier(backbone, probe)
    inputs = images.float().requires_grad_()
    model(inputs).logsumexp(1).sum().backward()
    assert inputs.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert isinstance(model(images), torch.Tensor) and not model(images).requires_grad
