import json
import runpy
from pathlib import Path

import numpy as np
import pytest

TOOL = Path(__file__).resolve().parents[2] / 'tools/benchmarks/bench_knn.py'


@pytest.fixture(scope='module')
def tool():
    return runpy.run_path(str(TOOL))


@pytest.mark.parametrize('dtype', ['float32', 'float16'])
def test_quick(tool, tmp_path, dtype, capsys):
    out = tmp_path / 'out.json'
    tool['main'](['--quick', '--json', str(out), '--folder', str(tmp_path), '--dtype', dtype])
    result = json.loads(out.read_text())
    assert [row['bank'] for row in result['rows']] == [250, 500, 1000]
    width = {'float32': 4, 'float16': 2}[dtype]
    assert result['rows'][-1]['bank_gib'] == 1000 * 64 * width / 1024**3
    assert all(row['seconds'] > 0 for row in result['rows'])
    assert result['under_limit'] and result['rows'][-1]['peak_rss_gib'] > 0
    assert list(tmp_path.iterdir()) == [out]
    assert 'bank    1,000' in capsys.readouterr().out


def test_the_file_of_features(tool, tmp_path):
    tool['write_features'](tmp_path / 'x.npy', 10, 3, 'float16', chunk=4)
    found = np.load(tmp_path / 'x.npy', mmap_mode='r')
    assert found.shape == (10, 3) and found.dtype == np.float16 and np.unique(found).size > 25


def test_growth_by_hand(tool):
    rows = [{'bank': 10, 'seconds': 1.0}, {'bank': 20, 'seconds': 3.0}, {'bank': 40, 'seconds': 8}]
    assert tool['growth'](rows) == pytest.approx(1.5)
    assert tool['growth'](rows[:1]) is None


def test_bad_options(tool, tmp_path, capsys):
    with pytest.raises(SystemExit):
        tool['main'](['--json', str(tmp_path / 'x'), '--sizes', '0'])
    assert '--sizes, --dim, --queries and --k must be at least 1' in capsys.readouterr().err
    with pytest.raises(SystemExit, match='bench_knn: the features cannot be written'):
        options = ['--quick', '--json', str(tmp_path / 'x'), '--folder', str(tmp_path)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(tool['main'].__globals__, 'write_features', full_disk)
            tool['main'](options)


def full_disk(*_):
    raise OSError(28, 'No space left on device')
