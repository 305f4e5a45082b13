"""The tool in this process; the learning itself: tests/saliency/test_learning.py."""

import runpy
from pathlib import Path

import pytest

pytest.importorskip('onnx', reason='requirements/saliency.txt is not installed')
pytest.importorskip('onnxruntime', reason='requirements/saliency.txt is not installed')

TOOL = Path(__file__).resolve().parents[2] / 'tools/saliency/learn_saliency.py'


@pytest.fixture(scope='module')
def tool():
    return runpy.run_path(str(TOOL))


def test_quick_shrinks_everything(tool):
    args = tool['parse_args'](['in', 'out', '--quick', '--cues', 'gs', 'rbd'])
    assert (args.rounds, args.epochs, args.size, args.cues) == (1, (1, 1), 64, ['gs', 'rbd'])
    args = tool['parse_args'](['in', 'out'])
    assert (args.rounds, args.epochs, args.size) == (2, None, None)  # the configs'


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (['gone', 'out'], "there is no folder '.*gone'"),
        (['images', 'images/out'], 'lies among the images'),
        (['images', 'out', '--rounds', '0'], '`rounds` must be at least 1, but got 0'),
        (['images', 'out', '--jobs', '0'], '`jobs` must be at least 1, but got 0'),
        (['images', 'out', '--cue-config', 'gone.py'], 'gone.py'),
        (['images', 'out', '--cues', 'gs', 'gs'], '`cues` must be different estimators'),
        (['images', 'out', '--init', 'gone.pth'], 'no checkpoint gone.pth'),
    ],
)
def test_says_what_is_wrong_before_it_writes(tool, tmp_path, monkeypatch, options, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'images').mkdir()
    with pytest.raises(SystemExit, match=f'learn_saliency: .*{text}'):
        tool['main'](options)
    assert [path.name for path in tmp_path.iterdir()] == ['images']
