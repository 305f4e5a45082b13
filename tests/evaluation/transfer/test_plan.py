import json
import os
from pathlib import Path

import pytest

from bgaug_mm.engine.launch_config import LaunchError
from bgaug_mm.evaluation.transfer import Weights, plan_mini, plan_trials, read_weights
from bgaug_mm.evaluation.transfer.plan import RESULT

CONFIG = """
data_root = 'x'
train_cfg = dict(max_iters=20)
optim_wrapper = dict(optimizer=dict(lr=0.1))
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'detector_24k.py'
    path.write_text(CONFIG)
    return str(path)


@pytest.fixture
def plan(config, tmp_path):
    def make(texts=('random',), out='out', trials=1, **options):
        weights = read_weights(texts, trials=trials)
        return plan_trials(
            [config], weights, tmp_path / out, Path('tools'), trials=trials, **options
        )

    return make


def command(job):
    """What the worker will run."""
    return json.loads(Path(job.prepare()[-1]).read_text())['command']


def test_seeds_one_after_another(plan, tmp_path):
    for seed in range(2):
        (tmp_path / f'byol_{seed}.pth').touch()
    pattern = tmp_path / 'byol_{seed}.pth'
    jobs = plan(['untrained', 'random', f'byol={pattern}'], trials=2, options=['a=[1,2]'])
    assert [job.name for job in jobs] == [
        f'detector_24k/{name}/{seed}'
        for seed in range(2)
        for name in ('untrained', 'random', 'byol')
    ]
    untrained, random, *_, byol = jobs
    assert random.length == 20
    assert command(byol)[1:] == [
        str(Path('tools/train.py')), str(tmp_path / 'detector_24k.py'),
        '--work-dir', str(byol.folder / 'work_dir'), '--resume', '--cfg-options', 'a=[1,2]',
        'randomness.seed=1', f'checkpoint={tmp_path / "byol_1.pth"}', 'which=auto',
    ]  # fmt: skip
    assert 'checkpoint=random' in command(random)
    assert command(untrained)[1:4] == [
        str(Path('tools/test.py')), str(tmp_path / 'detector_24k.py'), 'random'
    ]  # fmt: skip
    assert command(untrained)[-4:-2] == [str(untrained.folder / 'metrics.json'), '--cfg-options']


def test_several_gpus(plan):
    (job,) = plan(gpus=8, flags=['--amp'], data='voc_{seed}')
    assert command(job)[:2] == ['bash', str(Path('tools/dist_train.sh'))]
    assert command(job)[3] == '8'
    assert command(job)[6:10] == ['--data', 'voc_0', '--resume', '--amp']


def test_other_settings_are_other_trials(plan, tmp_path):
    (tmp_path / 'a.pth').touch()
    texts = [f'a={tmp_path / "a.pth"}']
    folders = [
        plan(texts, **options)[0].folder
        for options in ({}, {'gpus': 2}, {'flags': ['--amp']}, {'data': 'd'}, {'options': ['b=1']})
    ]
    os.utime(tmp_path / 'a.pth', (1, 1))  # another file under the same name
    folders.append(plan(texts)[0].folder)
    assert len({folder.name for folder in folders}) == 6
    assert plan(texts)[0].folder == folders[-1]
    assert plan(texts, out='moved')[0].folder.name == folders[-1].name


def test_bad_input(plan, config, tmp_path):
    for texts, message in (
        (['byol'], "takes NAME=CHECKPOINT, random and untrained, but got 'byol'"),
        (['=x.pth'], "but got '=x.pth'"),
        (['a/b=x.pth'], "but got 'a/b=x.pth'; names are of letters"),
        (['random=x.pth'], "but got 'random=x.pth'"),
        (['random', 'random'], "has 'random' twice"),
    ):
        with pytest.raises(ValueError, match=message):
            plan(texts)
    with pytest.raises(FileNotFoundError, match=r'`--weights a=.*: no file .*b_1\.pth'):
        (tmp_path / 'b_0.pth').touch()
        plan([f'a={tmp_path}/b_{{seed}}.pth'], trials=2)
    with pytest.raises(ValueError, match='`trials` must be at least 1, but got 0'):
        plan(trials=0)
    with pytest.raises(LaunchError, match='no_such'):
        plan_trials(['no_such.py'], [], tmp_path, Path('tools'))
    other = tmp_path / 'more' / 'detector_24k.py'
    other.parent.mkdir()
    other.write_text(CONFIG)
    with pytest.raises(ValueError, match='same file name: detector_24k, detector_24k'):
        plan_trials([config, str(other)], [], tmp_path, Path('tools'))


@pytest.fixture
def mini(monkeypatch, tmp_path):
    """The plan of the mini study; stands in for mmdet's configs."""
    from bgaug_mm.evaluation.transfer import mini, plan

    path = tmp_path / 'tiny_digits.py'
    path.write_text(CONFIG)
    monkeypatch.setattr(mini, 'CONFIGS', {str(path): ('train_cfg.max_iters=2',)})
    monkeypatch.setattr(plan, 'merge_options', lambda config, options: None)
    return lambda out='out', **options: plan_mini(tmp_path / out, Path('tools'), **options)


def test_mini_goes_from_data_to_detectors(mini):
    jobs = mini(trials=2)
    assert [job.name for job in jobs[:8]] == [
        'detection set, seed 0', 'world, seed 0', 'pre-train byol, seed 0',
        'pre-train byol_bgswap, seed 0', 'tiny_digits/untrained/0', 'tiny_digits/random/0',
        'tiny_digits/byol/0', 'tiny_digits/byol_bgswap/0',
    ]  # fmt: skip
    assert len(jobs) == 16 and len({job.name for job in jobs}) == 16
    done = set()
    for job in jobs:
        assert done.issuperset(job.needs), job.name
        done.add(job.name)
    sets, world, byol, *_, random, tuned, _ = jobs[8:]
    assert list(tuned.needs) == ['detection set, seed 1', 'pre-train byol, seed 1']
    assert list(random.needs) == ['detection set, seed 1']
    assert sets.prepare()[3:5] == ['--seed', '1']
    told = command(byol)
    assert told[told.index('--data') + 1] == str(world.folder)
    assert 'randomness.seed=1' in told
    (checkpoint,) = (part for part in command(tuned) if part.startswith('checkpoint='))
    assert checkpoint == f'checkpoint={byol.folder / "work_dir" / "epoch_40.pth"}'
    assert byol.length == 40 and byol.done == byol.folder / RESULT
    assert command(tuned)[command(tuned).index('--data') + 1] == str(sets.folder)
    assert 'train_dataloader.num_workers=0' in command(tuned)


def test_mini_moved_and_quick(mini):
    names = [[job.folder.name for job in mini(out, trials=1)] for out in ('out', 'moved')]
    assert names[0] == names[1]
    quick = mini(trials=1, quick=True)
    assert not {job.folder.name for job in quick} & set(names[0])
    assert 'train_cfg.max_iters=2' in command(quick[-1])
    assert 'train_cfg.max_epochs=1' in command(quick[2])


def test_weights_of_a_seed():
    weights = Weights(name='a', checkpoint='x/{seed}/e_{seed}.pth')
    assert weights.of_seed(3) == 'x/3/e_3.pth' and weights.is_file
    assert not Weights(name='random', checkpoint='random').is_file
