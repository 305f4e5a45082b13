"""A step that takes over the teacher's features against one that makes its own."""

import copy
from types import SimpleNamespace

import pytest
import torch
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper

from bgaug_mm.engine.hard_views.scorers import DINOScorer, IBOTScorer
from bgaug_mm.engine.hooks import HardViewSelectionHook
from bgaug_mm.registry import MODELS

BATCH = 3
RECIPES = [0, 0, 1, 1, 2, 2, 2]


def build(kind='DINO', **options):
    import mmpretrain.models  # noqa: F401

    torch.manual_seed(0)
    config = dict(
        type=f'bgaug_mm.{kind}', base_momentum=0.5,
        backbone=dict(
            type='mmpretrain.VisionTransformer', img_size=32, patch_size=8,
            out_type='raw' if kind == 'IBOT' else 'cls_token',
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
    model = MODELS.build(config | options)
    with torch.no_grad():
        for parameter in (*model.teacher_backbone.parameters(), *model.teacher_head.parameters()):
            parameter += 0.05 * torch.randn_like(parameter)
    return model.train()


def make_views(kind):
    generator = torch.Generator().manual_seed(1)
    views = [
        torch.randint(256, (BATCH, 3, size, size), generator=generator)
        for size in [32] * 4 + [16] * 3
    ]
    if kind == 'IBOT':
        for number in range(4):
            mask = (torch.rand(BATCH, 1, 4, 4, generator=generator) < 0.4).long()
            mask = mask.repeat_interleave(8, 2).repeat_interleave(8, 3)
            views[number] = torch.cat([views[number], mask], 1)
    return [view.to(torch.uint8) for view in views]


def train(model, views, *, reuse, **options):
    """One step behind the hook; how often the teacher's backbone ran."""
    runner = SimpleNamespace(
        model=model,
        optim_wrapper=OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)),
        train_dataloader=SimpleNamespace(dataset=None),
        iter=3,
        seed=0,
    )
    kind = type(model).__name__
    hook = HardViewSelectionHook(
        num_views_out=4, by_epoch=False, per_global_recipe=True, recipes=RECIPES,
        scorer=dict(type=f'{kind}Scorer', reuse_teacher=reuse), telemetry_interval=0, **options,
    )  # fmt: skip
    hook.before_train(runner)
    batch = dict(inputs=list(views), data_samples=None)
    hook.before_train_iter(runner, 0, batch)
    passes = []
    model.teacher_backbone.register_forward_hook(lambda *_: passes.append(1))
    losses = model.train_step(batch, runner.optim_wrapper)
    return batch['inputs'], losses, len(passes)


@pytest.fixture(autouse=True)
def in_training():
    hub = MessageHub.get_current_instance()
    before = {key: hub.get_info(key) for key in ('iter', 'max_iters')}
    hub.update_info('iter', 3)
    hub.update_info('max_iters', 10)
    yield
    for key, value in before.items():
        hub.update_info(key, value)


@pytest.mark.parametrize('kind', ['DINO', 'IBOT'])
def test_the_step_learns_the_same(kind):
    views = make_views(kind)
    reusing = build(kind)
    plain = copy.deepcopy(reusing)
    chosen, losses, passes = train(reusing, views, reuse=True)
    assert passes == 0
    # the same picks, without the hook
    optim = OptimWrapper(torch.optim.SGD(plain.parameters(), lr=0.1))
    expected = plain.train_step(dict(inputs=chosen, data_samples=None), optim)
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value)
    after = reusing.state_dict()
    for name, value in plain.state_dict().items():
        torch.testing.assert_close(after[name], value, rtol=1e-4, atol=1e-6, msg=name)
    # the teacher has moved once, exactly as in the other
    for new, old in zip(
        reusing.teacher_backbone.parameters(), plain.teacher_backbone.parameters(), strict=True
    ):
        assert torch.equal(new, old)


def test_random_views_in_between():
    """Samples and iterations that keep random views are served as well."""
    views = make_views('DINO')
    model = build()
    assert train(model, views, reuse=True, mix=1.0)[2] == 1  # nothing was scored
    assert train(build(), views, reuse=True, mix=0.5)[2] == 0
    model = build()
    train(model, views, reuse=True)
    plain = copy.deepcopy(model)
    first = [views[0], views[2], *views[4:6]]
    for each in (model, plain):  # nothing is left over for the next step
        optim = OptimWrapper(torch.optim.SGD(each.parameters(), lr=0.1))
        each.train_step(dict(inputs=first, data_samples=None), optim)
    for new, old in zip(model.parameters(), plain.parameters(), strict=True):
        assert torch.equal(new, old)


def test_without_reuse_the_teacher_runs_in_the_step():
    assert train(build(), make_views('DINO'), reuse=False)[2] == 1


def test_what_cannot_be_reused():
    views = make_views('DINO')
    with pytest.raises(ValueError, match=r'full size \(`score_size=None`\).*score_size=16'):
        train(build(), views, reuse=True, score_size=16)
    head = dict(
        type='bgaug_mm.DINOHead', in_channels=32, out_channels=24, hidden_channels=16,
        bottleneck_channels=8,
    )  # fmt: skip
    resnet = dict(
        type='mmpretrain.ResNet', depth=18, stem_channels=4, base_channels=4,
        norm_cfg=dict(type='BN'),
    )  # fmt: skip
    with pytest.raises(ValueError, match='a teacher without batch norms'):
        train(build(backbone=resnet, head=head), views, reuse=True)
    treated = dict(
        type='bgaug_mm.BackgroundDataPreprocessor', mean=[120.0] * 3, std=[60.0] * 3,
        background_op=dict(type='bgaug_mm.BackgroundRemove', prob=0.5),
    )  # fmt: skip
    with pytest.raises(ValueError, match='without `background_op`'):
        train(build(data_preprocessor=treated), views, reuse=True)
    model = build()
    model.reuse_teacher(torch.zeros(5, 32))
    with pytest.raises(ValueError, match='are of 5 views, but 6 are global'):
        model.loss([torch.zeros(3, 3, 32, 32)] * 2)


def test_scorers_take_the_option():
    for scorer in (DINOScorer, IBOTScorer):
        assert scorer().reuse_teacher is False and scorer(reuse_teacher=True).reuse_teacher
