import matplotlib
import numpy as np
import pytest
from PIL import Image

from bgaug_mm.visualization import Line, Panel, line_panels

BLUE, ORANGE = (0x00, 0x72, 0xB2), (0xE6, 0x9F, 0x00)


def where(path, colour):
    picture = np.asarray(Image.open(path).convert('RGB')).astype(int)
    return np.abs(picture - colour).max(2) < 8


def test_groups_keep_their_colour_and_curves_rise(tmp_path):
    backend = matplotlib.rcParams['backend']
    rising = {'a': [Line([0, 1, 2], [0, 1, 2])]}
    both = {'a': [Line([0, 1], [5, 5])], 'b': [Line([0, 1], [1, 1], dashed=True)]}
    path = tmp_path / 'x/y.png'
    line_panels([Panel('one', rising), Panel('two', both, note='dashed: b', level=3)], path)
    assert matplotlib.rcParams['backend'] == backend
    blue, orange = where(path, BLUE), where(path, ORANGE)
    half = blue.shape[1] // 2
    rows, columns = np.nonzero(blue[:, :half])
    assert np.polyfit(columns, rows, 1)[0] < -0.2  # image rows count downwards
    plot = slice(0, int(0.8 * blue.shape[0]))  # without the legend
    assert not orange[plot, :half].any() and orange[plot, half:].any()
    assert 0 < orange[plot].sum() < 0.8 * blue[plot, half:].sum(), 'dashed'


def test_bars_are_as_high_as_their_values(tmp_path):
    line_panels([Panel('', {'a': [Line([0, 1], [20, 80])]}, bars=True)], tmp_path / 'y.png')
    heights = where(tmp_path / 'y.png', BLUE).sum(0)
    heights = heights[heights > 0]
    assert heights.max() / heights.min() == pytest.approx(4, rel=0.05)


def test_bad_input(tmp_path):
    with pytest.raises(ValueError, match='no panels'):
        line_panels([], tmp_path / 'y.png')
    with pytest.raises(ValueError, match='loss, a: 2 x but 1 y'):
        line_panels([Panel('loss', {'a': [Line([1, 2], [1])]})], tmp_path / 'y.png')
    assert not list(tmp_path.iterdir())
