"""iBOT's matrix against its own loss and against its equations."""

import copy

import pytest
import torch

from bgaug_mm.engine.hard_views.candidates import prepare
from bgaug_mm.engine.hard_views.crop_selection import crop_loss
from bgaug_mm.engine.hard_views.scorers import IBOTScorer, build_scorer
from bgaug_mm.engine.hard_views.scoring import scoring
from bgaug_mm.registry import MODELS

BATCH = 5
GRID = 4  # patches of 8 in 32 pixels


def build(**options):
    import mmpretrain.models  # noqa: F401

    torch.manual_seed(0)
    config = dict(
        type='bgaug_mm.IBOT', cls_weight=0.7, patch_weight=1.6,
        backbone=dict(
            type='mmpretrain.VisionTransformer', img_size=32, patch_size=8, out_type='raw',
            arch=dict(embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=64),
        ),
        head=dict(
            type='bgaug_mm.DINOHead', in_channels=32, out_channels=24, hidden_channels=16,
            bottleneck_channels=8,
        ),
    )  # fmt: skip
    model = MODELS.build(config | options)
    with torch.no_grad():
        for parameter in (*model.teacher_backbone.parameters(), *model.teacher_head.parameters()):
            parameter += 0.05 * torch.randn_like(parameter)
        model.mask_token.normal_()
    model.dino_loss.center.normal_(std=0.1)
    model.patch_loss.center.normal_(std=0.1)
    return model.train()


def make_views(num_globals=2, num_locals=3):
    """uint8, the global ones with their block masks; one view of a sample has none."""
    generator = torch.Generator().manual_seed(1)
    views = []
    for number in range(num_globals):
        mask = torch.rand(BATCH, 1, GRID, GRID, generator=generator) < 0.3
        mask[number] = False
        pixels = torch.randint(256, (BATCH, 3, 32, 32), generator=generator)
        views.append(torch.cat([pixels, mask.repeat_interleave(8, 2).repeat_interleave(8, 3)], 1))
    for _ in range(num_locals):
        views.append(torch.randint(256, (BATCH, 3, 16, 16), generator=generator))
    return [view.to(torch.uint8) for view in views]


def score(model, views, score_size=None):
    scorer = build_scorer('auto', model)
    assert type(scorer) is IBOTScorer
    with scoring(model):
        return scorer.crop_losses(
            model, _floats(prepare(model, views, score_size)), **scorer.extras(views)
        )


def _floats(views):
    return [view.float() / 255 for view in views]


def its_loss(model, views):
    data = model.data_preprocessor(dict(inputs=views), True)
    with scoring(model):
        losses = copy.deepcopy(model).loss(_floats(data['inputs']), block_masks=data['block_masks'])
    return losses['loss_cls'] + losses['loss_patch']


@pytest.mark.parametrize('choice', [[0, 1], [0, 2, 4, 6], [1, 3, 5, 7, 8], [2, 3, 8]])
def test_mean_of_any_choice_is_its_loss(choice):
    model = build()
    views = make_views(4, 5)
    matrix = score(model, views)
    assert matrix.shape == (BATCH, 4, 9) and matrix.dtype == torch.float32
    index = torch.tensor(choice).expand(BATCH, -1)
    loss = its_loss(model, [views[i] for i in choice])
    torch.testing.assert_close(crop_loss(matrix, index).mean(), loss)


def test_each_entry_by_the_equations():
    model = build()
    views = make_views(3, 2)
    matrix = score(model, views)
    images = _floats([view[:, :3] for view in views])
    masks = [view[:, 3, ::8, ::8].flatten(1).bool() for view in views[:3]]
    with scoring(model):
        student = [model.student(image, mask) for image, mask in zip(images, masks, strict=False)]
        student += [model.student(image) for image in images[3:]]
        teacher = [model.teacher(image) for image in images[:3]]

    def cross_entropy(loss, target, logits):
        probs = ((target - loss.center) / loss.teacher_temp).softmax(-1)
        return -(probs * (logits / loss.student_temp).log_softmax(-1)).sum(-1)

    for t in range(3):
        for s in range(5):
            expected = 0.7 * cross_entropy(model.dino_loss, teacher[t][0], student[s][0])
            if s == t:
                each = cross_entropy(model.patch_loss, teacher[t][1], student[s][1])
                means = [
                    e[m].mean() if m.any() else 0.0 for e, m in zip(each, masks[t], strict=True)
                ]
                expected = 1.6 * torch.tensor(means)
            torch.testing.assert_close(matrix[:, t, s], expected)
    assert matrix[1, 1, 1] == 0, 'no patch is masked'


def test_at_half_resolution():
    matrix = score(build(), make_views(), 16)
    assert matrix.shape == (BATCH, 2, 5) and matrix.isfinite().all()


def test_nothing_changes():
    model = build()
    before = copy.deepcopy(model.state_dict())
    score(model, make_views())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_views_without_masks():
    with pytest.raises(ValueError, match='have no block masks: pack with'):
        IBOTScorer().extras([view[:, :3] for view in make_views()])
