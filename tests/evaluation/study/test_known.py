import json

import pytest

from bgaug_mm.evaluation.jobs import Job
from bgaug_mm.evaluation.study.known import read_known
from bgaug_mm.evaluation.study.results import collect
from bgaug_mm.evaluation.study.spec import Arm, Method, Run, Study, World

STUDY = Study(
    config='x',
    worlds={'w': World(make='x', uniform=0.1)},
    methods={'m': Method(seeds=1)},
    arms={'plain': Arm(), 'control': Arm(uniform=True)},
)


@pytest.fixture
def write(tmp_path):
    def write(name, content):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def results(**runs):
    return {
        'runs': {f'w/m/{name}/0': row for name, row in runs.items()},
        'folders': {f'w/m/{name}/0': f'w-m-{name}-0-abc' for name in runs},
    }


def test_the_first_file_counts_and_net_gaps_are_left_out(write):
    first = write('a.json', results(plain={'bg_gap': 3, 'net_gap': 1.0, 'fgpref': None}))
    second = write('b.json', results(plain={'bg_gap': 4.0}, swap={'bg_gap': 5.0}))
    assert read_known([first, second]) == {
        'w-m-plain-0-abc': {'bg_gap': 3, 'fgpref': None},
        'w-m-swap-0-abc': {'bg_gap': 5.0},
    }
    assert read_known([]) == {}


@pytest.mark.parametrize(
    ('content', 'match'),
    [
        (None, r'nowhere\.json` cannot be read: No such file'),
        ('{', r'a\.json` is no results\.json .*JSONDecodeError'),
        ([], r'a\.json` is no results\.json .*TypeError'),
        ({'runs': {}}, r"a\.json` is no results\.json .*KeyError: 'folders'"),
        ({'runs': {}, 'folders': {'w/m/plain/0': 'x'}}, 'KeyError: .w/m/plain/0'),
        (results(plain={'bg_gap': 'three'}), "bg_gap is 'three', no number"),
        (results(plain={'bg_gap': True}), 'bg_gap is True, no number'),
        (results(plain=[3]), r'a\.json` is no results\.json .*AttributeError'),
    ],
)
def test_bad_files(write, content, match):
    path = 'nowhere.json' if content is None else write('a.json', content)
    with pytest.raises(ValueError, match=match):
        read_known([path])


def test_known_runs_join_those_made_here(tmp_path):
    """A control known from elsewhere is subtracted; what was made here counts before it."""

    def job(arm, content):
        folder = tmp_path / f'{arm}-abc'
        folder.mkdir()
        if content:
            (folder / 'result.json').write_text(json.dumps(content))
        run = Run('w', 'm', arm, 0)
        done = folder / 'result.json'
        return Job(name=run.name, folder=folder, done=done, prepare=list, run=run)

    jobs = [job('plain', {'scores': {'bg_gap': 50.0}}), job('control', None)]
    known = {'control-abc': {'bg_gap': 10.0}, 'plain-abc': {'bg_gap': 0.0}, 'other': {}}
    found = collect(STUDY, jobs, known)
    assert found.estimate('w', 'm', 'plain', 'net_gap').mean == 40
    assert found.folders == {'w/m/plain/0': 'plain-abc', 'w/m/control/0': 'control-abc'}
    assert found.to_json()['folders'] == found.folders
    assert found.to_json()['runs']['w/m/control/0'] == {'bg_gap': 10.0}
    assert collect(STUDY, jobs).estimate('w', 'm', 'plain', 'net_gap') is None
