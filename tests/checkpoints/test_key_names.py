"""Equal features: the same weights and images in the networks of other libraries."""

import pytest
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from bgaug_mm.checkpoints.key_names import from_library, to_library

backbones = pytest.importorskip('mmpretrain.models.backbones', reason='needs mmpretrain')
INSTALL_TIMM = 'needs timm: pip install -r requirements/tests.txt'
IMAGES = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))


def randomised(module):
    """Other values in all entries, so that an exchanged pair of them shows."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for value in [*module.parameters(), *module.buffers()]:
            if value.is_floating_point():
                spread = 0.5 * torch.rand(value.shape, generator=generator)
                value.copy_(value + spread if value.dim() < 2 else value * (1 + spread))
    module.eval()  # mmpretrain's returns None
    return module


@pytest.fixture(scope='module', params=[18, 50])
def resnet(request):
    """Depth, network, and its last features (B, C, h, w)."""
    torch.manual_seed(request.param)
    network = randomised(backbones.ResNet(depth=request.param))
    with torch.no_grad():
        return request.param, network, network(IMAGES)[-1]


@pytest.fixture(scope='module')
def vit():
    """A small ViT with layer scale's place empty, and its class token (B, C)."""
    torch.manual_seed(3)
    arch = dict(embed_dims=32, num_layers=3, num_heads=4, feedforward_channels=48)
    network = randomised(backbones.VisionTransformer(arch=arch, img_size=64, patch_size=16))
    network.pos_embed.data.normal_()
    with torch.no_grad():
        return network, network(IMAGES)[-1]


def check_equal(module, weights, features, extract):
    """Load all weights, and compare."""
    missing, unexpected = module.load_state_dict(weights, strict=False)
    assert not unexpected
    assert all(key.startswith(('fc.', 'head', 'heads.')) for key in missing)
    with torch.no_grad():
        found = extract(module.eval())
    assert found.shape == features.shape
    scale = features.abs().max()
    assert torch.allclose(found / scale, features / scale, atol=1e-5)
    assert not torch.allclose(found / scale, features.flip(0) / scale, atol=1e-2)


def without_end(module):
    """A ResNet of torchvision or timm, up to its last stage."""
    module.avgpool = module.global_pool = module.fc = nn.Identity()
    return nn.Sequential(*[part for name, part in module.named_children()])(IMAGES)


def test_torchvision_resnet(resnet):
    depth, network, features = resnet
    other = getattr(torchvision.models, f'resnet{depth}')()
    weights = to_library(network.state_dict(), 'torchvision')
    check_equal(other, weights, features, without_end)
    assert from_library(other.state_dict(), 'torchvision').keys() == network.state_dict().keys()


def test_torchvision_vit(vit):
    network, features = vit
    other = torchvision.models.VisionTransformer(64, 16, 3, 4, 32, 48)
    other.heads = nn.Identity()
    weights = to_library(network.state_dict(), 'torchvision')
    check_equal(other, weights, features, lambda module: module(IMAGES))
    assert from_library(weights, 'torchvision').keys() == network.state_dict().keys()


def test_timm_resnet(resnet):
    timm = pytest.importorskip('timm', reason=INSTALL_TIMM)
    depth, network, features = resnet
    other = timm.create_model(f'resnet{depth}', num_classes=0)
    weights = to_library(network.state_dict(), 'timm')
    check_equal(other, weights, features, lambda module: module.forward_features(IMAGES))
    assert from_library(other.state_dict(), 'timm').keys() == network.state_dict().keys()


def test_timm_resnet_d():
    timm = pytest.importorskip('timm', reason=INSTALL_TIMM)
    torch.manual_seed(0)
    network = randomised(backbones.ResNetV1d(depth=18))
    with torch.no_grad():
        features = network(IMAGES)[-1]
    weights = to_library(network.state_dict(), 'timm')
    other = timm.create_model('resnet18d', num_classes=0)
    check_equal(other, weights, features, lambda module: module.forward_features(IMAGES))
    assert from_library(weights, 'timm').keys() == network.state_dict().keys()
    for library in ('torchvision', 'detectron2'):
        with pytest.raises(ValueError, match=rf'{library} has no place for stem\.0'):
            to_library(network.state_dict(), library)


