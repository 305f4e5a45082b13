import base64
from html.parser import HTMLParser

import pytest

from bgaug_mm.visualization import Section, html_report


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.stack, self.texts, self.sources = [], [], []

    def handle_starttag(self, tag, attrs):
        if tag == 'img':
            self.sources.append(dict(attrs)['src'])
        elif tag != 'meta':
            self.stack.append(tag)

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag

    def handle_data(self, data):
        if data.strip() and self.stack[-1] != 'style':
            self.texts.append((self.stack[-1], data))


def test_page(tmp_path):
    (tmp_path / 'p.png').write_bytes(b'picture')
    html_report(
        tmp_path / 'out/report.html',
        'A <title>',
        'Opening & more',
        [
            Section('Table', text='said', table=[['', 'x'], ['row', '<1>']]),
            Section('Words', definitions={'term': 'a "meaning"'}, code='a < b'),
            Section('Picture', picture=tmp_path / 'p.png'),
        ],
    )
    text = (tmp_path / 'out/report.html').read_text(encoding='utf-8')
    page = Page()
    page.feed(text)
    assert page.stack == []
    assert ('h1', 'A <title>') in page.texts
    assert ('p', 'Opening & more') in page.texts
    assert [text for tag, text in page.texts if tag in ('th', 'td')] == ['x', 'row', '<1>']
    assert ('dd', 'a "meaning"') in page.texts
    assert ('pre', 'a < b') in page.texts
    (source,) = page.sources
    assert base64.b64decode(source.removeprefix('data:image/png;base64,')) == b'picture'
    assert 'http' not in text  # self-contained


def test_a_missing_picture_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        html_report(tmp_path / 'r.html', 't', '', [Section('s', picture=tmp_path / 'none.png')])
    assert not (tmp_path / 'r.html').exists()
