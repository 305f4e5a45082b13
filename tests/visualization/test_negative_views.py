import numpy as np
import pytest
from mmengine.config import Config

from bgaug_mm.visualization import SampleViews, View, matched_settings, with_matched_negatives


def config(**more):
    return Config(dict(model=dict(type='bgaug_mm.MatchedNegativesMoCo', **more)))


def view(value, mask):
    image = np.full((16, 16, 3), value, np.uint8)
    if mask is not None:
        image[mask == 255] = value + 1
    return View(image, mask)


def samples(epochs=1):
    """Three images, grey 10, 20, 30, with a square each one brighter; the last has no mask."""
    made = []
    for i in range(3):
        mask = None
        if i < 2:
            mask = np.zeros((16, 16), np.uint8)
            mask[4:10, 4 + i : 10 + i] = 255
        views = [view(10 * (i + 1), mask) for _ in range(2 * epochs)]
        made.append(SampleViews(f'c/{i}.png', views[0].image, mask, views, [None] * epochs))
    return made


def test_settings():
    found = matched_settings(config(matched_form='paste_foreground'))
    assert found['matched_form'] == 'paste_foreground'
    assert (found['num_matched'], found['min_foreground']) == (1, 0.05)  # the model's defaults
    assert matched_settings(config(num_matched=0)) == {}
    assert matched_settings(Config(dict(model=dict(type='MoCo')))) == {}
    before = samples()
    assert with_matched_negatives(Config(dict(model=dict(type='MoCo'))), before) == before


@pytest.mark.parametrize('form', ['fill_query_mask', 'paste_foreground'])
def test_negatives(form):
    before = samples(epochs=2)
    after = with_matched_negatives(config(matched_form=form), before)
    for old, new in zip(before, after, strict=True):
        assert [v.role for v in new.views] == ['view', 'view', 'negative'] * 2
        assert [id(v) for v in new.views if v.role == 'view'] == [id(v) for v in old.views]
    first, second, third = (sample.views[2] for sample in after)
    # the second image's content is the first's
    expected = np.full((16, 16, 3), 20, np.uint8)
    if form == 'fill_query_mask':
        mask = before[1].views[0].mask
        expected[mask == 255] = before[0].views[0].image[mask == 255]
    else:
        mask = before[0].views[0].mask
        expected[mask == 255] = 11
    assert (second.image == expected).all()
    assert (second.mask == mask).all()
    assert second.note == f'c/0.png on the background of view 1 ({form})'
    assert second.background_op is None
    # the third has no mask, so that it gets none; and gives no foreground to the first
    assert third.note.startswith('left out')
    assert (third.image == 224).all()
    assert first.note.startswith('left out') == (form == 'paste_foreground')


def test_several_and_more_than_the_batch_has():
    after = with_matched_negatives(config(num_matched=3), samples())
    roles = [v.role for v in after[1].views]
    assert roles == ['view', 'view', 'negative 1', 'negative 2', 'negative 3']
    assert after[1].views[2].note.startswith('c/0.png')
    assert after[1].views[3].note.startswith('c/2.png')
    assert after[1].views[4].note.startswith('left out')
