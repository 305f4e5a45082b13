"""Small two-view algorithms of both libraries."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from mmengine.registry import MODELS

#: Whose backbones and cross-entropy the libraries use.
SHARED = {'mmselfsup': 'mmcls', 'mmpretrain': 'mmpretrain'}
TWO_VIEW = ('SimSiam', 'BYOL', 'SimCLR', 'MoCo', 'MoCoV3', 'BarlowTwins')
BOTH = [(backend, kind) for backend in SHARED for kind in TWO_VIEW]


def build(backend: str, kind: str, /, *, norm: str = 'BN', **overrides: Any) -> torch.nn.Module:
    """A tiny algorithm in training mode; targets that differ from the online network."""
    for library in {backend, SHARED[backend]}:
        __import__(f'{library}.models')
    shared = SHARED[backend]
    norm_cfg = dict(type='GN', num_groups=2) if norm == 'GN' else dict(type='BN')
    norm_1d = dict(type='BN1d') if norm == 'BN' else norm_cfg
    neck = dict(
        type=f'{backend}.NonLinearNeck', in_channels=32, hid_channels=16, out_channels=8,
        num_layers=2, norm_cfg=norm_1d,
    )  # fmt: skip
    predictor = dict(neck, in_channels=8, with_avg_pool=False)
    # a weight other than 1, so that a forgotten one shows
    cross_entropy = dict(type=f'{shared}.CrossEntropyLoss', loss_weight=0.5)
    cosine = dict(
        type=f'{backend}.CosineSimilarityLoss',
        shift_factor=1.0 if kind == 'BYOL' else 0.0, scale_factor=2.0 if kind == 'BYOL' else 1.0,
    )  # fmt: skip
    latent = dict(type=f'{backend}.LatentPredictHead', loss=cosine, predictor=predictor)
    contrastive = dict(type=f'{backend}.ContrastiveHead', temperature=0.2, loss=cross_entropy)
    heads = dict(
        SimSiam=latent,
        BYOL=latent,
        SimCLR=contrastive,
        MoCo=contrastive,
        MoCoV3=dict(
            type=f'{backend}.MoCoV3Head', temperature=0.3, loss=cross_entropy, predictor=predictor
        ),
        BarlowTwins=dict(
            type=f'{backend}.LatentCrossCorrelationHead', in_channels=8,
            loss=dict(type=f'{backend}.CrossCorrelationLoss', lambd=0.1),
        ),
    )  # fmt: skip
    options = dict(queue_len=32, feat_dim=8) if kind == 'MoCo' else {}
    backbone = dict(
        type=f'{shared}.ResNet', depth=18, stem_channels=4, base_channels=4, out_indices=(3,),
        norm_cfg=norm_cfg,
    )  # fmt: skip
    preprocessor = dict(type=f'{backend}.SelfSupDataPreprocessor', mean=[120.0] * 3, std=[60.0] * 3)
    torch.manual_seed(0)
    config = dict(
        type=f'{backend}.{kind}', backbone=backbone, neck=neck, head=heads.get(kind),
        data_preprocessor=preprocessor, **options,
    )  # fmt: skip
    model = MODELS.build({**config, **overrides}).train()
    for name in ('target_net', 'momentum_encoder', 'encoder_k'):
        if hasattr(model, name):
            for parameter in getattr(model, name).parameters():
                parameter.data += 0.05 * torch.randn(parameter.shape)
            getattr(model, name).steps.fill_(1)  # at 0 the first update copies
    return model


@pytest.fixture(scope='session', name='build')
def _build():
    return build


@pytest.fixture(params=BOTH, ids='-'.join)
def algorithm(request) -> tuple[str, str]:
    """Library and class of each supported two-view algorithm."""
    return request.param


def make_batch(
    samples: int = 6, num_views: int = 4, size: int = 32, seed: int = 0
) -> list[torch.Tensor]:
    """Candidate views, (B, 3, size, size) uint8 each, smooth enough to differ in hardness."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.randint(0, 256, (num_views, samples, 3, 4, 4), generator=generator)
    views = coarse.float().repeat_interleave(size // 4, 3).repeat_interleave(size // 4, 4)
    noise = torch.randint(0, 20, views.shape, generator=generator)
    return list((views + noise).clamp(0, 255).to(torch.uint8))


@pytest.fixture(scope='session', name='make_batch')
def _make_batch():
    return make_batch
