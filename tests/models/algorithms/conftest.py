"""Small algorithms of both libraries."""

import pytest
import torch
from mmengine.registry import MODELS

import bgaug_mm.models  # noqa: F401

#: Whose backbones and cross-entropy the libraries use.
SHARED = {'mmselfsup': 'mmcls', 'mmpretrain': 'mmpretrain'}


def build(kind: str, backend: str, *, norm: str = 'BN', **options):
    """A ``bgaug_mm`` algorithm (MatchedNegativesMoCo, ImageMixture) or upstream's own."""
    for library in {backend, SHARED[backend]}:
        __import__(f'{library}.models')
    shared = SHARED[backend]
    norm_cfg = dict(type='GN', num_groups=2) if norm == 'GN' else dict(type='BN')
    mlp = dict(
        type=f'{backend}.NonLinearNeck', hid_channels=16, out_channels=8, num_layers=2,
        norm_cfg=dict(type='BN1d' if norm == 'BN' else 'LN'),
    )  # fmt: skip
    if kind in ('MatchedNegativesMoCo', 'MoCo'):
        options = dict(
            queue_len=16, feat_dim=8, momentum=0.9 if backend == 'mmselfsup' else 0.1,
            neck=dict(
                type=f'{backend}.MoCoV2Neck', in_channels=32, hid_channels=16, out_channels=8
            ),
            head=dict(
                type=f'{backend}.ContrastiveHead', temperature=0.2,
                loss=dict(type=f'{shared}.CrossEntropyLoss', loss_weight=0.5),
            ),
        ) | options  # fmt: skip
    else:
        options = dict(
            neck=dict(mlp, in_channels=32),
            head=dict(
                type=f'{backend}.LatentPredictHead',
                loss=dict(type=f'{backend}.CosineSimilarityLoss'),
                predictor=dict(mlp, in_channels=8, with_avg_pool=False),
            ),
        ) | options  # fmt: skip
    backbone = dict(
        type=f'{shared}.ResNet', depth=18, stem_channels=4, base_channels=4, out_indices=(3,),
        norm_cfg=norm_cfg,
    )  # fmt: skip
    scope = backend
    if kind == 'MatchedNegativesMoCo':
        scope, options = 'bgaug_mm', dict(backend=backend, **options)
    if kind == 'ImageMixture':
        name = options.pop('algorithm')
        scope, options = 'bgaug_mm', dict(algorithm=f'{backend}.{name}', **options)
    torch.manual_seed(0)
    return MODELS.build(dict(type=f'{scope}.{kind}', backbone=backbone, **options)).train()


@pytest.fixture(scope='session', name='build')
def _build():
    return build


def make_views(count: int = 4, size: int = 32, seed: int = 0) -> list[torch.Tensor]:
    """``[v1, v2, m1, m2]`` with soft masks of about a third of the image."""
    generator = torch.Generator().manual_seed(seed)
    views = [torch.randn(count, 3, size, size, generator=generator) for _ in range(2)]
    masks = []
    for _ in range(2):
        mask = torch.zeros(count, 1, size, size)
        inside = torch.rand(count, 1, size // 2, size // 2, generator=generator) / 2 + 0.5
        mask[:, :, size // 4 : 3 * size // 4, size // 8 : 5 * size // 8] = inside
        masks.append(mask)
    return [*views, *masks]


@pytest.fixture(scope='session', name='make_views')
def _make_views():
    return make_views
