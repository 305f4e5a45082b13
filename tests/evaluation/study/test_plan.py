import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from bgaug_mm.evaluation.study.plan import plan
from bgaug_mm.evaluation.study.spec import Arm, Method, Study, World

TOOLS = Path(__file__).resolve().parents[3] / 'tools'
MAKE = 'make_digits_on_photos.py {out} --seed {seed} --rho {rho}'
STUDY = Study(
    config='bgaug_mm::demo/{method}_{world}.py',
    worlds={'digits': World(make=MAKE, uniform=0.1)},
    methods={'simclr': Method(seeds=1, minutes=3.0)},
    arms={
        'plain': Arm(),
        'control': Arm(uniform=True),
        'swap': Arm(op='background_swap'),
        'swap.box': Arm(op='background_swap', masks={'as_box': True}, late=True),
        'untrained': Arm(epochs=0),
    },
)


@pytest.fixture
def jobs(tmp_path):
    return {job.name: job for job in plan(STUDY, tmp_path, TOOLS)}


def test_each_job_stands_behind_what_it_needs(jobs):
    assert list(jobs) == [
        'world digits, rho 0.9, seed 0',
        'digits/simclr/plain/0',
        'world digits, rho 0.1, seed 0',
        'digits/simclr/control/0',
        'digits/simclr/swap/0',
        'digits/simclr/untrained/0',
        'masks digits, box, seed 0',
        'digits/simclr/swap.box/0',
    ]
    assert jobs['digits/simclr/control/0'].needs == ['world digits, rho 0.1, seed 0']
    assert jobs['digits/simclr/swap.box/0'].needs == [
        'world digits, rho 0.9, seed 0', 'masks digits, box, seed 0'
    ]  # fmt: skip
    assert jobs['digits/simclr/plain/0'].minutes == 3
    assert jobs['digits/simclr/plain/0'].length == 20
    assert len({job.folder for job in jobs.values()}) == len(jobs)


def test_what_is_prepared(jobs, tmp_path):
    command = jobs['world digits, rho 0.1, seed 0'].prepare()
    world = jobs['world digits, rho 0.1, seed 0'].folder
    assert command[1:] == [
        str(TOOLS / 'dataset_converters/make_digits_on_photos.py'), str(world),
        '--seed', '0', '--rho', '0.1',
    ]  # fmt: skip
    assert jobs['world digits, rho 0.1, seed 0'].done == world / 'manifest.json'

    run = jobs['digits/simclr/swap.box/0']
    *_, path = run.prepare()
    task = json.loads(Path(path).read_text())
    assert task['train'] and task['run']['arm'] == 'swap.box'
    masks = jobs['masks digits, box, seed 0']
    assert str(masks.folder) in Path(task['config']).read_text()
    *_, path = masks.prepare()
    assert json.loads(Path(path).read_text())['edit'] == {'as_box': True}
    *_, path = jobs['digits/simclr/untrained/0'].prepare()
    assert not json.loads(Path(path).read_text())['train']


def test_other_settings_are_other_folders(jobs, tmp_path):
    def folders(study, out=tmp_path):
        return {job.name: job.folder.relative_to(out) for job in plan(study, out, TOOLS)}

    def changed(study):
        return {name for name, folder in folders(study).items() if folder != before[name]}

    before = folders(STUDY)
    assert folders(STUDY, tmp_path / 'moved') == before
    assert changed(replace(STUDY, title='other')) == set()
    assert changed(replace(STUDY, epochs=5)) == {name for name in before if name[0] == 'd'}
    worlds = {'digits': World(make=f'{MAKE} --per-class 5', uniform=0.1)}
    assert changed(replace(STUDY, worlds=worlds)) == set(before)
    box = replace(STUDY.arms['swap.box'], masks={'dilate': 3})
    assert changed(replace(STUDY, arms={**STUDY.arms, 'swap.box': box})) == {
        'masks digits, box, seed 0', 'digits/simclr/swap.box/0'
    }  # fmt: skip


def test_known_runs_need_nothing(jobs, tmp_path):
    """Nor do their worlds need their material, but for another run of the same world."""
    known = [jobs[f'digits/simclr/{name}/0'].folder.name for name in ('control', 'swap.box')]
    left = {job.name: job for job in plan(STUDY, tmp_path, TOOLS, known=known)}
    assert set(jobs) - set(left) == {'world digits, rho 0.1, seed 0', 'masks digits, box, seed 0'}
    assert left['digits/simclr/control/0'].needs == ()
    assert left['digits/simclr/swap/0'].needs == ['world digits, rho 0.9, seed 0']

    world = World(make='make_cutouts_on_textures.py {source} {out}', uniform=0.1)
    study = replace(STUDY, worlds={'digits': world})
    with_source = study.with_sources({'digits': str(tmp_path)})
    folders = {job.run: job.folder.name for job in plan(with_source, tmp_path, TOOLS) if job.run}
    everything = plan(study, tmp_path, TOOLS, known=set(folders.values()))
    assert [job.run for job in everything] == list(folders)
    with pytest.raises(ValueError, match='needs its material'):
        plan(study, tmp_path, TOOLS, known=list(folders.values())[1:])

    jobs['digits/simclr/control/0'].folder.mkdir(parents=True)
    jobs['digits/simclr/control/0'].done.write_text('{}')
    again = {job.name: job for job in plan(STUDY, tmp_path, TOOLS, known=known)}
    assert again['digits/simclr/control/0'].needs, 'it was made here'


def test_progress_of_what_is_not_done(jobs):
    job = jobs['digits/simclr/plain/0']
    assert (job.is_done, job.share_done) == (False, 0.0)
    last = job.folder / 'work_dir/last_checkpoint'
    last.parent.mkdir(parents=True)
    last.write_text('/elsewhere/epoch_5.pth')
    assert job.share_done == 0.25
    job.done.write_text('{}')
    assert (job.is_done, job.share_done) == (True, 1.0)


def test_bad_input(tmp_path):
    world = World(make='make_cutouts_on_textures.py {source} {out}', uniform=0.1)
    study = replace(STUDY, worlds={'digits': world})
    with pytest.raises(ValueError, match='needs its material: --source digits=FOLDER'):
        plan(study, tmp_path, TOOLS)
    study = replace(STUDY, worlds={'digits': World(make='rm.py', uniform=0.1)})
    with pytest.raises(ValueError, match='must begin with one of .*make_digits_on_photos.py'):
        plan(study, tmp_path, TOOLS)
    assert not os.listdir(tmp_path)
