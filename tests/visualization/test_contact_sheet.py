import numpy as np
import pytest

from bgaug_mm.visualization import contact_sheet
from bgaug_mm.visualization.contact_sheet import MARK


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


def test_captions_stand_under_their_row():
    image = np.zeros((8, 8, 3), np.uint8)
    bare = contact_sheet([[image], [image]], cell=64)
    sheet = contact_sheet([[image], [image]], captions=[['', ''], ['said']], cell=64)
    assert (sheet[: len(bare)] == bare).all()  # nothing is said about the first
    assert (sheet[len(bare) :] < 128).any()


def test_words_are_broken_where_they_do_not_fit():
    image = np.zeros((8, 8, 3), np.uint8)
    word = 'averylongwordwithoutanyblanks'
    sheet = contact_sheet([[image, image]], captions=[[word, '']], cell=64)
    below = sheet[6 + 64 + 6 :]
    assert (below[:, :70] < 128).any()
    assert (below[:, 72:] == 255).all()  # it does not run into the next cell


def test_groups_span_columns_and_are_ruled():
    image = np.full((8, 8, 3), 9, np.uint8)
    bare = contact_sheet([[image] * 3], cell=64)
    sheet = contact_sheet([[image] * 3], groups=[('one', 1), ('two', 2)], cell=64)
    extra = len(sheet) - len(bare)
    assert (sheet[:extra, :64] < 128).any()
    assert (sheet[:extra, 76:] < 128).any()
    (rule,) = np.flatnonzero((sheet == 170).all((0, 2)))
    assert 6 + 64 <= rule < 6 + 64 + 6
    assert (np.delete(sheet[extra:], rule, 1) == np.delete(bare, rule, 1)).all()


def test_marked_images_are_framed_and_empty_cells_stay_empty():
    image = np.full((8, 8, 3), 9, np.uint8)
    bare = contact_sheet([[image, None, image]], cell=16, gap=8)
    sheet = contact_sheet([[image, None, image]], marked=[(0, 2), (0, 1)], cell=16, gap=8)
    assert (bare[:, 32:48] == 255).all()
    changed = (sheet != bare).any(2)
    rows, columns = np.nonzero(changed)
    assert (sheet[changed] == MARK).all()
    assert (rows.min(), rows.max()) == (8 - 3, 8 + 16 + 2)
    assert (columns.min(), columns.max()) == (56 - 3, 56 + 16 + 2)
    assert (sheet[8:24, 56:72] == 9).all()


def test_read_only_input():
    image = np.zeros((4, 4, 3), np.uint8)
    image.flags.writeable = False
    contact_sheet([[image]])


@pytest.mark.parametrize(
    ('rows', 'options', 'message'),
    [
        ([], {}, 'at least one image'),
        ([[]], {}, 'at least one image'),
        ([[None]], {}, 'at least one image'),
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
