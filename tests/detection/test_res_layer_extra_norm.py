"""The C4 detector's last stage: names, values and independence of upstream's."""

import subprocess
import sys

import pytest
import torch
from mmengine.registry import init_default_scope

from bgaug_mm.detection import ResLayerExtraNorm
from bgaug_mm.registry import MODELS

pytestmark = pytest.mark.usefixtures('mmdet')


def build(**options):
    return ResLayerExtraNorm(**{'depth': 50, 'norm_cfg': dict(type='BN'), **options})


@pytest.mark.parametrize(('depth', 'base'), [(50, 64), (18, 16)])
def test_names_and_values_are_those_of_the_backbone(depth, base):
    """The stage is the backbone's own: loaded with its weights it gives its features."""
    from mmdet.models.backbones import ResNet

    torch.manual_seed(0)
    backbone = ResNet(
        depth, stem_channels=base, base_channels=base, out_indices=(2, 3), zero_init_residual=False
    )
    backbone.eval()  # returns nothing
    head = build(depth=depth, base_channels=base).eval()
    missing, unexpected = head.load_state_dict(backbone.state_dict(), strict=False)
    assert {key.partition('.')[0] for key in missing} == {'norm'}
    assert not any(key.startswith('layer4') for key in unexpected)
    torch.nn.init.uniform_(head.norm.weight)
    before, after = backbone(torch.rand(2, 3, 64, 64))
    expected = after * head.norm.weight[:, None, None] / (1 + head.norm.eps) ** 0.5
    torch.testing.assert_close(head(before), expected)


def test_everything_trains_by_default():
    head = build().train()
    norms = [m for m in head.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert len(norms) == 3 * 3 + 1 + 1
    assert all(m.training and m.weight.requires_grad for m in norms)
    default = ResLayerExtraNorm(depth=50)
    kinds = {type(m).__name__ for m in default.modules() if 'BatchNorm' in type(m).__name__}
    assert kinds == {'SyncBatchNorm'}


def test_initialisation_without_a_checkpoint():
    head = build(depth=18)
    head.layer4[0].bn1.weight.data.fill_(5)
    head.init_weights()
    assert (head.layer4[0].bn1.weight == 1).all() and (head.norm.weight == 1).all()


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        (dict(depth=49), r'`depth` must be one of \[18, 34, 50, 101, 152\], but got 49'),
        (dict(stage=0), '`stage` must be 1, 2 or 3, but got 0'),
    ],
)
def test_bad_options(option, message):
    with pytest.raises(ValueError, match=message):
        build(**option)


ALONE = """
import sys
for name in {blocked}:
    sys.modules[name] = None  # cannot be imported
import bgaug_mm
for name in {wanted}:
    __import__(name)
from mmengine.registry import MODELS, init_default_scope
init_default_scope('mmdet')
import mmdet.models
layer = MODELS.build(dict(type='bgaug_mm.ResLayerExtraNorm', depth=18, base_channels=8))
print(type(layer).__module__, sum('mmselfsup' in name for name in sys.modules) > 3)
"""


@pytest.mark.parametrize('present', [False, True])
def test_needs_neither_library_and_bears_both(present):
    names = ['mmselfsup.models', 'mmpretrain.models', 'mmcls.models']
    code = ALONE.format(
        blocked=[] if present else ['mmselfsup', 'mmpretrain', 'mmcls'],
        wanted=names if present else [],
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ours = 'bgaug_mm.detection.res_layer_extra_norm'
    assert done.stdout.splitlines()[-1] == f'{ours} {present}'


def test_the_name_leads_here_in_mmdets_scope():
    init_default_scope('mmdet')
    built = MODELS.build(dict(type='bgaug_mm.ResLayerExtraNorm', depth=18, base_channels=8))
    assert type(built) is ResLayerExtraNorm
