import numpy as np
import pytest

from bgaug_mm.visualization import contact_sheet


def test_places_of_images():
    red, green = np.zeros((2, 8, 8, 3), np.uint8)
    red[..., 0] = green[..., 1] = 255
    sheet = contact_sheet([[red, green], [green]], cell=16, gap=2)
    assert sheet.shape == (2 * 18 + 2, 2 * 18 + 2, 3)
    assert sheet.dtype == np.uint8
    assert (sheet[2:18, 2:18] == (255, 0, 0)).all()
    assert (sheet[2:18, 20:36] == (0, 255, 0)).all()
    assert (sheet[20:36, 2:18] == (0, 255, 0)).all()
    assert (sheet[20:36, 20:36] == 255).all()  # the second row is shorter
    assert (sheet[:2] == 255).all()


def test_small_images_are_enlarged_by_pixels_with_aspect():
    image = np.array([[[0, 0, 0], [255, 0, 0]]], np.uint8)  # 1 x 2
    sheet = contact_sheet([[image]], cell=8, gap=0)
    assert (sheet[2:6, :4] == 0).all()
    assert (sheet[2:6, 4:] == (255, 0, 0)).all()
    assert (sheet[:2] == 255).all()


def test_masks():
    mask = np.full((4, 4), 128, np.uint8)
    for form in (mask, mask[..., None]):
        assert (contact_sheet([[form]], cell=8, gap=0) == 128).all()
    assert (contact_sheet([[np.ones((4, 4), bool)]], cell=8, gap=0) == 255).all()


def test_titles_take_room_above_and_leave_images_alone():
    image = np.zeros((8, 8, 3), np.uint8)
    bare = contact_sheet([[image, image]], cell=64)
    titled = contact_sheet([[image, image]], ['one', 'two words that need a second line'], cell=64)
    extra = titled.shape[0] - bare.shape[0]
    assert extra > 20
    assert (titled[extra:] == bare).all()
    assert (titled[:extra] < 128).any()
    assert titled.shape[1] == bare.shape[1]


def test_read_only_input():
    image = np.zeros((4, 4, 3), np.uint8)
    image.flags.writeable = False
    contact_sheet([[image]])


@pytest.mark.parametrize(
    ('rows', 'options', 'message'),
    [
        ([], {}, 'at least one image'),
        ([[]], {}, 'at least one image'),
        ([[np.zeros((4, 4, 3), np.float32)]], {}, 'uint8 or bool, but got float32'),
        ([[np.zeros((4, 4, 4), np.uint8)]], {}, r'but got \(4, 4, 4\)'),
        ([[np.zeros((0, 4), np.uint8)]], {}, r'but got \(0, 4\)'),
        ([[np.zeros((4, 4), np.uint8)]], {'cell': 2}, '`cell` must be at least 8'),
        ([[np.zeros((4, 4), np.uint8)]], {'gap': -1}, '`gap` must be at least 0'),
    ],
)
def test_bad_input(rows, options, message):
    with pytest.raises(ValueError, match=message):
        contact_sheet(rows, **options)
