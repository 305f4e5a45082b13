import json
import runpy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from PIL import Image

from bgaug_mm.evaluation import build_frozen_backbone, fit_linear_probe, save_linear_probe
from bgaug_mm.evaluation.networks.features import build_model

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
    # two models in one file stay two, whatever the file is called
    main([
        str(out / 'results.json'), '--labels', 'old', '--data', str(small_world),
        '--out-dir', str(tmp_path / 'renamed'), *QUICK,
    ])  # fmt: skip
    renamed = tmp_path / 'renamed/results.json'
    assert list(json.loads(renamed.read_text())['labels']) == ['old: plain', 'old: bg swap']
    one = [str(tmp_path / f'{name}.json') for name in 'ab']
    for path, run in zip(one, (0, 1), strict=True):
        content = json.loads((out / 'results.json').read_text())
        content['runs'] = [content['runs'][run]]
        content['runs'][0]['label'] = 'same'
        content['runs'][0]['predictions'] = str(out / content['runs'][0]['predictions'])
        Path(path).write_text(json.dumps(content))
    argv = [*one, '--data', str(small_world), '--out-dir', str(tmp_path / 'seeds')]
    main([*argv, '--labels', 'both', 'both'])
    results = json.loads((tmp_path / 'seeds/results.json').read_text(encoding='utf-8'))
    assert results['labels']['both']['original']['count'] == 2
    assert results['labels']['both']['original']['bootstrap']['over'] == 'seeds and images'
    # nobody said that these are seeds of one model
    main(argv)
    results = json.loads((tmp_path / 'seeds/results.json').read_text(encoding='utf-8'))
    assert list(results['labels']) == ['same (a)', 'same (b)']
    # but the seeds of one file stay together
    both = str(tmp_path / 'seeds/results.json')
    main([*argv[2:], both, '--labels', 'x'])
    content = json.loads(Path(both).read_text(encoding='utf-8'))
    for entry in content['runs']:
        entry['label'] = 'same'
    (tmp_path / 'seeds/both.json').write_text(json.dumps(content))
    main([str(tmp_path / 'seeds/both.json'), *argv])
    results = json.loads(Path(both).read_text(encoding='utf-8'))
    counts = {label: figures['original']['count'] for label, figures in results['labels'].items()}
    assert counts == {'same (both)': 2, 'same (a)': 12, 'same (b)': 12}
    main([str(checkpoints[2]), one[0], '--labels', 'same', 'same', *argv[2:], *QUICK])
    results = json.loads((tmp_path / 'seeds/results.json').read_text(encoding='utf-8'))
    assert results['labels']['same']['original']['count'] == 2


def test_the_gap_of_a_control_is_subtracted(main, out, tmp_path, small_world):
    argv = [str(out / 'results.json'), '--data', str(small_world), '--out-dir', str(tmp_path)]
    main([*argv, '--control', 'plain'])
    results = json.loads((tmp_path / 'results.json').read_text(encoding='utf-8'))
    labels = results['labels']
    assert results['base'] == 'bg swap' and results['control'] == 'plain'
    assert results['differences'] == {} and 'net_gap' not in labels['plain']
    assert labels['bg swap']['net_gap']['mean'] == pytest.approx(
        labels['bg swap']['bg_gap']['mean'] - labels['plain']['bg_gap']['mean']
    )
    assert '| net_gap |' in (tmp_path / 'results.md').read_text(encoding='utf-8')
    with pytest.raises(SystemExit, match="evaluate: no run has the label .*'x'"):
        main([*argv, '--control', 'x'])
    with pytest.raises(SystemExit):
        main([*argv, '--control', 'plain', '--suite', 'imagenet'])


