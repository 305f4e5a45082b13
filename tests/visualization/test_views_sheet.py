import numpy as np
import pytest

from bgaug_mm.visualization import SampleViews, View, views_sheet
from bgaug_mm.visualization.contact_sheet import MARK
from bgaug_mm.visualization.mask_outline import OUTLINE
from bgaug_mm.visualization.views_sheet import column_titles


def picture(value, side=64):
    return np.full((side, side, 3), value, np.uint8)


def sample(*views, mask=None, epochs=1):
    return SampleViews('a/b.png', picture(10), mask, list(views), [None] * epochs)


def test_titles():
    large, small = View(picture(0)), View(picture(0, 24))
    assert column_titles(sample(large, small)) == ['view 1', 'view 2 (24 px)']
    assert column_titles(sample(large, large, epochs=2)) == ['view 1, epoch 1', 'view 1, epoch 2']


def has(sheet, colour):
    return (sheet == colour).all(2).any()


@pytest.mark.parametrize('outline', [True, False])
def test_sheet(outline):
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 255
    plain = sample(View(picture(50)), mask=None)
    changed = sample(View(picture(90), mask, background_op='Op'), View(picture(91)), mask=mask)
    sheet = views_sheet({'p': [plain], 'c': [changed]}, ['name'], cell=64, outline=outline)
    assert sheet.shape[1] == (2 + 1 + 2) * 76 + 12
    assert has(sheet, MARK)
    assert has(sheet, OUTLINE) == outline
    for value in (10, 50, 90, 91):
        assert has(sheet, value)
    # the mask is the second recipe's: the first has none
    column = sheet[:, 76 + 12 + 32]
    assert (column == 255).all(1).sum() > 32
    assert (column == 0).all(1).sum() >= 30


def test_nothing_is_marked_when_nothing_changed():
    sheet = views_sheet({'p': [sample(View(picture(50)))]}, ['name'], cell=64)
    assert not has(sheet, MARK)


def test_recipes_with_another_number_of_images():
    with pytest.raises(ValueError, match='shorter|longer'):
        views_sheet({'p': [sample(View(picture(50)))]}, ['one', 'two'])
