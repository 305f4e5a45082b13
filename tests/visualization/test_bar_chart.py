import matplotlib
import numpy as np
import pytest
from PIL import Image

from bgaug_mm.visualization import bar_chart


def test_a_bar_is_as_high_as_its_value(tmp_path):
    backend = matplotlib.rcParams['backend']
    bar_chart({'row': {'a': 20.0, 'b': 80.0, 'c': None}}, ['a', 'b', 'c'], tmp_path / 'x/y.png')
    assert matplotlib.rcParams['backend'] == backend
    picture = np.asarray(Image.open(tmp_path / 'x/y.png').convert('RGB')).astype(int)
    blue = np.abs(picture - (0x00, 0x72, 0xB2)).max(2) < 8
    columns = blue.any(0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], columns.astype(int), [0]])))
    starts, ends = edges[::2], edges[1::2]
    assert len(starts) == 2  # no bar for None
    heights = [blue[:, (a + b) // 2].sum() for a, b in zip(starts, ends, strict=True)]
    assert heights[1] / heights[0] == pytest.approx(4, rel=0.05)


def test_negative_values_are_drawn(tmp_path):
    bar_chart({'a': {'gap': -5.0}, 'b': {'gap': 5.0}}, ['gap'], tmp_path / 'y.png')
    assert (tmp_path / 'y.png').stat().st_size > 1000


def test_intervals_reach_beyond_the_bars(tmp_path):
    values = {'row': {'a': 20.0, 'b': 20.0}}
    ends = {'row': {'a': (10.0, 80.0)}}
    bar_chart(values, ['a', 'b'], tmp_path / 'y.png', intervals=ends)
    picture = np.asarray(Image.open(tmp_path / 'y.png').convert('RGB')).astype(int)
    blue = np.abs(picture - (0x00, 0x72, 0xB2)).max(2) < 8
    line = picture.max(2) < 200  # grey between two columns of pixels
    top, columns = np.flatnonzero(blue.any(1))[0], np.flatnonzero(blue.any(0))
    above = line[:top, columns[0] : columns[-1] + 1].sum(0)
    assert above.max() > 2.5 * blue[:, columns].sum(0).max()  # 60 above a bar of 20
    assert above[len(above) // 2 :].max() < above.max() / 2  # and none over the second


def test_nothing_to_draw(tmp_path):
    for scores, keys in (({}, ['a']), ({'row': {}}, [])):
        with pytest.raises(ValueError, match='at least one row and one key'):
            bar_chart(scores, keys, tmp_path / 'y.png')
    assert not list(tmp_path.iterdir())
