import numpy as np
import pytest
import torch

from bgaug_mm.datasets.transforms.infill import infill as infill_one
from bgaug_mm.models.data_preprocessors.batch_infill import INFILLS, infill


@pytest.mark.parametrize('method', INFILLS)
@pytest.mark.parametrize('min_strip', [0.0, 1 / 16, 0.3])
def test_equals_numpy(method, min_strip, batches, nhwc):
    tolerance = 1 if method == 'mean' else 0
    for pixels, masks, images, tensors in batches(turns=25):
        filled, usable = infill(images, tensors, method, threshold=100, min_strip=min_strip)
        for i, (image, mask) in enumerate(zip(pixels, masks, strict=True)):
            expected = infill_one(image, mask, method, threshold=100, min_strip=min_strip)
            assert bool(usable[i]) == (expected is not None)
            if expected is not None:
                difference = nhwc(filled)[i].astype(int) - expected
                assert np.abs(difference).max() <= tolerance


@pytest.mark.parametrize('method', INFILLS)
def test_floats_are_filled_like_bytes(method, batches):
    for _, _, images, tensors in batches(turns=10):
        filled, usable = infill(images, tensors, method)
        floats, usable_floats = infill(images.float(), tensors.float() / 255, method)
        assert floats.dtype == torch.float32 and torch.equal(usable, usable_floats)
        torch.testing.assert_close(floats, filled.float(), rtol=0, atol=0.51)


def test_tile_strip_by_hand():
    # the box covers columns 1 and 2 of a row of four: the strip to its right has two
    # columns less than what is left of it
    image = torch.arange(5, dtype=torch.uint8).view(1, 1, 1, 5).expand(1, 3, 4, 5).clone()
    mask = torch.zeros(1, 1, 4, 5, dtype=torch.uint8)
    mask[..., 1:3] = 255
    filled, usable = infill(image, mask, 'tile_strip')
    assert usable.tolist() == [True]
    assert filled[0, 0, 0].tolist() == [0, 3, 4, 3, 4]
    assert image[0, 0, 0].tolist() == [0, 1, 2, 3, 4]  # the argument stays


def test_a_full_mask_leaves_nothing_usable_and_no_foreground_everything():
    images = torch.randint(256, (2, 3, 9, 9), dtype=torch.uint8)
    masks = torch.zeros(2, 1, 9, 9, dtype=torch.uint8)
    masks[0] = 255
    for method in INFILLS:
        filled, usable = infill(images, masks, method)
        assert usable.tolist() == [False, True]
        assert torch.equal(filled[1], images[1])
        assert filled.float().isfinite().all()