def test_a_backbone_with_its_probe_takes_the_imagenet_suite(main, checkpoints, layouts, tmp_path):
    layouts.imagenet9(tmp_path)
    width = build_frozen_backbone(Config(CONFIG), seed=0)(
        torch.zeros(1, 3, 64, 64, dtype=torch.uint8)
    ).shape[1]  # fmt: skip
    features = torch.randn(18, width, generator=torch.Generator().manual_seed(0))
    probe = fit_linear_probe(features, torch.arange(18) % 9)
    save_linear_probe(tmp_path / 'p.npz', probe, list('abcdefghi'))
    argv = [checkpoints[0], '--suite', 'imagenet', '--data', str(tmp_path), '--device', 'cpu',
            '--sets', 'imagenet9', '--skip', 'attacks',
            '--out-dir', str(tmp_path / 'out')]  # fmt: skip
    main([*argv, '--probe', str(tmp_path / 'p.npz')])
    results = json.loads((tmp_path / 'out/results.json').read_text(encoding='utf-8'))
    (label,) = results['labels'].values()
    assert label['imagenet9_bg_gap']['over'] == 'images' and results['runs'][0]['skipped'] == {}
    page = (tmp_path / 'out/report.html').read_text(encoding='utf-8')
    assert 'Where they look' in page and 'Hardest failures' in page
    assert page.count('data:image/png') == 4
    narrow = fit_linear_probe(features[:, :3], torch.arange(18) % 9)
    save_linear_probe(tmp_path / 'narrow.npz', narrow, list('abcdefghi'))
    with pytest.raises(SystemExit, match=rf'narrow\.npz is for 3 features, but .* gives {width}'):
        main([*argv, '--probe', str(tmp_path / 'narrow.npz')])
    with pytest.raises(SystemExit, match=r'no linear probe at .*none\.npz'):
        main([*argv, '--probe', str(tmp_path / 'none.npz')])


@pytest.mark.usefixtures('art')
def test_classifiers_are_compared_attacked_and_one_of_another_network_is_named(
    main, layouts, tmp_path, capsys
):
    layouts.imagenet9(tmp_path / 'data')
    model = {
        **CONFIG['model'],
        'neck': {'type': 'GlobalAveragePooling'},
        'head': {'type': 'LinearClsHead', 'num_classes': 9, 'in_channels': 32},
    }
    for seed in range(2):
        config = Config({**CONFIG, 'model': model})
        built = build_model(config, seed=seed)[0]
        content = {'state_dict': built.state_dict(), 'meta': {'cfg': config.pretty_text}}
        torch.save(content, tmp_path / f'{"ab"[seed]}.pth')
    model['head']['num_classes'] = 7  # the stored config is of another head than the weights
    content['meta']['cfg'] = Config({**CONFIG, 'model': model}).pretty_text
    torch.save(content, tmp_path / 'c.pth')
    a, b, c = (str(tmp_path / f'{name}.pth') for name in 'abc')
    main([
        a, '--compare', b, c, '--suite', 'imagenet', '--data', str(tmp_path / 'data'),
        '--sets', 'imagenet9', '--device', 'cpu', '--out-dir', str(tmp_path / 'out'),
        '--attacked', '3', '--steps', '2', '--distorted', '4',
    ])  # fmt: skip
    assert 'checkpoint skipped: ' in capsys.readouterr().out
    results = json.loads((tmp_path / 'out/results.json').read_text(encoding='utf-8'))
    assert [run['skipped'].keys() for run in results['runs'][:2]] == [set(), set()]
    assert 'Unmatched in the classifier: head.fc' in results['runs'][2]['skipped']['checkpoint']
    figures = results['differences']['b − a']
    assert {'imagenet9_bg_gap', 'gamma_5', 'patches_2', 'fgsm_1', 'pgd_4'} <= figures.keys()
    page = (tmp_path / 'out/report.html').read_text(encoding='utf-8')
    assert 'Hardest failures of b' in page and 'gradient steps within 4/255 a pixel' in page


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
    capsys.readouterr()  # a bad earlier file costs no evaluation
    with pytest.raises(SystemExit, match=r'evaluate: .*x\.json has the format None'):
        main([checkpoints[0], str(tmp_path / 'x.json'), '--data', str(tmp_path), *out])
    assert 'seed_0' not in capsys.readouterr().out
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
