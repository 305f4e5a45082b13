"""HardViewSelectionHook leaves all that training owns as it is, in every supported algorithm."""

import random
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from mmengine.registry import MODELS
from torch import nn

from bgaug_mm.engine.hooks import HardViewSelectionHook
from bgaug_mm.engine.hooks import hard_view_selection_hook as module


def noisy(model):
    """Each forward pass draws from all generators, and drops features in training."""

    def drop(backbone, args, output):
        np.random.rand(), random.random()
        if isinstance(output, tuple):
            return tuple(F.dropout(o, 0.2, backbone.training) for o in output)
        return F.dropout(output, 0.2, backbone.training)

    model.backbone.register_forward_hook(drop)
    return model


class Forced(Hook):
    """Gives the step the same views without scoring anything."""

    def __init__(self, chosen):
        self.chosen = chosen

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        views = data_batch['inputs']
        data_batch['inputs'] = [
            torch.stack([views[k][b] for b, k in enumerate(column)])
            for column in self.chosen[batch_idx].T.tolist()
        ]


def picks(views, inputs):
    """(B, K): which candidate each sample of each output is; candidates must differ."""
    found = [
        [[i for i, view in enumerate(views) if torch.equal(view[b], out[b])] for out in inputs]
        for b in range(len(views[0]))
    ]
    return torch.tensor(found).squeeze(2)


def train(model, hook, batches, *, accumulate=1, wrapper=OptimWrapper):
    """Steps of mmengine's loop; the picks, and all that training owns."""
    torch.manual_seed(1), np.random.seed(1), random.seed(1)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], 1e-3)
    hub = MessageHub.get_current_instance()
    runner = SimpleNamespace(
        model=model, iter=0, seed=7, message_hub=hub,
        optim_wrapper=wrapper(optimizer, accumulative_counts=accumulate),
        train_dataloader=type('Loader', (list,), dict(dataset=None))(batches),
    )  # fmt: skip
    hub.update_info('max_iters', len(batches))
    runner.optim_wrapper.initialize_count_status(model, 0, len(batches))
    hook.before_train(runner)
    chosen, losses = [], []
    for runner.iter, views in enumerate(batches):
        hub.update_info('iter', runner.iter)
        batch = dict(inputs=list(views), data_samples=None)
        hook.before_train_iter(runner, runner.iter, batch)
        chosen.append(picks(views, batch['inputs']))
        losses.append(model.train_step(batch, runner.optim_wrapper)['loss'])
        hook.after_train_iter(runner, runner.iter, batch)
    return chosen, dict(
        model=model.state_dict(),
        optimizer=runner.optim_wrapper.state_dict(),
        gradients={name: p.grad for name, p in model.named_parameters()},
        flags={name: m.training for name, m in model.named_modules()},
        random=(torch.get_rng_state(), np.random.get_state(), random.getstate()),
        losses=losses,
        inner_count=runner.optim_wrapper.inner_count,
    )


def same(a, b):
    """Equal to the bit."""
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return np.array_equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return a == b


def assert_no_trace(make_model, batches, options=None, **training):
    """Train with the hook, then without it on the views that it chose."""
    hook = HardViewSelectionHook(**(options or {}))
    chosen, selecting = train(make_model(), hook, batches, **training)
    first = list(range(chosen[0].shape[1]))
    assert any(sample != first for index in chosen for sample in index.tolist())
    again, forced = train(make_model(), Forced(chosen), batches, **training)
    assert all(map(torch.equal, chosen, again))
    for owned in selecting:
        assert same(selecting[owned], forced[owned]), owned
    return selecting


@pytest.fixture
def batches(make_batch):
    return [make_batch(seed=seed, samples=4) for seed in range(2)]


@pytest.fixture
def small(build):
    """BYOL: batch norms, two networks, an average that moves in the step."""
    return lambda: noisy(build('mmpretrain', 'BYOL'))


def test_two_view_algorithms(build, batches, algorithm):
    assert_no_trace(lambda: noisy(build(*algorithm)), batches)


def test_without_the_context_there_are_traces(small, batches, monkeypatch):
    """The failing case of the tests around it."""
    monkeypatch.setattr(module, 'scoring', lambda model: torch.no_grad())
    with pytest.raises(AssertionError, match='model'):
        assert_no_trace(small, batches)
    monkeypatch.setattr(module, 'scoring', lambda model: nullcontext())
    with pytest.raises(AssertionError, match='model'):
        assert_no_trace(small, batches)


def crops(make_batch, *, mask=False):
    """Two batches of 4 global and 4 local candidates."""
    batches = []
    for seed in range(2):
        large, small = make_batch(seed=seed, samples=4), make_batch(seed=9 + seed, samples=4,
                                                                    size=16)  # fmt: skip
        if mask:  # iBOT's blocks, of patches of 8
            blocks = torch.rand(4, 4, 1, 4, 4, generator=torch.Generator().manual_seed(seed)) < 0.3
            blocks = blocks.repeat_interleave(8, 3).repeat_interleave(8, 4).to(torch.uint8)
            large = [torch.cat([v, m], 1) for v, m in zip(large, blocks, strict=True)]
        batches.append([*large, *small])
    return batches


