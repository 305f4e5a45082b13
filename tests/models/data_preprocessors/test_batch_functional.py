import numpy as np
import pytest
import torch

from bgaug_mm.datasets.backgrounds.base import Window
from bgaug_mm.datasets.backgrounds.base import cut_window as cut_one
from bgaug_mm.datasets.transforms import functional as single
from bgaug_mm.models.data_preprocessors.batch_functional import (
    background_mean,
    box_masks,
    composite,
    cut_window,
    foreground_box,
    foreground_share,
)
from bgaug_mm.models.data_preprocessors.batch_windows import pixel_windows


def test_composite_equals_numpy_exactly(batches, nhwc):
    for pixels, masks, images, tensors in batches():
        others = pixels[::-1].copy()
        mixed = nhwc(composite(images, images.flip(0), tensors))
        assert mixed.dtype == np.uint8
        for got, fg, bg, mask in zip(mixed, pixels, others, masks, strict=True):
            np.testing.assert_array_equal(got, single.composite(fg, bg, mask))


def test_composite_of_floats_by_hand():
    fg, bg = torch.full((1, 3, 1, 2), 3.0), torch.full((1, 3, 1, 2), -1.0)
    mask = torch.tensor([[[[0.25, 1.0]]]])
    torch.testing.assert_close(composite(fg, bg, mask), torch.tensor([0.0, 3.0]).expand(1, 3, 1, 2))
    as_bytes = torch.tensor([[[[51, 255]]]], dtype=torch.uint8)
    expected = torch.tensor([-0.2, 3.0]).expand(1, 3, 1, 2)
    torch.testing.assert_close(composite(fg, bg, as_bytes), expected)


def test_composite_keeps_the_dtype_and_broadcasts_a_colour():
    fg = torch.zeros(2, 3, 4, 4, dtype=torch.float16)
    out = composite(fg, torch.ones(2, 1, 1, 1), torch.zeros(2, 1, 4, 4, dtype=torch.uint8))
    assert out.dtype == torch.float16 and bool((out == 1).all())


def test_share_and_box_equal_numpy(batches):
    for _, masks, _, tensors in batches():
        for threshold in (1, 64, 255):
            boxes = foreground_box(tensors, threshold)
            # float masks, as the data preprocessor appends them
            assert torch.equal(boxes, foreground_box(tensors.float() / 255, threshold))
            for box, mask in zip(boxes.tolist(), masks, strict=True):
                assert tuple(box) == (single.foreground_box(mask, threshold) or (0, 0, 0, 0))
        expected = torch.tensor([single.foreground_share(mask) for mask in masks])
        torch.testing.assert_close(foreground_share(tensors), expected)
        torch.testing.assert_close(foreground_share(tensors.float() / 255), expected)


def test_box_masks_by_hand():
    inside = box_masks(torch.tensor([[1, 0, 3, 2], [0, 0, 0, 0]]), 3, 4)
    assert inside.shape == (2, 1, 3, 4)
    assert inside[0, 0].int().tolist() == [[0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 0]]
    assert not inside[1].any()


def test_background_mean_equals_numpy(batches):
    for pixels, masks, images, tensors in batches(largest=120, turns=15):
        means, some = background_mean(images, tensors)
        as_floats, _ = background_mean(images.float(), tensors.float() / 255)
        torch.testing.assert_close(means, as_floats, rtol=1e-4, atol=1e-3)
        for i, (image, mask) in enumerate(zip(pixels, masks, strict=True)):
            expected = single.background_mean(image, mask)
            assert bool(some[i]) == (expected is not None)
            assert means[i].flatten().tolist() == pytest.approx(expected or [0, 0, 0], abs=1e-2)


def test_cut_window_is_cv2_resize_of_the_window_to_one_level(nchw, nhwc):
    rng = np.random.default_rng(0)
    for _ in range(40):
        image_h, image_w, height, width = (int(v) for v in rng.integers(1, 70, 4))
        pixels = rng.integers(0, 256, (3, image_h, image_w, 3), np.uint8)
        windows = [
            Window(*rng.uniform(0.05, 1, 1), *rng.uniform(size=2), bool(rng.integers(2)))
            for _ in range(3)
        ]
        placed = pixel_windows(
            torch.tensor(windows, dtype=torch.float64),
            torch.tensor([image_h, image_w]),
            height,
            width,
        )
        cut = nhwc(cut_window(nchw(pixels), placed, height, width))
        for got, image, window in zip(cut, pixels, windows, strict=True):
            expected = cut_one(image, window, height, width)
            assert np.abs(got - expected).max() <= 1


def test_cut_window_reads_nothing_outside_the_window():
    images = torch.full((1, 3, 8, 8), 255.0)
    images[..., 2:5, 3:6] = 7
    cut = cut_window(images, torch.tensor([[2, 3, 3, 3, 0]]), 20, 20)
    torch.testing.assert_close(cut, torch.full((1, 3, 20, 20), 7.0))