@pytest.mark.parametrize('scale', [0.0, 0.5])
def test_timm_vit(scale):
    pytest.importorskip('timm', reason=INSTALL_TIMM)
    from timm.models import VisionTransformer

    torch.manual_seed(4)
    arch = dict(embed_dims=32, num_layers=3, num_heads=4, feedforward_channels=48)
    network = backbones.VisionTransformer(
        arch=arch, img_size=64, patch_size=16, layer_scale_init_value=scale
    )
    network = randomised(network)
    with torch.no_grad():
        features = network(IMAGES)[-1]
    other = VisionTransformer(
        img_size=64, patch_size=16, embed_dim=32, depth=3, num_heads=4, mlp_ratio=1.5,
        num_classes=0, init_values=scale or None,
    )  # fmt: skip
    weights = to_library({**network.state_dict(), 'mask_token': torch.zeros(1, 1, 32)}, 'timm')
    check_equal(other, weights, features, lambda module: module.forward_features(IMAGES)[:, 0])
    assert from_library(other.state_dict(), 'timm').keys() == network.state_dict().keys()
    if scale:
        with pytest.raises(ValueError, match=r'torchvision has no place for .*gamma1'):
            to_library(network.state_dict(), 'torchvision')


def detectron2_features(weights, images):
    """Its ResNet with STRIDE_IN_1X1 False, written down from its layers' names."""

    def conv(name, x, stride=1, padding=0):
        x = F.conv2d(x, weights[f'{name}.weight'], stride=stride, padding=padding)
        values = [weights[f'{name}.norm.{key}']
                  for key in ('running_mean', 'running_var', 'weight', 'bias')]  # fmt: skip
        return F.batch_norm(x, *values)

    def block(name, x, stride):
        y = x
        if f'{name}.conv3.weight' in weights:
            y = F.relu(conv(f'{name}.conv1', y))
            y = F.relu(conv(f'{name}.conv2', y, stride, 1))
            y = conv(f'{name}.conv3', y)
        else:
            y = F.relu(conv(f'{name}.conv1', y, stride, 1))
            y = conv(f'{name}.conv2', y, 1, 1)
        if f'{name}.shortcut.weight' in weights:
            x = conv(f'{name}.shortcut', x, stride)
        return F.relu(x + y)

    x = F.max_pool2d(F.relu(conv('stem.conv1', images, 2, 3)), 3, 2, 1)
    for stage in (2, 3, 4, 5):
        index = 0
        while f'res{stage}.{index}.conv1.weight' in weights:
            x = block(f'res{stage}.{index}', x, 2 if stage > 2 and index == 0 else 1)
            index += 1
    return x


def test_detectron2_resnet(resnet):
    _, network, features = resnet
    weights = to_library(network.state_dict(), 'detectron2')
    with torch.no_grad():
        found = detectron2_features(weights, IMAGES)
    scale = features.abs().max()
    assert torch.allclose(found / scale, features / scale, atol=1e-5)
    back = from_library(weights, 'detectron2')
    assert back.keys() == network.state_dict().keys()
    assert all(torch.equal(back[key], value) for key, value in network.state_dict().items())
    # the heuristics take the longest name that ends a name of the detector
    for there in ('backbone.bottom_up.res3.0.conv1.norm.weight', 'backbone.stem.conv1.weight',
                  'roi_heads.res5.0.conv2.weight'):  # fmt: skip
        (end,) = [key for key in weights if there.endswith(f'.{key}')]
        assert weights[end] is not None


def test_what_has_no_place_is_told():
    with pytest.raises(ValueError, match=r"`library` must be one of torchvision, timm, det.*'jax'"):
        to_library({}, 'jax')
    with pytest.raises(ValueError, match='no weights at all'):
        to_library({}, 'timm')
    with pytest.raises(ValueError, match=r'timm has no place for layer1\.0\.gn1\.bias'):
        to_library({'conv1.weight': torch.zeros(1), 'layer1.0.gn1.bias': torch.zeros(1)}, 'timm')
    with pytest.raises(ValueError, match=r'detectron2 has no place for a\.0 \(1,\), .* and 2 more'):
        to_library({f'a.{i}': torch.zeros(1) for i in range(6)}, 'detectron2')
    with pytest.raises(ValueError, match=r'OpenMMLab has no place for stages\.0'):
        from_library({'stages.0.weight': torch.zeros(1)}, 'timm')
