"""Networks by name, in files as the algorithms and hooks leave them."""

import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.hooks import EMAHook
from mmengine.model import BaseModel
from torch import nn
from torch.optim.swa_utils import AveragedModel

from bgaug_mm.checkpoints import find_networks, pick_backbone, pick_network


class Model(BaseModel):
    """An algorithm with a teacher, as BYOL has it."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        self.neck = nn.Linear(2, 3)
        self.target_net = nn.Module()
        self.target_net.module = copy.deepcopy(nn.Sequential(self.backbone, self.neck))
        with torch.no_grad():
            for value in self.target_net.parameters():
                value += 1

    def forward(self, inputs):
        return self.neck(self.backbone(inputs))


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Model()


def same(weights, module):
    wanted = module.state_dict()
    return weights.keys() == wanted.keys() and all(
        torch.equal(weights[key], wanted[key]) for key in wanted
    )


def test_online_and_teacher_by_their_names(model):
    content = {'state_dict': model.state_dict(), 'meta': {}}
    assert [str(network) for network in find_networks(content)] == [
        'backbone (online)', 'target_net.module.0 (teacher)']  # fmt: skip
    for which in ('auto', 'online', 'query', 'student', 'backbone'):
        assert same(pick_backbone(content, which=which), model.backbone)
    for which in ('teacher', 'target', 'momentum', 'key', 'ema', 'target_net.module.0'):
        assert same(pick_backbone(content, which=which), model.target_net.module[0])
    assert same(pick_backbone(content, which='neck'), model.neck)
    assert pick_network(content, which='neck').role == 'named'


@pytest.mark.parametrize('prefix', ['module.', 'module.module.', '_orig_mod.', 'module._orig_mod.'])
def test_wrappers_before_the_names_go(prefix, model):
    state = {prefix + key: value for key, value in model.state_dict().items()}
    for content in ({'state_dict': state}, {'model': state}, state):
        assert same(pick_backbone(content), model.backbone)
        assert same(pick_backbone(content, which='teacher'), model.target_net.module[0])


def test_extracted_weights_are_the_only_ones(model):
    content = {'module.' + key: value for key, value in model.backbone.state_dict().items()}
    assert same(pick_backbone(content), model.backbone)
    with pytest.raises(
        ValueError,
        match=r"x\.pth has no network 'teacher': it has extracted weights; its parts: 0, 1",
    ):
        pick_backbone(content, which='teacher', source='x.pth')


def test_ema_hook_puts_the_average_in_place_of_what_was_trained(model):
    hook = EMAHook(momentum=0.5)
    hook.before_run(SimpleNamespace(model=model, iter=0))
    first = copy.deepcopy(model)
    with torch.no_grad():
        for value in model.parameters():
            value += 2
    hook.ema_model.update_parameters(model)  # the first update copies
    with torch.no_grad():
        for value in model.parameters():
            value += 2
    hook.ema_model.update_parameters(model)
    content = {'state_dict': dict(model.state_dict()), 'meta': {}}
    hook.before_save_checkpoint(None, content)

    averaged = hook.ema_model.module.backbone
    assert not same(model.backbone.state_dict(), averaged)
    assert [network.role for network in find_networks(content)] == ['online', 'teacher', 'ema']
    for which in ('auto', 'ema'):
        assert same(pick_backbone(content, which=which), averaged)
    assert same(pick_backbone(content, which='online'), model.backbone)
    assert same(pick_backbone(content, which='teacher'), model.target_net.module[0])
    assert not same(pick_backbone(content), first.backbone)
    del model.target_net
    alone = {key: {k: v for k, v in content[key].items() if 'target_net' not in k}
             for key in ('state_dict', 'ema_state_dict')}  # fmt: skip
    assert same(pick_backbone(alone, which='teacher'), averaged)


def test_swa_keeps_an_average_alone(model):
    averaged = AveragedModel(model)
    averaged.update_parameters(model)
    content = {'state_dict': averaged.state_dict()}
    assert 'n_averaged' in content['state_dict']
    assert pick_network(content).role == 'ema'
    assert same(pick_backbone(content, which='ema'), model.backbone)
    with pytest.raises(ValueError, match=r"no network 'online': it has backbone \(ema\), target_n"):
        pick_backbone(content, which='online')


@pytest.mark.parametrize('kind', ['MoCo', 'BYOL', 'MoCoV3', 'SimSiam', 'DINO'])
def test_algorithms(kind):
    """The names that upstream's and our own models give their networks."""
    pytest.importorskip('mmpretrain')
    from mmengine.registry import MODELS, DefaultScope

    backbone = dict(type='ResNet', depth=18, base_channels=4, stem_channels=4)
    neck = dict(type='NonLinearNeck', in_channels=32, hid_channels=4, out_channels=4)
    cosine = dict(type='LatentPredictHead', predictor=dict(neck, in_channels=4), loss=dict(
        type='CosineSimilarityLoss'))  # fmt: skip
    parts = {
        'MoCo': dict(neck=neck, head=dict(
            type='ContrastiveHead', loss=dict(type='CrossEntropyLoss')), queue_len=8, feat_dim=4),
        'BYOL': dict(neck=neck, head=cosine),
        'MoCoV3': dict(neck=neck, head=dict(
            type='MoCoV3Head', predictor=dict(neck, in_channels=4), loss=dict(
                type='CrossEntropyLoss'))),
        'SimSiam': dict(neck=neck, head=cosine),
        'DINO': dict(type='bgaug_mm.DINO', head=dict(
            type='bgaug_mm.DINOHead', in_channels=32, hidden_channels=4, bottleneck_channels=4,
            out_channels=8)),
    }[kind]  # fmt: skip
    names = {'MoCo': 'encoder_k.module.0', 'BYOL': 'target_net.module.0',
             'MoCoV3': 'momentum_encoder.module.0', 'DINO': 'teacher_backbone'}  # fmt: skip
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(dict(dict(type=kind, backbone=backbone), **parts))
    with torch.no_grad():
        for value in model.backbone.parameters():
            value += 1
    content = {'state_dict': {f'module.{k}': v for k, v in model.state_dict().items()}}
    assert same(pick_backbone(content), model.backbone)
    found = {network.role: network.name for network in find_networks(content)}
    if kind in names:
        assert found == {'online': 'backbone', 'teacher': names[kind]}
        teacher = model.get_submodule(names[kind])
        assert same(pick_backbone(content, which='teacher'), teacher)
    else:
        assert found == {'online': 'backbone'}


def test_what_cannot_be_picked_is_told(model):
    for content in ({}, {'meta': {}, 'epoch': 3}, {'state_dict': {}}):
        with pytest.raises(ValueError, match=r'a\.pth holds no weights'):
            pick_backbone(content, source='a.pth')
    state = model.state_dict()
    told = r"no network 'encoder_q': it has backbone \(online\), .*; its parts: backbone, neck, t"
    with pytest.raises(ValueError, match=told):
        pick_backbone(state, which='encoder_q')
    third = {key.replace('target_net', 'third'): value for key, value in state.items()}
    with pytest.raises(ValueError, match=r"several .* 'teacher': name one of target_net.*, third"):
        pick_backbone({**state, **third}, which='teacher')
