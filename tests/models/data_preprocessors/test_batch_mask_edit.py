import numpy as np
import pytest
import torch

from bgaug_mm.datasets.transforms.mask_edit import MaskEdit
from bgaug_mm.models.data_preprocessors.batch_mask_edit import edit_masks

EDITS = [
    dict(threshold=1),
    dict(threshold=200),
    dict(dilate=1),
    dict(dilate=9),
    dict(as_box=True),
    dict(blur=0.4),
    dict(blur=5.0),
    dict(threshold=100, dilate=2, blur=1.5),
    dict(as_box=True, dilate=3, blur=3.0),
]


@pytest.mark.parametrize('options', EDITS, ids=str)
def test_equals_opencv(options, batches):
    edit = MaskEdit(**options)
    for _, masks, _, tensors in batches(turns=15):
        blurred = torch.arange(len(masks)) % 2 == 0
        edited = edit_masks(edit, tensors, blurred & (edit.blur > 0))
        assert edited.dtype == torch.uint8 and edited.shape == tensors.shape
        for got, mask, blur in zip(edited[:, 0].numpy(), masks, blurred.tolist(), strict=True):
            expected = edit.apply(mask, blur and edit.blur > 0)
            # OpenCV has its own rounding of halves
            assert np.abs(got.astype(int) - expected).max() <= int(blur and edit.blur > 0)


def test_nothing_to_change_gives_the_masks_themselves():
    masks = torch.zeros(2, 1, 4, 4, dtype=torch.uint8)
    assert edit_masks(MaskEdit(), masks, torch.zeros(2, dtype=torch.bool)) is masks


def test_autocast_does_not_touch_the_blur():
    edit = MaskEdit(blur=2.0)
    masks = torch.randint(256, (3, 1, 20, 20), dtype=torch.uint8)
    blurred = torch.ones(3, dtype=torch.bool)
    expected = edit_masks(edit, masks, blurred)
    with torch.autocast('cpu', torch.bfloat16):
        assert torch.equal(edit_masks(edit, masks, blurred), expected)
