import json
import sys
import time

import pytest

from bgaug_mm.evaluation.jobs import Durations, Job, work_alone, work_through
from bgaug_mm.files import lock

DONE = "import json, sys; json.dump({'seconds': 120}, open(sys.argv[1], 'w'))"


@pytest.fixture
def make(tmp_path):
    def job(name, code=DONE, *, needs=(), **options):
        done = tmp_path / f'{name}.json'
        return Job(
            name=name,
            folder=tmp_path / name,
            done=done,
            needs=needs,
            prepare=lambda: [sys.executable, '-c', code, str(done)],
            **options,
        )

    return job


def test_in_order_and_when_what_is_needed_is_done(make, tmp_path):
    """Both jobs of two run at once; the third begins when the first has ended."""
    note = f"open({str(tmp_path / 'order')!r}, 'a').write(NAME); {DONE}"
    jobs = [
        make('a', f'import time; time.sleep(.8); {note.replace("NAME", repr("a"))}'),
        make('c', note.replace('NAME', repr('c')), needs=['a']),
        make('b', note.replace('NAME', repr('b'))),
    ]
    told = []
    assert work_through(jobs, parallel=2, env={}, finished=lambda job: told.append(job.name)) == {}
    assert (tmp_path / 'order').read_text() == 'bac'
    assert sorted(told) == ['a', 'b', 'c']


def test_what_is_done_is_not_done_again(make):
    jobs = [make('a'), make('b', 'raise SystemExit(1)')]
    for job in jobs:
        job.done.write_text('{}')
    assert work_through(jobs, parallel=1, env={}) == {}


def test_a_failure_leaves_the_others_alone(make, capsys):
    jobs = [
        make('bad', "print('no space'); raise SystemExit(3)"),
        make('needs bad', needs=['bad']),
        make('good'),
        make('says it is done', 'pass'),
    ]
    failures = work_through(jobs, parallel=2, env={})
    assert list(failures) == ['bad', 'needs bad', 'says it is done'] or set(failures) == {
        'bad', 'needs bad', 'says it is done'
    }  # fmt: skip
    assert 'status 3' in failures['bad'] and 'no space' in failures['bad']
    assert failures['needs bad'] == 'left out: bad failed'
    assert jobs[2].is_done
    assert 'no space' in jobs[0].failed.read_text()
    assert 'FAILED bad' in capsys.readouterr().out
    (good,) = [make('bad')]
    assert work_through([good], parallel=1, env={}) == {}, 'it is tried again'
    assert not good.failed.exists()


def test_processes_end_with_it(make, tmp_path):
    started = tmp_path / 'started'
    code = f'open({str(started)!r}, "w"); import time; time.sleep(60); {DONE}'
    jobs = [make('quick'), make('long', code)]

    def interrupt(job):
        while not started.exists():
            time.sleep(0.05)
        raise KeyboardInterrupt

    begin = time.time()
    with pytest.raises(KeyboardInterrupt):
        work_through(jobs, parallel=2, env={}, finished=interrupt)
    assert time.time() - begin < 30
    assert not jobs[1].is_done


def test_env_reaches_the_process(make, tmp_path):
    code = f'import os; assert os.environ["OF_THE_TEST"] == "1"; {DONE}'
    assert work_through([make('a', code)], parallel=1, env={'OF_THE_TEST': '1'}) == {}
    with pytest.raises(ValueError, match='`parallel` must be at least 1, but got 0'):
        work_through([], parallel=0, env={})


def test_durations(make, tmp_path):
    run = ('w', 'm', 'plain', 0)
    jobs = [
        make('a', run=run, like='w/m', minutes=5.0),
        make('b', run=run, like='w/m', minutes=5.0, length=4),
        make('c', run=run, like='w/n', minutes=7.0),
    ]
    assert Durations(jobs).total(jobs) == 17
    jobs[0].done.write_text(json.dumps({'seconds': 120}))
    last = jobs[1].folder / 'work_dir/last_checkpoint'
    last.parent.mkdir(parents=True)
    last.write_text('/x/epoch_1.pth')
    minutes = Durations(jobs)
    assert minutes.total(jobs) == 2 + 2 + 7
    assert minutes.left(jobs) == 0 + 2 * 0.75 + 7
    minutes.add(jobs[2])
    assert minutes.of(jobs[2]) == 7, 'nothing is known of what is not there'


def test_alone_in_a_folder(make, tmp_path, root):
    """One command at a time, whose processes use the same source tree."""
    code = f'import os; assert os.environ["PYTHONPATH"].startswith({str(root)!r}); {DONE}'
    out = tmp_path / 'new' / 'out'
    options = dict(parallel=1, env={}, finished=lambda job: None)
    assert work_alone(out, [make('a', code)], **options) == {}
    with open(out / '.lock', 'ab') as file:
        if not lock(file):
            pytest.skip('no locks here')
        with pytest.raises(ValueError, match='another command works in .*out'):
            work_alone(out, [], **options)
    assert work_alone(out, [], **options) == {}
