import numpy as np

from bgaug_mm.visualization import with_outline
from bgaug_mm.visualization.mask_outline import OUTLINE, mask_contours


def square(size=64, low=16, high=48):
    mask = np.zeros((size, size), np.uint8)
    mask[low:high, low:high] = 255
    return mask


def test_contour_of_a_square():
    (line,) = mask_contours(square())
    # enlarged to find it, yet in pixels of the mask
    assert abs(line.min(0) - 16).max() < 1
    assert abs(line.max(0) - 48).max() < 1


def test_holes_and_several_areas():
    mask = square(96, 8, 56)
    mask[24:40, 24:40] = 0
    mask[70:90, 70:90] = 200
    assert len(mask_contours(mask)) == 3
    assert len(mask_contours(mask, threshold=201)) == 2
    assert mask_contours(np.zeros((8, 8), np.uint8)) == []


def test_outline_stands_on_the_border():
    image = np.zeros((64, 64, 3), np.uint8)
    shown = with_outline(image, square(), side=128)
    assert shown.shape == (128, 128, 3)
    drawn = (shown == OUTLINE).all(2)
    assert (shown[~drawn] == 0).all()
    rows, columns = np.nonzero(drawn)
    border = np.maximum(abs(rows - 63.5), abs(columns - 63.5))
    assert abs(border - 32).max() < 3
    assert (image == 0).all()


def test_sizes_without_a_mask():
    image = np.zeros((20, 40, 3), np.uint8)
    image.flags.writeable = False
    assert with_outline(image, None, side=20).shape == (10, 20, 3)
    assert with_outline(image, None, side=80).shape == (40, 80, 3)
    assert (with_outline(image, None, side=80) == 0).all()
