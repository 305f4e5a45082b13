"""IBOT: the masked patches' loss against loops, masks that stay with their view, gradients."""

import copy

import numpy as np
import pytest
import torch

from bgaug_mm.models.algorithms import DINO


def softmax(x):
    powers = np.exp(x - x.max())
    return powers / powers.sum()


def cross_entropy(loss, target, output):
    """One teacher's and one student's logits, float64."""
    p = softmax((target - loss.center.double().numpy()[0]) / loss.teacher_temp)
    return -(p * np.log(softmax(output / loss.student_temp))).sum()


def naive_losses(model, views, masks, num_globals):
    """Class tokens and masked patches, one view, image and patch at a time."""
    patches = [mask[:, ::8, ::8].flatten(1) for mask in masks]
    with torch.no_grad():
        teacher = [model.teacher(view) for view in views[:num_globals]]
        student = [
            model.student(view, patches[i] if i < num_globals else None)
            for i, view in enumerate(views)
        ]
    cls = [
        cross_entropy(model.dino_loss, teacher[t][0][b].double().numpy(), s[0][b].double().numpy())
        for t in range(num_globals)
        for i, s in enumerate(student)
        if i != t
        for b in range(len(views[0]))
    ]
    patch = []
    for t in range(num_globals):
        for b in range(len(views[0])):
            values = [
                cross_entropy(
                    model.patch_loss, teacher[t][1][b, n].double().numpy(),
                    student[t][1][b, n].double().numpy(),
                )
                for n in range(16) if patches[t][b, n]
            ]  # fmt: skip
            patch.append(np.mean(values) if values else 0.0)
    return np.mean(cls), np.mean(patch)


@pytest.mark.parametrize(('num_globals', 'num_locals'), [(2, 0), (2, 3), (3, 1)])
def test_naive_reference(tiny, num_globals, num_locals):
    options = dict(teacher_temp=0.2, warmup_epochs=0, student_temp=0.3)
    model = tiny.build('IBOT', patch_loss=options)
    tiny.perturb(model)
    model.mask_token.data.normal_()
    views, masks = tiny.views(num_globals, num_locals), tiny.masks(num_globals)
    cls, patch = naive_losses(model, views, masks, num_globals)
    losses = model.loss(views, block_masks=masks)
    assert float(losses['loss_cls'].detach()) == pytest.approx(cls, rel=1e-4)
    assert float(losses['loss_patch'].detach()) == pytest.approx(patch, rel=1e-4)


def test_weights(tiny):
    views, masks = tiny.views(), tiny.masks()
    plain = tiny.build('IBOT').loss(views, block_masks=masks)
    model = tiny.build('IBOT', cls_weight=2.0, patch_weight=0.5)
    weighted = model.loss(views, block_masks=masks)
    torch.testing.assert_close(weighted['loss_cls'], 2 * plain['loss_cls'])
    torch.testing.assert_close(weighted['loss_patch'], plain['loss_patch'] / 2)


def test_without_masks_the_class_tokens_are_dinos(tiny):
    """The same network: nothing masked, so DINO's loss, and 0 for the patches."""
    ibot, dino = tiny.build('IBOT'), tiny.build('DINO')
    none = [torch.zeros(4, 32, 32, dtype=torch.bool)] * 2
    losses = ibot.loss(tiny.views(), block_masks=none)
    torch.testing.assert_close(losses['loss_cls'], dino.loss(tiny.views())['loss'])
    assert float(losses['loss_patch']) == 0
    sum(losses.values()).backward()  # all parameters have a gradient, as DDP wants it
    assert ibot.mask_token.grad is not None and not ibot.mask_token.grad.any()


def test_the_student_does_not_see_masked_patches(tiny):
    model = tiny.build('IBOT').eval()
    model.mask_token.data.normal_()
    view, mask = tiny.views()[0], tiny.masks()[0]
    patches = model.patch_masks(mask, view.shape[2:])
    noise = torch.where(mask[:, None], torch.randn(4, 3, 32, 32), view)
    for a, b in zip(model.student(view, patches), model.student(noise, patches), strict=True):
        torch.testing.assert_close(a, b)
    assert not torch.allclose(model.student(view)[0][1:], model.student(noise)[0][1:])
    torch.testing.assert_close(model.student(view)[0][0], model.student(noise)[0][0])


def test_mask_token_replaces_the_embedding_by_hand(tiny):
    model = tiny.build('IBOT').eval()
    model.mask_token.data.normal_()
    seen = []
    model.backbone.layers[0].register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    view, patches = tiny.views()[0], tiny.masks()[0][:, ::8, ::8].flatten(1)
    model.student(view, patches)
    embedded, _ = model.backbone.patch_embed(view)
    expected = torch.where(patches[..., None], model.mask_token, embedded)
    position = model.backbone.pos_embed[:, 1:]
    torch.testing.assert_close(seen[0][:, 1:], expected + position)


def test_patch_masks(tiny):
    model = tiny.build('IBOT')
    mask = tiny.masks()[0]
    patches = model.patch_masks(mask, (32, 32))
    assert patches.shape == (4, 16) and patches.dtype == torch.bool
    assert torch.equal(patches, mask[:, 4::8, 4::8].flatten(1))
    halved = model.patch_masks(mask, (16, 16))  # of views that were scored at half the size
    assert torch.equal(halved, mask[:, ::16, ::16].flatten(1))


