import hashlib

import pytest
import torch
from mmengine.runner import load_checkpoint
from torch import nn

from bgaug_mm.checkpoints import load_backbone_weights, pick_backbone, read_checkpoint
from bgaug_mm.checkpoints.extracting import extract_backbone

CONFIG = """
model = dict(type='BYOL', data_preprocessor=dict(mean=(1.0, 2.0, 3.0), std=[4.0, 5.0, 6.0],
             bgr_to_rgb=True))
"""
ENTRIES = {'conv1.weight': (4, 3, 7, 7), 'bn1.weight': (4,), 'bn1.bias': (4,),
           'layer1.0.conv1.weight': (4, 4, 3, 3), 'layer1.0.bn1.weight': (4,)}  # fmt: skip


def weights(value):
    return {key: torch.full(shape, float(value)) for key, shape in ENTRIES.items()}


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / 'epoch_3.pth'
    state = {f'module.backbone.{key}': value for key, value in weights(1).items()}
    state |= {f'module.target_net.module.0.{key}': value for key, value in weights(2).items()}
    torch.save({'state_dict': state, 'meta': {'epoch': 3, 'iter': 12, 'cfg': CONFIG}}, path)
    return path


@pytest.mark.parametrize('name', ['out.pth', 'out.safetensors', 'new/folder/out.pt'])
def test_a_network_and_where_it_comes_from(name, checkpoint, tmp_path):
    taken, told = extract_backbone(checkpoint, tmp_path / name, which='teacher')
    assert str(taken) == 'target_net.module.0 (teacher)'
    content = read_checkpoint(tmp_path / name)
    assert content.keys() == {'state_dict', 'meta'}
    assert content['state_dict'].keys() == ENTRIES.keys()
    assert all((value == 2).all() for value in content['state_dict'].values())
    assert content['meta'] == told
    assert told['network'] == 'target_net.module.0 (teacher)'
    assert told['source'] == 'epoch_3.pth'
    assert told['source_sha256'] == hashlib.sha256(checkpoint.read_bytes()).hexdigest()
    assert (told['epoch'], told['iter'], told['layout']) == ('3', '12', 'mm')
    assert told['input'] == 'RGB, mean [1.0, 2.0, 3.0], std [4.0, 5.0, 6.0]'
    assert told['architecture'] == 'a ResNet of 1 basic blocks, 4 wide'


def test_mmengine_reads_what_was_written(checkpoint, tmp_path):
    class Stem(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1 = nn.Conv2d(3, 4, 7, bias=False)

    for name in ('out.pth', 'out.safetensors'):
        extract_backbone(checkpoint, tmp_path / name)
        stem = Stem()
        load_checkpoint(stem, str(tmp_path / name))
        assert (stem.conv1.weight == 1).all()
        load_backbone_weights(stem, read_checkpoint(tmp_path / name), name)


def test_what_was_extracted_is_converted_with_its_history(checkpoint, tmp_path):
    extract_backbone(checkpoint, tmp_path / 'a.safetensors', which='teacher')
    taken, told = extract_backbone(tmp_path / 'a.safetensors', tmp_path / 'b.pth', to='detectron2')
    assert taken.weights.keys() == {
        'stem.conv1.weight', 'stem.conv1.norm.weight', 'stem.conv1.norm.bias',
        'res2.0.conv1.weight', 'res2.0.conv1.norm.weight'}  # fmt: skip
    content = torch.load(tmp_path / 'b.pth', weights_only=True)  # as detectron2 reads it
    assert content['model'].keys() == taken.weights.keys()
    assert content['matching_heuristics'] is True
    assert content['__author__'] == 'bgaug_mm'
    assert (told['network'], told['epoch']) == ('target_net.module.0 (teacher)', '3')
    assert told['source'] == 'a.safetensors'

    back, _ = extract_backbone(tmp_path / 'b.pth', tmp_path / 'c.pth', names='detectron2')
    assert back.weights.keys() == ENTRIES.keys()
    assert all(
        (value == 2).all() for value in pick_backbone(read_checkpoint(tmp_path / 'c.pth')).values()
    )


def test_no_view_brings_what_it_is_a_view_of(tmp_path):
    large = torch.zeros(100_000)
    torch.save(
        {'backbone.conv1.weight': large[:4].reshape(1, 1, 2, 2), 'x': large}, tmp_path / 'a.pth'
    )
    extract_backbone(tmp_path / 'a.pth', tmp_path / 'b.pth')
    assert (tmp_path / 'b.pth').stat().st_size < 10_000


@pytest.mark.parametrize(
    ('options', 'told'),
    [
        (dict(target='out.bin'), r'must end in \.pth, \.pt, \.safetensors, but got .*out\.bin'),
        (dict(target='out.safetensors', to='detectron2'), 'write a .pth instead'),
        (dict(target='epoch_3.pth'), 'is the checkpoint itself'),
        (
            dict(to='keras'),
            "`to` must be one of mm, torchvision, timm, detectron2, but got 'keras'",
        ),
        (dict(names='keras'), '`names` must be one of'),
        (dict(which='third'), r"epoch_3\.pth has no network 'third'"),
        (dict(which='target_net', to='timm'), r'timm has no place for module\.0'),
    ],
)
def test_nothing_is_written_on_an_error(options, told, checkpoint, tmp_path):
    before = checkpoint.read_bytes()
    target = tmp_path / options.pop('target', 'out.pth')
    with pytest.raises(ValueError, match=told):
        extract_backbone(checkpoint, target, **options)
    assert [file.name for file in tmp_path.iterdir()] == ['epoch_3.pth']
    assert checkpoint.read_bytes() == before
    with pytest.raises(FileNotFoundError, match='no checkpoint'):
        extract_backbone(tmp_path / 'none.pth', tmp_path / 'out.pth')
