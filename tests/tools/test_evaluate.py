import json
import runpy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from PIL import Image

from bgaug_mm.evaluation import build_frozen_backbone

TOOL = Path(__file__).resolve().parents[2] / 'tools/evaluation/evaluate.py'
CONFIG = {
    'default_scope': 'mmcls',
    'model': {
        'type': 'ImageClassifier',
        'backbone': {
            'type': 'ResNet', 'depth': 18, 'base_channels': 4, 'stem_channels': 4,
            'out_indices': (3,),
        },
    },
}  # fmt: skip
QUICK = ('--device', 'cpu', '--k', '3', '--probed', '4', '--skip', 'structure', 'attacks')


@pytest.fixture(scope='module')
def main():
    return runpy.run_path(str(TOOL))['main']


@pytest.fixture(scope='module')
def checkpoints(tmp_path_factory):
    """Two seeds of one network and one of another."""
    folder = tmp_path_factory.mktemp('runs')
    for seed in range(3):
        backbone = build_frozen_backbone(Config(CONFIG), seed=seed).backbone
        state = {f'backbone.{key}': value for key, value in backbone.state_dict().items()}
        content = {'state_dict': state, 'meta': {'cfg': Config(CONFIG).pretty_text}}
        torch.save(content, folder / f'seed_{seed}.pth')
    return [str(folder / f'seed_{seed}.pth') for seed in range(3)]


@pytest.fixture(scope='module')
def out(main, checkpoints, small_world, tmp_path_factory):
    folder = tmp_path_factory.mktemp('out')
    main([
        '--base', checkpoints[0], '--compare', checkpoints[1], '--labels', 'plain', 'bg swap',
        '--data', str(small_world), '--out-dir', str(folder), *QUICK,
    ])  # fmt: skip
    return folder


def test_writes_everything(out):
    results = json.loads((out / 'results.json').read_text(encoding='utf-8'))
    assert list(results['labels']) == ['plain', 'bg swap']
    assert results['base'] == 'plain' and results['suite'] == 'mini'
    figures = results['labels']['plain']
    assert {'original', 'bg_gap', 'worst_background', 'fgpref', 'heat', 'spread'} <= set(figures)
    assert figures['bg_gap']['low'] <= figures['bg_gap']['mean'] <= figures['bg_gap']['high']
    assert set(results['differences']) == {'bg swap − plain'}
    assert results['runs'][0]['skipped'] == {}
    markdown = (out / 'results.md').read_text(encoding='utf-8')
    assert '| bg_gap |' in markdown and 'bg swap − plain' in markdown
    page = (out / 'report.html').read_text(encoding='utf-8')
    assert page.count('data:image/png') >= 3
    assert 'Where they look' in page and 'http' not in page
    assert Image.open(out / 'heat_maps.png').size[0] == 4 * 118 + 6


def test_earlier_results_join_and_seeds_are_grouped(main, out, checkpoints, small_world, tmp_path):
    main([
        str(checkpoints[2]), '--compare', str(out / 'results.json'),
        '--data', str(small_world), '--out-dir', str(tmp_path), *QUICK,
    ])  # fmt: skip
    results = json.loads((tmp_path / 'results.json').read_text(encoding='utf-8'))
    assert list(results['labels']) == ['seed_2', 'plain', 'bg swap']
    main([
        str(out / 'results.json'), '--labels', 'both', '--data', str(small_world),
        '--out-dir', str(tmp_path / 'seeds'), *QUICK,
    ])  # fmt: skip
    results = json.loads((tmp_path / 'seeds/results.json').read_text(encoding='utf-8'))
    assert results['labels']['both']['original']['count'] == 2
    assert results['labels']['both']['original']['bootstrap']['over'] == 'seeds and images'


def test_one_that_fails_leaves_the_others(main, checkpoints, small_world, tmp_path, capsys):
    main([
        str(tmp_path / 'none.pth'), checkpoints[0], '--data', str(small_world),
        '--out-dir', str(tmp_path / 'out'), *QUICK[:-2], 'structure', 'attacks', 'heat',
    ])  # fmt: skip
    assert 'checkpoint skipped: no checkpoint' in capsys.readouterr().out
    page = (tmp_path / 'out/report.html').read_text(encoding='utf-8')
    assert 'no checkpoint' in page and 'none.pth' in page


def test_bad_input_is_one_line(main, checkpoints, tmp_path, capsys):
    out = ['--out-dir', str(tmp_path / 'out')]
    with pytest.raises(
        SystemExit, match='evaluate: nothing could be evaluated: .*has no set folder'
    ):
        main([checkpoints[0], '--data', str(tmp_path), *out, *QUICK])
    (tmp_path / 'x.json').write_text('{}')
    with pytest.raises(SystemExit, match=r'evaluate: .*x\.json has the format None'):
        main([str(tmp_path / 'x.json'), '--data', str(tmp_path), *out])
    with pytest.raises(SystemExit, match='evaluate: nothing could be evaluated: .*no classifier'):
        main([checkpoints[0], '--suite', 'imagenet', '--data', str(tmp_path), *out])
    assert not (tmp_path / 'out').exists()
    for argv, message in (
        ([], 'no CHECKPOINT'),
        (['a', 'b', 'c', '--labels', 'x', 'y'], '--labels takes 3 names'),
        (['a', 'b', 'c', '--config', 'x', 'y'], '--config takes 1 or 3 values'),
        (['a', '--k', '0'], '--k must be at least 1'),
    ):
        with pytest.raises(SystemExit):
            main([*argv, *out, '--data', 'x'])
        assert message in capsys.readouterr().err
