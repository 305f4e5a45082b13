"""Small algorithms of both libraries, and of our own."""

from itertools import count

import pytest
import torch
from mmengine.logging import MessageHub
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


class Distillation:
    """Small models and batches for the tests of DINO and IBOT."""

    _hubs = count()

    vit = dict(
        type='mmpretrain.VisionTransformer',
        arch=dict(embed_dims=24, num_layers=2, num_heads=3, feedforward_channels=32),
        img_size=32, patch_size=8,
    )  # fmt: skip
    resnet = dict(type='mmpretrain.ResNet', depth=18, stem_channels=4, base_channels=4)
    preprocessor = dict(
        type='mmpretrain.SelfSupDataPreprocessor', mean=[120.0] * 3, std=[60.0] * 3, to_rgb=True
    )

    @classmethod
    def build(cls, kind='DINO', *, backbone=None, head=None, **options):
        """A model of 16 prototypes, freshly initialised."""
        __import__('mmpretrain.models')
        backbone = backbone or dict(cls.vit, **({'out_type': 'raw'} if kind == 'IBOT' else {}))
        channels = 24 if 'patch_size' in backbone else 32
        head = dict(
            type='bgaug_mm.DINOHead', in_channels=channels, out_channels=16,
            hidden_channels=20, bottleneck_channels=12, **(head or {}),
        )  # fmt: skip
        torch.manual_seed(0)
        config = dict(
            type=f'bgaug_mm.{kind}', backbone=backbone, head=head,
            data_preprocessor=dict(cls.preprocessor),
        )  # fmt: skip
        model = MODELS.build({**config, **options})
        model.init_weights()
        return model

    @staticmethod
    def views(num_globals=2, num_locals=3, batch=4, seed=0):
        """Preprocessed views of 32 and of 16 px."""
        generator = torch.Generator().manual_seed(seed)
        sizes = [32] * num_globals + [16] * num_locals
        return [torch.randn(batch, 3, size, size, generator=generator) for size in sizes]

    @staticmethod
    def masks(num_globals=2, batch=4, seed=0):
        """Masks (B, 32, 32) of patches of 8 px; nothing of the first image."""
        generator = torch.Generator().manual_seed(seed)
        masks = []
        for _ in range(num_globals):
            patches = torch.rand(batch, 4, 4, generator=generator) < 0.4
            patches[0] = False
            masks.append(patches.repeat_interleave(8, 1).repeat_interleave(8, 2))
        return masks

    @classmethod
    def at(cls, *, iteration, max_iters=10, epoch=0):
        """Say where the training is, as mmengine's RuntimeInfoHook does."""
        hub = MessageHub.get_instance(f'distillation-{next(cls._hubs)}')  # now the current one
        for key, value in (('iter', iteration), ('max_iters', max_iters), ('epoch', epoch)):
            hub.update_info(key, value)

    @staticmethod
    def perturb(model):
        """Let teacher and centres differ from their initial state."""
        torch.manual_seed(1)
        with torch.no_grad():
            for part in (model.teacher_backbone, model.teacher_head):
                for parameter in part.parameters():
                    parameter.add_(0.05 * torch.randn_like(parameter))
            for name, buffer in model.named_buffers():
                if name.endswith('center'):
                    buffer.normal_(std=0.1)


@pytest.fixture
def tiny():
    Distillation.at(iteration=0)
    return Distillation
