"""The shared matrix, and that scoring leaves no trace in the step behind it."""

import copy
import random
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.optim import OptimWrapper
from mmengine.registry import MODELS

from bgaug_mm.engine.hard_views.scorers.multi_crop import cross_entropy_matrix, forward_by_size
from bgaug_mm.engine.hooks import HardViewSelectionHook
from bgaug_mm.models.algorithms.upstream import criterion

BATCH = 4


def test_cross_entropies_one_by_one():
    generator = torch.Generator().manual_seed(0)
    probs = torch.randn(2, 3, 7, generator=generator).softmax(2)
    logits = 5 * torch.randn(4, 3, 7, generator=generator)
    matrix = cross_entropy_matrix(probs, logits)
    for b in range(3):
        for t in range(2):
            for s in range(4):
                expected = -(probs[t, b] * logits[s, b].log_softmax(0)).sum()
                torch.testing.assert_close(matrix[b, t, s], expected)
    # also of logits far from 0, and under autocast
    with torch.autocast('cpu', torch.bfloat16):
        far = cross_entropy_matrix(probs, logits + 100)
    assert far.dtype == torch.float32
    torch.testing.assert_close(far, matrix, rtol=1e-4, atol=1e-4)


def test_one_pass_a_size():
    views = [torch.full((2, 3, size, size), i) for i, size in enumerate([8, 8, 4, 4, 4])]
    seen = []

    def forward(images):
        seen.append(tuple(images.shape))
        return images.float().mean((2, 3))

    out = forward_by_size(forward, views)
    assert seen == [(4, 3, 8, 8), (6, 3, 4, 4)]
    assert out.shape == (5, 2, 3)
    assert out[:, 0, 0].tolist() == [0, 1, 2, 3, 4]


def build(kind):
    import mmpretrain.models  # noqa: F401

    import bgaug_mm.models  # noqa: F401

    preprocessor = dict(type='mmpretrain.SelfSupDataPreprocessor', mean=[120.0] * 3, std=[60.0] * 3)
    torch.manual_seed(0)
    if kind == 'SwAV':
        model = MODELS.build(
            dict(
                type='mmpretrain.SwAV', data_preprocessor=preprocessor,
                backbone=dict(
                    type='mmpretrain.ResNet', depth=18, stem_channels=4, base_channels=4,
                    norm_cfg=dict(type='BN'),
                ),
                neck=dict(
                    type='mmpretrain.SwAVNeck', in_channels=32, hid_channels=16, out_channels=8,
                    norm_cfg=dict(type='BN1d'),
                ),
                head=dict(
                    type='mmpretrain.SwAVHead',
                    loss=dict(
                        type='mmpretrain.SwAVLoss', feat_dim=8, num_crops=[2, 2],
                        num_prototypes=12,
                    ),
                ),
            )
        )  # fmt: skip
        criterion(model.head).queue = F.normalize(torch.randn(2, 2 * BATCH, 8), dim=2)
        return model.train()
    return MODELS.build(
        dict(
            type=f'bgaug_mm.{kind}', data_preprocessor=preprocessor,
            backbone=dict(
                type='mmpretrain.VisionTransformer', img_size=32, patch_size=8,
                out_type='raw' if kind == 'IBOT' else 'cls_token', drop_path_rate=0.3,
                arch=dict(embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=64),
            ),
            head=dict(
                type='bgaug_mm.DINOHead', in_channels=32, out_channels=24, hidden_channels=16,
                bottleneck_channels=8,
            ),
        )
    ).train()  # fmt: skip


def make_views(kind):
    generator = torch.Generator().manual_seed(1)
    views = [
        torch.randint(256, (BATCH, 3, size, size), generator=generator).to(torch.uint8)
        for size in [32] * 4 + [16] * 5
    ]
    if kind == 'IBOT':
        for number in range(4):
            mask = (torch.rand(BATCH, 1, 4, 4, generator=generator) < 0.4).to(torch.uint8)
            mask = mask.repeat_interleave(8, 2).repeat_interleave(8, 3)
            views[number] = torch.cat([views[number], mask], 1)
    return views


def seed():
    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)


def streams():
    return torch.get_rng_state().tolist(), np.random.get_state()[1].tolist(), random.getstate()


@pytest.mark.parametrize('objective', ['hardest', dict(type='top', q=0.2)])
@pytest.mark.parametrize('kind', ['SwAV', 'DINO', 'IBOT'])
def test_selection_leaves_no_trace(kind, objective):
    """The step behind the hook is, bit for bit, that on the same picks without it."""
    selecting = build(kind)
    plain = copy.deepcopy(selecting)
    optims = [
        OptimWrapper(torch.optim.SGD(m.parameters(), lr=0.1, momentum=0.9), accumulative_counts=2)
        for m in (selecting, plain)
    ]
    runner = SimpleNamespace(
        model=selecting, optim_wrapper=optims[0],
        train_dataloader=SimpleNamespace(dataset=None), iter=0, seed=0,
    )  # fmt: skip
    hook = HardViewSelectionHook(
        num_views_out=4, by_epoch=False, objective=objective, telemetry_interval=0,
        recipes=[0] * 9,
    )  # fmt: skip
    hook.before_train(runner)
    picks = []
    seed()
    for iteration in range(3):
        runner.iter = iteration
        batch = dict(inputs=make_views(kind), data_samples=None)
        hook.before_train_iter(runner, iteration, batch)
        picks.append(batch['inputs'])
        selecting.train_step(batch, optims[0])
    after = streams()
    seed()
    for views in picks:
        plain.train_step(dict(inputs=views, data_samples=None), optims[1])
    assert streams() == after
    state = selecting.state_dict()
    for name, value in plain.state_dict().items():
        assert torch.equal(state[name], value), name
    for new, old in zip(selecting.parameters(), plain.parameters(), strict=True):
        assert (new.grad is None) == (old.grad is None)
        assert new.grad is None or torch.equal(new.grad, old.grad)
    if kind == 'SwAV':
        heads = [criterion(m.head) for m in (selecting, plain)]
        assert torch.equal(heads[0].queue, heads[1].queue)
    # and views were chosen, not the first
    first = make_views(kind)
    assert not all(torch.equal(v, f) for v, f in zip(picks[0], first[:2] + first[4:6], strict=True))
