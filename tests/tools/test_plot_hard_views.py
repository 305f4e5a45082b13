import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TOOL = Path(__file__).resolve().parents[2] / 'tools/analysis_tools/plot_hard_views.py'


@pytest.fixture(scope='module')
def tool():
    return runpy.run_path(str(TOOL))


def write_log(work_dir, hard_views=True):
    path = work_dir / '20260101_000000/vis_data/scalars.json'
    path.parent.mkdir(parents=True)
    with open(path, 'w') as file:
        for step in range(10, 210, 10):
            row = {'loss': 1 / step, 'step': step}
            if hard_views:
                row |= {'hard_views/iou_chosen': step / 1000, 'hard_views/iou_rest': 0.5}
                row |= {f'hard_views/wins_{i}': (0.2, 0.8, 0.6, 0.4)[i] for i in range(4)}
            file.write(json.dumps(row) + '\n')
    return work_dir


def test_picture_page_and_table(tool, tmp_path, capsys):
    logs = [str(write_log(tmp_path / name)) for name in ('one', 'two')]
    tool['main']([*logs, '--out-dir', str(tmp_path / 'out'), '--smooth', '3'])
    assert min(np.asarray(Image.open(tmp_path / 'out/hard_views.png')).shape[:2]) > 300
    page = (tmp_path / 'out/hard_views.html').read_text(encoding='utf-8')
    assert 'data:image/png' in page and '<h2>two</h2>' in page
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0][0] == 'one'
    # mean of 0.01 … 0.2, first two and last two values
    assert ['iou_chosen', '0.105', '0.015', '0.195'] in lines


def test_panels(tool, tmp_path):
    scalars = tool['read_scalars'](write_log(tmp_path / 'one'))
    panels = {panel.title: panel for panel in tool['make_panels']({'one': scalars}, 1)}
    assert list(panels) == [
        'IoU of the crops', 'Training loss', 'Which candidates win (share of images)'
    ]  # fmt: skip
    chosen, rest = panels['IoU of the crops'].lines['one']
    assert not chosen.dashed and chosen.ys[0] == 0.01
    assert rest.dashed and set(rest.ys) == {0.5}
    bars = panels['Which candidates win (share of images)']
    assert bars.lines['one'][0].ys == pytest.approx([0.2, 0.8, 0.6, 0.4])
    assert bars.level == pytest.approx(0.5)


def test_running_mean(tool):
    assert tool['running_mean']([1, 2, 3, 6], 2) == [1, 1.5, 2.5, 4.5]
    assert tool['running_mean']([1, 2, 3, 6], 1) == [1, 2, 3, 6]


def test_labels(tool, tmp_path):
    log = write_log(tmp_path / 'a') / '20260101_000000/vis_data/scalars.json'
    assert tool['run_labels']([str(log), str(tmp_path / 'b')]) == ['a', 'b']
    same = [str(tmp_path / 'x/a'), str(tmp_path / 'a')]
    assert tool['run_labels'](same) == same


def test_bad_input(tool, tmp_path, capsys):
    plain = str(write_log(tmp_path / 'plain', hard_views=False))
    with pytest.raises(SystemExit, match='plain has no figures hard_views/….*HardViewSelection'):
        tool['main']([plain, '--out-dir', str(tmp_path / 'out')])
    with pytest.raises(SystemExit, match='nowhere is neither a scalars.json nor a work dir'):
        tool['main']([str(tmp_path / 'nowhere')])
    for options in (['--labels', 'a', 'b'], ['--smooth', '0']):
        with pytest.raises(SystemExit):
            tool['main']([plain, *options])
    assert '--smooth must be at least 1, but got 0' in capsys.readouterr().err
    assert not (tmp_path / 'out').exists()
