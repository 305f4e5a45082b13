import numpy as np
import pytest

from bgaug_mm.datasets.transforms import CropBorder


def test_the_frame_goes_from_image_and_mask():
    image = np.arange(7 * 9 * 3).reshape(7, 9, 3).astype(np.uint8)
    mask = image[..., 0].copy()
    results = CropBorder(width=2)({'img': image, 'gt_seg_map': mask})
    np.testing.assert_array_equal(results['img'], image[2:5, 2:7])
    np.testing.assert_array_equal(results['gt_seg_map'], mask[2:5, 2:7])
    assert results['img_shape'] == (3, 5)
    assert CropBorder(0)({'img': image})['img'].shape == (7, 9, 3)


def test_what_cannot_be_cropped_is_named():
    with pytest.raises(ValueError, match='`width` must be at least 0, but got -1'):
        CropBorder(-1)
    with pytest.raises(ValueError, match=r'image of 4 x 9 has nothing within 2 px \(a.png\)'):
        CropBorder()({'img': np.zeros((4, 9, 3), np.uint8), 'img_path': 'a.png'})