def test_losses_of_each_view(tiny):
    model = tiny.build('IBOT')
    masks = tiny.masks()[0][:, ::8, ::8].flatten(1)
    teacher, student = torch.randn(4, 16, 16), torch.randn(4, 16, 16)
    values = model.masked_losses(student[masks], teacher[masks], masks)
    assert values.shape == (4,) and values[0] == 0
    each = model.patch_loss.cross_entropy(model.patch_loss.teacher_probs(teacher), student)
    for value, row, mask in zip(values[1:], each[1:], masks[1:], strict=True):
        torch.testing.assert_close(value, row[mask].mean())


def test_gradients_and_centres(tiny):
    model = tiny.build('IBOT')
    with torch.no_grad():
        patches = torch.cat([model.teacher(view)[1] for view in tiny.views()[:2]])
    sum(model.loss(tiny.views(), block_masks=tiny.masks()).values()).backward()
    for name, parameter in model.named_parameters():
        if name.startswith('teacher_'):
            assert not parameter.requires_grad and parameter.grad is None
        else:
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    torch.testing.assert_close(model.patch_loss.center, 0.1 * patches.mean((0, 1))[None])
    assert not torch.equal(model.patch_loss.center, model.dino_loss.center)


def test_the_backbone_is_a_plain_one(tiny):
    """What a checkpoint holds under ``backbone.`` loads into DINO's; a copy masks for itself."""
    ibot, dino = tiny.build('IBOT'), tiny.build('DINO')
    dino.backbone.load_state_dict(ibot.backbone.state_dict())
    assert isinstance(ibot, DINO)
    other = copy.deepcopy(ibot)
    other.mask_token.data.fill_(5)
    view, masks = tiny.views()[0], torch.ones(4, 16, dtype=torch.bool)
    assert not torch.allclose(ibot.student(view, masks)[0], other.student(view, masks)[0])
    assert ibot._masks is None and other._masks is None


def test_bfloat16(tiny):
    expected = tiny.build('IBOT').loss(tiny.views(), block_masks=tiny.masks())
    model = tiny.build('IBOT')
    with torch.autocast('cpu', torch.bfloat16):
        losses = model.loss(tiny.views(), block_masks=tiny.masks())
    for key, value in losses.items():
        assert value.dtype == torch.float32
        assert float(value.detach()) == pytest.approx(float(expected[key].detach()), rel=0.05)
    sum(losses.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.requires_grad)


def packed(tiny, num_locals=1):
    """A batch as the dataloader hands it over."""
    generator = torch.Generator().manual_seed(0)
    sizes = [32, 32] + [16] * num_locals
    views = [
        torch.randint(0, 256, (4, 3, size, size), dtype=torch.uint8, generator=generator)
        for size in sizes
    ]
    masks = [mask[:, None].byte() for mask in tiny.masks()]
    return [torch.cat(pair, 1) for pair in zip(views[:2], masks, strict=True)] + views[2:]


def test_a_mask_follows_its_view_through_a_selection(tiny):
    """Views of each sample swapped whole, as a selection does: only their names change."""
    model = tiny.build('IBOT')
    inputs = packed(tiny)
    swap = torch.tensor([True, False, True, False])[:, None, None, None]
    swapped = [torch.where(swap, inputs[1], inputs[0]), torch.where(swap, inputs[0], inputs[1])]
    swapped += inputs[2:]
    values = []
    for batch in (inputs, swapped):
        data = model.data_preprocessor({'inputs': batch, 'data_samples': None}, True)
        values.append(copy.deepcopy(model)._run_forward(data, mode='loss'))
    for key in ('loss_cls', 'loss_patch'):
        torch.testing.assert_close(values[0][key], values[1][key])


def test_bad_input(tiny):
    with pytest.raises(ValueError, match='`patch_weight` must be at least 0, but got -1'):
        tiny.build('IBOT', patch_weight=-1)
    with pytest.raises(ValueError, match=r"got VisionTransformer with out_type='cls_token'"):
        tiny.build('IBOT', backbone=tiny.vit)
    with pytest.raises(ValueError, match='got ResNet with out_type=None'):
        tiny.build('IBOT', backbone=tiny.resnet)
    model = tiny.build('IBOT')
    for masks in (None, tiny.masks(1)):
        with pytest.raises(ValueError, match='a mask for each of the 2 global views'):
            model.loss(tiny.views(), block_masks=masks)
    shifted = [mask.roll(3, 2) for mask in tiny.masks()]
    with pytest.raises(ValueError, match=r'do not fit the patches of \[8, 8\] pixels'):
        model.loss(tiny.views(), block_masks=shifted)


def test_compiled_backbone(tiny):
    """The masks reach a compiled backbone, each its own, and none stays behind."""
    if not hasattr(torch, 'compiler'):
        pytest.skip('torch 2.0 does not compile on this Python')
    model = tiny.build('IBOT').eval()
    model.mask_token.data.normal_()
    view = tiny.views()[0]
    masks = [None, *(mask[:, ::8, ::8].flatten(1) for mask in tiny.masks())]
    expected = [model.student(view, mask)[0] for mask in masks]
    model.backbone = torch.compile(model.backbone, backend='eager')
    for _ in range(2):
        for mask, value in zip(masks, expected, strict=True):
            torch.testing.assert_close(model.student(view, mask)[0], value)
