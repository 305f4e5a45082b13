import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets.worlds import (
    background_crop,
    opaque_box,
    read_rgb,
    read_rgba,
    split_items,
)


def test_read_rgb_and_rgba(tmp_path):
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    Image.fromarray(grey).save(tmp_path / 'grey.png')
    assert (read_rgb(tmp_path / 'grey.png') == grey[..., None]).all()
    assert read_rgba(tmp_path / 'grey.png')[..., 3].tolist() == np.full((3, 4), 255).tolist()


def test_read_errors_name_the_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='no image at .*none.png'):
        read_rgb(tmp_path / 'none.png')
    (tmp_path / 'text.png').write_text('no image')
    with pytest.raises(ValueError, match='text.png is not an image'):
        read_rgb(tmp_path / 'text.png')


@pytest.mark.parametrize(('count', 'first'), [(2, 1), (3, 2), (10, 6), (100, 65)])
def test_split_items(count, first):
    one, two = split_items(list(range(count)), np.random.default_rng(0))
    assert len(one) == first
    assert sorted(one + two) == list(range(count))


def test_split_follows_the_generator_and_leaves_no_part_empty():
    def split(seed):
        return split_items('abcdefghij', np.random.default_rng(seed))

    assert split(1) == split(1) != split(2)
    assert [len(part) for part in split_items('ab', np.random.default_rng(0), 0.99)] == [1, 1]
    with pytest.raises(ValueError, match='at least 2 items'):
        split_items('a', np.random.default_rng(0))


def test_background_crop_of_a_gradient_is_a_square_of_it():
    ramp = np.broadcast_to(np.arange(100, dtype=np.uint8)[None, :, None], (50, 100, 3))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        crop = background_crop(ramp, rng, size=10, scale=(0.4, 0.8))
        assert crop.shape == (10, 10, 3)
        steps = np.diff(crop[0, :, 0].astype(int))
        assert (steps > 0).all() or (steps < 0).all()  # flipped or not
        # sides of 20 to 40 px, so steps of 2 to 4 between cells
        assert 2 <= abs(steps.mean()) <= 4


def test_background_crop_covers_a_photo_smaller_than_the_result():
    photo = np.full((4, 6, 3), 9, np.uint8)
    assert (background_crop(photo, np.random.default_rng(0), size=8, scale=(1, 1)) == 9).all()


def test_opaque_box():
    alpha = np.zeros((6, 7), np.uint8)
    alpha[2:4, 1:5] = 200
    alpha[0, 0] = 100  # less than half
    assert opaque_box(alpha) == (2, 4, 1, 5)
    with pytest.raises(ValueError, match='transparent everywhere'):
        opaque_box(np.zeros((3, 3), np.uint8))
