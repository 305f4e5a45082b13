import json
import os
import runpy
from pathlib import Path

import pytest

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
