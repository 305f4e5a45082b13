import warnings

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets.transforms import resize as module
from bgaug_mm.datasets.transforms.resize import check_resize, resize

FILTERS = {'bilinear': Image.Resampling.BILINEAR, 'bicubic': Image.Resampling.BICUBIC}


@pytest.mark.parametrize('interpolation', FILTERS)
def test_torch_is_pillow_within_rounding(interpolation, photos, difference) -> None:
    """Smaller and larger, of BYOL's proportions."""
    shares = []
    for photo in photos:
        for height, width in ((192, 192), (170, 128), (90, 120), (33, 44), (8, 6)):
            for size in ((96, 96), (224, 224), (50, 60)):
                crop = photo[5 : 5 + height, 3 : 3 + width]
                expected = Image.fromarray(crop).resize(size[::-1], FILTERS[interpolation])
                result = resize(crop, size, interpolation, 'torch')
                diff = difference(result, np.asarray(expected))
                far = (abs(result.astype(int) - np.asarray(expected)) > 1).mean()
                assert diff.largest <= (1 if interpolation == 'bilinear' else 10)
                assert diff.share <= 0.26 and far <= 0.002 and abs(diff.shift) < 0.02
                shares.append(diff.share)
    assert np.mean(shares) < 0.02


@pytest.mark.parametrize('interpolation', FILTERS)
def test_without_its_filters_pillow_serves(interpolation, photos, monkeypatch) -> None:
    monkeypatch.setattr(module, '_TORCH', False)
    np.testing.assert_array_equal(
        resize(photos[0], (50, 60), interpolation, 'torch'),
        resize(photos[0], (50, 60), interpolation, 'pillow'),
    )


@pytest.mark.parametrize('backend', ['cv2', 'pillow', 'torch'])
def test_result_is_new_also_of_read_only_views(backend, photos) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for image in (photos[0], photos[0][:, :, 0], photos[0][10:60, 20:40]):
            same = resize(image, image.shape[:2], 'bilinear', backend)
            assert same.flags.c_contiguous and same.flags.writeable
            np.testing.assert_array_equal(same, image)
            assert not np.shares_memory(same, image)
            assert resize(image, (7, 9), 'bilinear', backend).shape == (7, 9, *image.shape[2:])


def test_bad_arguments() -> None:
    check_resize('area', 'cv2')
    with pytest.raises(ValueError, match="`backend` must be one of .* but got 'x'"):
        check_resize('bilinear', 'x')
    with pytest.raises(ValueError, match="`interpolation` must be one of .* but got 'area'"):
        check_resize('area', 'torch')
    with pytest.raises(ValueError, match="`mask_interpolation` must be one of .* but got 'y'"):
        check_resize('y', 'cv2', name='mask_interpolation')
