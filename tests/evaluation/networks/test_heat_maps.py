import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import nn

from bgaug_mm.evaluation import FrozenBackbone, FrozenClassifier, LinearProbe
from bgaug_mm.evaluation.networks.classifier import GroupedClassifier, LoadedClassifier
from bgaug_mm.evaluation.networks.heat_maps import class_activation, heat_maps, heat_on_foreground

WEIGHT = torch.tensor([[1.0, 0, -1], [0, 2, 0]])  # class 0: blue and not red, class 1: green


def identity():
    conv = nn.Conv2d(3, 3, 1, bias=False)
    conv.weight.data = torch.eye(3)[:, :, None, None]
    return conv


def classifier(*layers):
    probe = LinearProbe(
        WEIGHT.double(), torch.zeros(2).double(), torch.zeros(3).double(), torch.ones(3).double()
    )
    return FrozenClassifier(FrozenBackbone(nn.Sequential(*layers), to_rgb=False), probe)


@pytest.fixture
def images():
    draw = torch.Generator().manual_seed(0)
    planes = [torch.randperm(64, generator=draw) for _ in range(6)]  # no value twice
    return torch.stack(planes).view(2, 3, 8, 8).byte()


def stretched(maps):
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - low) / (high - low)


def test_the_last_map_of_a_pooled_linear_classifier_gives_cam(images):
    maps, name = heat_maps(classifier(identity()), images, torch.tensor([0, 1]), batch_size=1)
    blue, green, red = images.float().unbind(1)
    expected = torch.stack([(blue - red)[0].clamp(min=0), 2 * green[1]])
    assert name == 'Grad-CAM'
    torch.testing.assert_close(maps, stretched(expected))


def test_an_earlier_map_gives_layer_cam_when_the_last_is_small(images):
    model = classifier(identity(), nn.MaxPool2d(2))
    maps, name = heat_maps(model, images, torch.tensor([0, 0]))
    assert name == 'LayerCAM'
    # the gradient reaches the largest of four pixels alone, and only blue's is positive
    blue = images[:, 0].float()
    largest = nn.functional.max_pool2d(blue[:, None], 2).repeat_interleave(2, 2)
    largest = largest.repeat_interleave(2, 3)[:, 0]
    heat = torch.where(blue == largest, blue, 0)
    kernel = np.outer([1, 2, 1], [1, 2, 1])[None] / 16
    smooth = torch.from_numpy(ndimage.convolve(heat.double().numpy(), kernel, mode='nearest'))
    torch.testing.assert_close(maps, stretched(smooth).float())
    named, _ = class_activation(
        model, images, torch.tensor([0, 0]), layer=model.backbone.backbone[1]
    )
    assert named.shape == (2, 8, 8)


def test_nothing_is_left_behind(images):
    model = classifier(identity())
    with torch.no_grad():
        heat_maps(model, images, torch.tensor([0, 1]))
        assert not torch.is_grad_enabled()
    assert not model.backbone.backbone[0]._forward_hooks
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_a_map_of_nothing_is_zero():
    images = torch.zeros(1, 3, 8, 8).byte()
    maps, _ = heat_maps(classifier(identity()), images, torch.tensor([1]))
    assert maps.abs().max() == 0
    assert torch.isnan(heat_on_foreground(maps, torch.full((1, 8, 8), 255).byte()))


def test_attention_of_a_vision_transformer():
    vit = pytest.importorskip('mmpretrain.models').VisionTransformer
    torch.manual_seed(0)
    arch = {'embed_dims': 12, 'num_layers': 2, 'num_heads': 3, 'feedforward_channels': 24}
    backbone = FrozenBackbone(vit(arch=arch, img_size=16, patch_size=4))
    probe = LinearProbe(
        torch.randn(2, 12).double(), torch.zeros(2).double(), torch.zeros(12).double(),
        torch.ones(12).double(),
    )  # fmt: skip
    images = torch.randint(256, (3, 3, 16, 16)).byte()
    maps, name = heat_maps(FrozenClassifier(backbone, probe), images, torch.tensor([0, 1, 0]))
    assert (name, maps.shape) == ('attention', (3, 16, 16))
    assert maps.amin((1, 2)).tolist() == [0] * 3 and maps.amax((1, 2)).tolist() == [1] * 3


def test_attention_of_a_whole_classifier():
    """As `--suite imagenet` shows a fine-tuned ViT whose classes a set groups."""
    models = pytest.importorskip('mmpretrain.models')
    arch = {'embed_dims': 12, 'num_layers': 2, 'num_heads': 3, 'feedforward_channels': 24}
    vit = {'type': 'mmpretrain.VisionTransformer', 'arch': arch, 'img_size': 16, 'patch_size': 4}
    head = {'type': 'mmpretrain.VisionTransformerClsHead', 'num_classes': 5, 'in_channels': 12}
    whole = LoadedClassifier(models.ImageClassifier(backbone=vit, head=head))
    images = torch.randint(256, (2, 3, 16, 16)).byte()
    grouped = GroupedClassifier(whole, [0, 0, 1, 1, 2])
    assert grouped(images).shape == (2, 3)
    maps, name = heat_maps(grouped, images, torch.tensor([0, 2]))
    assert (name, maps.shape) == ('attention', (2, 16, 16))
    assert maps.amax((1, 2)).tolist() == [1, 1]


def test_heat_on_foreground_by_hand():
    maps = torch.tensor([[[1.0, 3], [0, 4]]])
    masks = torch.tensor([[[255, 0], [255, 51]]]).byte()
    assert heat_on_foreground(maps, masks).item() == pytest.approx((1 + 0.2 * 4) / 8)
    with pytest.raises(ValueError, match='must be alike'):
        heat_on_foreground(maps, masks[0])


def test_a_backbone_without_maps_is_refused(images):
    model = classifier(nn.Flatten(), nn.Linear(192, 3))
    with pytest.raises(ValueError, match='Sequential: no layer gives a map'):
        heat_maps(model, images, torch.tensor([0, 1]))
