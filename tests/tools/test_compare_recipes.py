import json
import os
import runpy
from pathlib import Path

import pytest
from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / 'tools/analysis_tools/compare_recipes.py'


@pytest.fixture(scope='module')
def tool():
    return runpy.run_path(str(TOOL))


def test_runs(tool):
    runs = tool['read_runs'](['a=x.py', 'b c=mm::y.py@12'])
    assert runs == {'a': ('x.py', None, {}), 'b c': ('mm::y.py', 12, {})}
    (run,) = tool['read_runs'](['a=x.py@3,custom_hooks.1.mix=0.5,model.size=24']).values()
    assert run == ('x.py', 3, {'custom_hooks.1.mix': 0.5, 'model.size': 24})
    for bad in ('x.py', '=x.py', 'a=x.py@0', 'a=x.py@two', 'a=', 'a=x.py,mix', 'a=x.py,=3'):
        with pytest.raises(ValueError, match='a run must be LABEL=CONFIG'):
            tool['read_runs']([bad])
    with pytest.raises(ValueError, match='two runs are called a'):
        tool['read_runs'](['a=x.py', 'a=y.py'])


def config():
    return Config(
        dict(
            train_cfg=dict(max_epochs=20),
            param_scheduler=[
                dict(type='LinearLR', by_epoch=True, begin=0, end=1),
                dict(type='CosineAnnealingLR', by_epoch=True, T_max=19, begin=1, end=20),
            ],
        )
    )


def test_a_schedule_is_stretched(tool):
    stretched = config()
    tool['stretch'](stretched, 33)
    assert stretched.train_cfg.max_epochs == 33
    warmup, cosine = stretched.param_scheduler
    assert (warmup.begin, warmup.end) == (0, 1)
    assert (cosine.begin, cosine.end, cosine.T_max) == (1, 33, 32)
    same = config()
    tool['stretch'](same, 20)
    assert same.to_dict() == config().to_dict()
    with pytest.raises(ValueError, match='1 epochs are too few for the schedule .*Cosine'):
        tool['stretch'](config(), 1)
    by_iteration = Config(dict(train_cfg={}, param_scheduler=[dict(type='X', by_epoch=False)]))
    by_iteration.train_cfg.max_epochs = 2
    with pytest.raises(ValueError, match='a schedule by iterations cannot be stretched'):
        tool['stretch'](by_iteration, 4)


def test_mean_and_spread(tool):
    assert tool['mean_and_spread']([70.0, 72.0, 77.0]) == '73.0 ± 3.6'
    assert tool['mean_and_spread']([0.91, 0.95]) == '0.93 ± 0.03'
    assert tool['mean_and_spread']([5.0]) == '5.0'
    assert tool['mean_and_spread']([5.0, None]) == '-'
    assert tool['mean_and_spread']([]) == '-'


def test_tables(tool):
    results = {
        'plain': [{'original': 60.0, 'fgpref': None}, {'original': 70.0, 'fgpref': None}],
        'hvs': [{'original': 61.0, 'fgpref': 9.0}, {'original': 73.0, 'fgpref': 9.0}],
    }
    assert tool['markdown'](results, ['original', 'fgpref']).splitlines() == [
        '| | seeds | original | fgpref |',
        '|---|---|---|---|',
        '| plain | 2 | 65.0 ± 7.1 | - |',
        '| hvs | 2 | 67.0 ± 8.5 | 9.0 ± 0.0 |',
    ]
    found = tool['differences'](results)
    assert list(found) == ['hvs − plain']
    assert [row['original'] for row in found['hvs − plain']] == [1.0, 3.0]
    assert found['hvs − plain'][0]['fgpref'] is None


def test_train_minutes(tool, tmp_path):
    path = tmp_path / 'scalars.json'
    rows = [{'loss': 1, 'step': 10 * (i + 1), 'time': (0.2, 5.0, 0.3)[i]} for i in range(3)]
    path.write_text('\n'.join(map(json.dumps, rows)))
    assert tool['train_minutes'](tmp_path) == pytest.approx(30 * 0.3 / 60)


@pytest.mark.slow
def test_two_recipes_on_a_tiny_world(tool, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', os.environ.get('OMP_NUM_THREADS', '1'))
    maker = ROOT / 'tools/dataset_converters/make_digits_on_photos.py'
    world = str(tmp_path / 'world')
    runpy.run_path(str(maker))['main']([world, '--per-class', '16', '--test-per-class', '2'])
    runs = [f'{name}={ROOT}/configs/demo/simsiam{tag}_digits.py@{epochs}'
            for name, tag, epochs in (('plain', '', 3), ('hard', '_hvs', 2))]  # fmt: skip
    command = [*runs, '--worlds', world, '--out-dir', str(tmp_path / 'out')]
    tool['main'](command)
    table = capsys.readouterr().out
    assert '| hard | 1 |' in table and '| hard − plain | 1 |' in table
    results = json.loads((tmp_path / 'out/results.json').read_text())
    assert 0 <= results['hard']['0']['knn_original'] <= 100
    tool['main'](command)
    assert 'Seed 0' not in capsys.readouterr().out, 'nothing is done twice'
    with pytest.raises(ValueError, match='plain holds a training of another recipe than'):
        tool['main']([runs[0].replace('@3', '@4'), *command[2:]])
