import numpy as np
import pytest
import torch

from bgaug_mm.datasets.backgrounds.base import Window, cut_window
from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM
from bgaug_mm.datasets.transforms import BackgroundRemove, BackgroundSwap
from bgaug_mm.datasets.transforms.functional import composite, foreground_share
from bgaug_mm.datasets.transforms.infill import infill
from bgaug_mm.models.data_preprocessors.batch_background_op import BatchBackgroundOp
from bgaug_mm.models.data_preprocessors.batch_source import Views


def applied(rendered, views, nhwc):
    """All views of the batch with their new backgrounds, (B, H, W, 3) uint8."""
    images = views.images.float()
    new = rendered.images.float().lerp(rendered.background, rendered.weights)
    return nhwc(images.index_copy(0, rendered.chosen, new).round().byte())


EDITS = [
    {},
    dict(threshold=90),
    dict(dilate=2),
    dict(as_box=True, dilate=1),
    dict(blur=2.0, blur_prob=0.5),
]


@pytest.mark.parametrize('method', ['tile_strip', 'tile_rectangle', 'mean'])
@pytest.mark.parametrize('edit', EDITS, ids=str)
def test_the_same_draws_give_what_the_numpy_functions_give(edit, method, batches, nhwc):
    op = BackgroundSwap(
        prob=0.8,
        background=dict(type='RecentBackground', infill=method),
        min_foreground=0.1,
        max_foreground=0.9,
        mask_edit=edit,
    )
    batch_op = BatchBackgroundOp(op, 1)
    changed = 0
    for turn, (pixels, masks, images, tensors) in enumerate(
        batches(turns=8, count=12, smallest=4, seed=len(str(edit)))
    ):
        torch.manual_seed(turn)
        drawn = batch_op.draw(12)
        views = Views(images, tensors)
        out = applied(batch_op.render(drawn, views), views, nhwc)
        expected = pixels.copy()
        donors, windows = drawn.background
        for i, donor, window, blurred in zip(
            drawn.chosen.tolist(),
            donors.tolist(),
            windows.tolist(),
            drawn.blurred.tolist(),
            strict=True,
        ):
            mask = op.mask_edit.apply(masks[i], blurred)
            filled = infill(pixels[donor], masks[donor], method)
            within = 0.1 <= foreground_share(masks[i]) <= 0.9
            if not within or filled is None or not mask.any():
                continue
            background = cut_window(filled, Window(*window[:3], bool(window[3])), *mask.shape)
            expected[i] = composite(pixels[i], background, mask)
            changed += 1
        assert np.abs(out.astype(int) - expected).max() <= 1
    assert changed > 10


def test_draws_follow_probability_and_seed():
    batch_op = BatchBackgroundOp(BackgroundRemove(prob=0.3), 1)
    torch.manual_seed(1)
    first = batch_op.draw(4000)
    assert abs(len(first.chosen) / 4000 - 0.3) < 0.03
    assert not first.blurred.any()
    torch.manual_seed(1)
    again = batch_op.draw(4000)
    assert torch.equal(first.chosen, again.chosen)
    assert torch.equal(first.background, again.background)
    assert BatchBackgroundOp(BackgroundRemove(prob=0.0), 1).draw(4000) is None


def test_blur_has_its_own_probability():
    op = BackgroundRemove(prob=1.0, mask_edit=dict(blur=1.0, blur_prob=0.25))
    torch.manual_seed(1)
    assert abs(BatchBackgroundOp(op, 1).draw(4000).blurred.double().mean() - 0.25) < 0.03


def test_the_probability_follows_the_progress_of_the_training():
    op = BackgroundRemove(prob=dict(type='linear', start=0.0, end=1.0))
    batch_op = BatchBackgroundOp(op, 1)
    before = SAMPLE_STREAM.seed, SAMPLE_STREAM.epoch, SAMPLE_STREAM.progress
    try:
        for progress in (0.0, 0.5, 1.0):
            SAMPLE_STREAM.set(seed=0, epoch=0, progress=progress)
            torch.manual_seed(0)
            drawn = batch_op.draw(2000)
            count = 0 if drawn is None else len(drawn.chosen)
            assert abs(count / 2000 - progress) < 0.04
    finally:
        SAMPLE_STREAM.set(seed=before[0], epoch=before[1], progress=before[2])


@pytest.mark.parametrize(
    ('fill', 'value'), [('zero', [0, 0, 0]), ('mean', [104, 116, 124]), ('random_grey', None)]
)
def test_background_remove(fill, value, batches, nhwc):
    batch_op = BatchBackgroundOp(BackgroundRemove(prob=1.0, fill=fill, min_foreground=0.0), 1)
    _, _, images, tensors = next(batches(turns=1, smallest=20))
    tensors = torch.zeros_like(tensors)
    tensors[:, :, :5] = 255
    views = Views(images, tensors)
    out = applied(batch_op.render(batch_op.draw(4), views), views, nhwc)
    np.testing.assert_array_equal(out[:, :5], nhwc(images)[:, :5])
    behind = out[:, 5:]
    assert (behind == (behind[:, :1, :1, :1] if value is None else value)).all()


def test_views_outside_the_limits_stay_as_they_are(nhwc):
    images = torch.randint(256, (3, 3, 10, 10), dtype=torch.uint8)
    masks = torch.zeros(3, 1, 10, 10, dtype=torch.uint8)
    masks[1, :, :5], masks[2] = 255, 255
    views = Views(images, masks)
    batch_op = BatchBackgroundOp(BackgroundRemove(prob=1.0, fill='zero'), 1)
    weights = batch_op.render(batch_op.draw(3), views).weights
    assert weights.amax((1, 2, 3)).tolist() == [0, 1, 0]
    # a mask that the edit empties changes nothing either
    op = BackgroundRemove(prob=1.0, fill='zero', mask_edit=dict(threshold=200))
    faint = Views(images, masks // 2)
    batch_op = BatchBackgroundOp(op, 1)
    assert not batch_op.render(batch_op.draw(3), faint).weights.any()
