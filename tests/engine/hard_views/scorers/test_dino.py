"""DINO's matrix against its own loss and against its equations."""

import copy

import pytest
import torch

from bgaug_mm.engine.hard_views.crop_selection import crop_loss, select_crops
from bgaug_mm.engine.hard_views.scorers import DINOScorer, build_scorer
from bgaug_mm.engine.hard_views.scoring import scoring
from bgaug_mm.registry import MODELS

BATCH = 5


def build(kind='vit', **options):
    import mmpretrain.models  # noqa: F401

    torch.manual_seed(0)
    if kind == 'vit':
        backbone = dict(
            type='mmpretrain.VisionTransformer', img_size=32, patch_size=8, out_type='cls_token',
            drop_path_rate=0.5,
            arch=dict(embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=64),
        )  # fmt: skip
    else:
        backbone = dict(
            type='mmpretrain.ResNet', depth=18, stem_channels=4, base_channels=4,
            norm_cfg=dict(type='BN'),
        )  # fmt: skip
    head = dict(
        type='bgaug_mm.DINOHead', in_channels=32, out_channels=24, hidden_channels=16,
        bottleneck_channels=8,
    )  # fmt: skip
    model = MODELS.build(dict(type='bgaug_mm.DINO', backbone=backbone, head=head) | options)
    # a teacher and a centre of their own, as in the middle of training
    with torch.no_grad():
        for parameter in (*model.teacher_backbone.parameters(), *model.teacher_head.parameters()):
            parameter += 0.05 * torch.randn_like(parameter)
    model.dino_loss.center.normal_(std=0.1)
    return model.train()


def make_views(num_globals=2, num_locals=3):
    generator = torch.Generator().manual_seed(1)
    sizes = [32] * num_globals + [16] * num_locals
    return [torch.randn(BATCH, 3, size, size, generator=generator) for size in sizes]


@pytest.mark.parametrize('kind', ['vit', 'resnet'])
@pytest.mark.parametrize('num_locals', [0, 3])
def test_mean_is_the_loss(kind, num_locals):
    model = build(kind)
    views = make_views(2, num_locals)
    with scoring(model):
        matrix = build_scorer('auto', model).crop_losses(model, views)
        if kind == 'vit':  # without drop path, which is off while scoring
            loss = copy.deepcopy(model).loss(views)['loss']
    if kind == 'resnet':  # batch statistics as in training
        loss = model.loss(views)['loss'].detach()
    assert matrix.shape == (BATCH, 2, 2 + num_locals) and matrix.dtype == torch.float32
    index = torch.arange(2 + num_locals).expand(BATCH, -1)
    torch.testing.assert_close(crop_loss(matrix, index).mean(), loss)


def test_mean_of_any_choice_is_its_loss():
    """A ViT sees each view for itself, so that this holds for each choice of candidates."""
    model = build()
    views = make_views(4, 5)
    with scoring(model):
        matrix = DINOScorer().crop_losses(model, views)
        for choice in ([0, 3, 4, 6], [1, 2, 5, 7], [0, 1, 4, 8], [2, 3]):
            loss = copy.deepcopy(model).loss([views[i] for i in choice])['loss']
            index = torch.tensor(choice).expand(BATCH, -1)
            torch.testing.assert_close(crop_loss(matrix, index).mean(), loss)
        chosen = select_crops(matrix, 2)
        hardest = [torch.stack([views[i][b] for b, i in enumerate(c)]) for c in chosen.t()]
        loss = copy.deepcopy(model).loss(hardest)['loss']
    torch.testing.assert_close(crop_loss(matrix, chosen).mean(), loss)


def test_each_entry_by_the_equations():
    model = build(loss=dict(student_temp=0.2, teacher_temp=0.1, warmup_epochs=0))
    views = make_views(3, 2)
    with scoring(model):
        matrix = DINOScorer().crop_losses(model, views)
        student = [model.student(view).double() for view in views]
        teacher = [model.teacher(view).double() for view in views[:3]]
    center = model.dino_loss.center.double()
    for t in range(3):
        for s in range(5):
            probs = ((teacher[t] - center) / 0.1).softmax(1)
            expected = -(probs * (student[s] / 0.2).log_softmax(1)).sum(1) * (s != t)
            torch.testing.assert_close(matrix[:, t, s].double(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('kind', ['vit', 'resnet'])
def test_nothing_changes(kind):
    model = build(kind)
    before = copy.deepcopy(model.state_dict())
    state = torch.get_rng_state()
    with scoring(model):
        DINOScorer().crop_losses(model, make_views(4, 3))
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_products_stay_in_float32_under_autocast():
    model = build()
    views = make_views()
    with scoring(model):
        full = DINOScorer().crop_losses(model, views)
        with torch.autocast('cpu', torch.bfloat16):
            half = DINOScorer().crop_losses(model, views)
            loss = copy.deepcopy(model).loss(views)['loss']
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, full, rtol=5e-2, atol=5e-2)
    index = torch.arange(5).expand(BATCH, -1)
    torch.testing.assert_close(crop_loss(half, index).mean(), loss, rtol=1e-3, atol=1e-3)


def test_views_of_one_size_as_pairs():
    model = build()
    views = make_views(3, 0)
    with scoring(model):
        losses = DINOScorer().pair_losses(model, views)
        loss = copy.deepcopy(model).loss([views[2], views[0]])['loss']
    torch.testing.assert_close(losses[:, 2, 0].mean(), loss)
    torch.testing.assert_close(losses[:, 0, 2], losses[:, 2, 0])