@pytest.mark.parametrize('backend', ['mmselfsup', 'mmpretrain'])
def test_swav(build, make_batch, backend):
    head = dict(
        type=f'{backend}.SwAVHead',
        loss=dict(
            type=f'{backend}.SwAVLoss', feat_dim=8, epsilon=0.05, temperature=0.1,
            num_crops=[2, 2], num_prototypes=12,
        ),
    )  # fmt: skip
    neck = dict(
        type=f'{backend}.SwAVNeck', in_channels=32, hid_channels=16, out_channels=8,
        norm_cfg=dict(type='BN1d'), with_avg_pool=True,
    )  # fmt: skip

    def swav():
        return noisy(build(backend, 'SwAV', head=head, neck=neck))

    assert_no_trace(swav, crops(make_batch), dict(num_views_out=4))


@pytest.mark.parametrize('kind', ['DINO', 'IBOT'])
def test_self_distillation(make_batch, kind):
    import mmpretrain.models  # noqa: F401

    import bgaug_mm.models  # noqa: F401

    def model():
        torch.manual_seed(0)
        config = dict(
            type=f'bgaug_mm.{kind}',
            backbone=dict(
                type='mmpretrain.VisionTransformer', img_size=32, patch_size=8,
                out_type='cls_token' if kind == 'DINO' else 'raw', drop_path_rate=0.3,
                arch=dict(embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=64),
            ),
            head=dict(
                type='bgaug_mm.DINOHead', in_channels=32, out_channels=24, hidden_channels=16,
                bottleneck_channels=8,
            ),
            data_preprocessor=dict(
                type='mmpretrain.SelfSupDataPreprocessor', mean=[120.0] * 3, std=[60.0] * 3
            ),
        )  # fmt: skip
        return MODELS.build(config).train()

    assert_no_trace(model, crops(make_batch, mask=kind == 'IBOT'), dict(num_views_out=4))


@pytest.mark.parametrize('backend', ['mmselfsup', 'mmpretrain'])
def test_our_extension_with_masks(build, batches, backend):
    """Scored by upstream's part; the masks reach the step with their views."""
    import bgaug_mm.models  # noqa: F401

    def extended():
        preprocessor = dict(type='bgaug_mm.BackgroundDataPreprocessor', append_masks=True)
        return build(
            backend, 'MoCo', type='bgaug_mm.MatchedNegativesMoCo', backend=backend,
            data_preprocessor=preprocessor,
        )  # fmt: skip

    mask = torch.zeros(4, 1, 32, 32, dtype=torch.uint8)
    mask[:, :, 8:24, 8:24] = 255
    masked = [[torch.cat([view, mask], 1) for view in views] for views in batches]
    assert_no_trace(extended, masked)


def test_all_options(small, batches):
    options = dict(
        objective=dict(type='top', q=0.5), mix=0.2, every_n_iters=2, score_size=16,
        scorer='GenericScorer', telemetry_interval=1,
    )  # fmt: skip
    assert_no_trace(small, [*batches, *batches], options)


def test_gradient_accumulation(small, batches):
    state = assert_no_trace(small, [*batches, *batches], accumulate=2)
    assert state['inner_count'] == 4


class CPUAmp(OptimWrapper):
    """mmengine's AmpOptimWrapper refuses to work without an accelerator."""

    def optim_context(self, model):
        return torch.autocast('cpu', dtype=torch.bfloat16)


def test_scores_under_the_autocast_of_the_step(small, batches):
    kinds = []

    def amp():
        model = small()
        model.backbone.conv1.register_forward_hook(
            lambda module, _, output: kinds.append((torch.is_grad_enabled(), output.dtype))
        )
        return model

    assert_no_trace(amp, batches, wrapper=CPUAmp)
    assert set(kinds) == {(True, torch.bfloat16), (False, torch.bfloat16)}


class Backbone(nn.Sequential):
    """As small as torch.compile likes it."""

    def __init__(self):
        super().__init__(nn.Conv2d(3, 32, 3, 2), nn.BatchNorm2d(32), nn.Dropout(0.1), nn.ReLU())

    def forward(self, x):
        return (super().forward(x),)


def test_compiled_backbone(build, batches):
    def compiled():
        model = build('mmpretrain', 'SimSiam')
        torch.manual_seed(0)
        # the whole of torch.compile but the code generator, which needs a C++ compiler
        model.backbone = torch.compile(Backbone(), backend='eager')
        return model

    try:
        compiled().backbone(torch.zeros(2, 3, 8, 8))
    except Exception as error:
        pytest.skip(f'torch.compile does not work here: {type(error).__name__}')
    assert_no_trace(compiled, batches)
