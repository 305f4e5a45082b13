import base64
from html.parser import HTMLParser
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.visualization import SampleViews, View, views_page

VOID = {'img', 'input', 'meta', 'br', 'path'}


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.stack, self.tags, self.text = [], [], []
        self.feed(text)
        assert self.stack == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.stack.pop() == tag

    def handle_data(self, data):
        if 'style' not in self.stack:
            self.text.append(data)


@pytest.fixture
def page(tmp_path):
    mask = np.zeros((64, 64), np.uint8)
    mask[16:48, 16:48] = 255
    red, large = np.zeros((64, 64, 3), np.uint8), np.full((200, 200, 3), 77, np.uint8)
    red[..., 0] = 255
    treated = View(red, mask, (1, 2, 33, 44), 'horizontal', 'Op<', 'level 3 & "more"')
    small = View(red[:32, :32], None, None, '')
    samples = [SampleViews('x', large, mask, [View(large), treated, small], [None])]
    bare = [SampleViews('x', large, None, [View(large)], [None])]
    views_page(
        tmp_path / 'out/views.html',
        'Title <x>',
        {'a<b': samples, 'bare': bare},
        ['name & co'],
        notes=['noted <it>'],
        table=[['recipe'], ['a<b']],
        settings={'seed': '<0>'},
    )
    return Page((tmp_path / 'out/views.html').read_text(encoding='utf-8'))


def test_words_are_escaped(page):
    text = '\n'.join(page.text)
    for words in (
        'Title <x>', 'noted <it>', '<0>', 'name & co', 'a<b', 'Op<', ': level 3 & "more"',
        'crop x 1–33, y 2–44', 'flipped horizontal', 'not flipped', '25% foreground',
        'view 3 (32 px)', 'original, 200 × 200 px', 'mask, 25% foreground',
    ):  # fmt: skip
        assert words in text, words
    assert {tag for tag, _ in page.tags}.isdisjoint({'x', 'it', 'script', 'link'})


def test_pictures_are_in_the_page_and_right(page):
    pictures = [attrs for tag, attrs in page.tags if tag == 'img']
    assert len(pictures) == 2 + 3 + 1
    assert all(attrs['alt'] for attrs in pictures)
    assert len({attrs['alt'] for attrs in pictures}) == len(pictures)
    decoded = []
    for attrs in pictures:
        kind, _, data = attrs['src'].partition(',')
        assert kind in ('data:image/png;base64', 'data:image/jpeg;base64')
        with Image.open(BytesIO(base64.b64decode(data))) as image:
            decoded.append(np.asarray(image.convert('RGB')))
    original, mask, first, treated, small, bare = decoded
    for image in (original, first, bare):
        assert image.shape == (200, 200, 3)
        assert abs(image.astype(int) - 77).max() <= 2  # JPEG
    assert (mask[20, 20] == 255).all()
    assert (treated == (255, 0, 0)).all()  # RGB, to the pixel
    assert small.shape == (32, 32, 3)


def test_marks_and_outlines(page):
    figures = [attrs.get('class', '') for tag, attrs in page.tags if tag == 'figure']
    assert figures == ['', '', '', 'changed small', 'small', '']
    outlines = [attrs for tag, attrs in page.tags if tag == 'svg']
    assert [attrs['viewbox'] for attrs in outlines] == ['0 0 64 64']
    alts = [attrs['alt'] for tag, attrs in page.tags if tag == 'img']
    assert [alt for alt in alts if alt.endswith('background changed')] == [
        'name & co, a<b, view 2 (64 px), background changed'
    ]


def test_an_image_without_any_mask(tmp_path):
    image = np.zeros((8, 8, 3), np.uint8)
    views_page(
        tmp_path / 'p.html', 't', {'r': [SampleViews('', image, None, [View(image)], [0])]}, ['n']
    )
    page = Page((tmp_path / 'p.html').read_text(encoding='utf-8'))
    assert 'No mask: the background is never exchanged.' in page.text
    assert 'details' not in {tag for tag, _ in page.tags}


def test_recipes_must_fit(tmp_path):
    with pytest.raises(ValueError, match='shorter|longer'):
        views_page(tmp_path / 'p.html', 't', {'r': []}, ['n'])
    assert not (tmp_path / 'p.html').exists()
