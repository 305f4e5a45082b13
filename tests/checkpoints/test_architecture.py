import pytest
import torch
import torchvision

from bgaug_mm.checkpoints import describe


def meta_weights(build):
    with torch.device('meta'):
        return build().state_dict()


@pytest.mark.parametrize('depth', [18, 50])
def test_resnets_by_depth(depth):
    weights = meta_weights(getattr(torchvision.models, f'resnet{depth}'))
    assert describe(weights) == f'a ResNet-{depth}, 64 wide'


def test_resnets_by_hand():
    for depth, counts in {34: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}.items():
        convs = (1, 2) if depth == 34 else (1, 2, 3)
        blocks = [f'layer{s}.{b}' for s, count in enumerate(counts, 1) for b in range(count)]
        deep = {f'{block}.conv{c}.weight': torch.zeros(64, 1) for block in blocks for c in convs}
        assert describe(deep) == f'a ResNet-{depth}, 64 wide'
    conv = torch.zeros(8, 8, 3, 3)
    narrow = {f'layer{s}.{b}.conv{c}.weight': conv
              for s in (1, 2, 3, 4) for b in (0, 1) for c in (1, 2)}  # fmt: skip
    assert describe(narrow) == 'a ResNet-18, 8 wide'
    three = {key: value for key, value in narrow.items() if not key.startswith('layer4')}
    assert describe(three) == 'a ResNet of 2+2+2 basic blocks, 8 wide'
    last = {f'layer4.{b}.conv{c}.weight': torch.zeros(512, 1) for b in range(3) for c in (1, 2, 3)}
    assert describe(last) == 'a ResNet of 3 bottlenecks, 64 wide'


def test_vits():
    layers = {f'layers.{i}.attn.qkv.weight': torch.zeros(48, 16) for i in range(12)}
    assert describe(layers) == 'a ViT, 12 layers, 16 wide'
    assert describe({'blocks.0.attn.qkv.weight': torch.zeros(9, 3)}) == 'a ViT, 1 layers, 3 wide'


def test_others_have_no_name():
    assert describe({'fc.weight': torch.zeros(2, 2)}) is None
    assert describe({}) is None
