"""A run that is killed and resumed goes on exactly like one that was not."""

import re
import signal
from pathlib import Path

import pytest

STOPPER = """
import os, signal
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

@HOOKS.register_module()
class Stopper(Hook):
    '''kill -9 of the run itself, at an iteration'''

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == int(os.environ.get('KILL_AT', 0)):
            os.kill(os.getpid(), signal.SIGKILL)
"""
WORKERS = {
    'none': ('train_dataloader.num_workers=0',),
    'fresh': ('train_dataloader.num_workers=2',),
    'persistent': (
        'train_dataloader.num_workers=2',
        'train_dataloader.persistent_workers=True',
    ),
}


@pytest.fixture
def resume_project(project: Path) -> Path:
    (project / 'stopper.py').write_text(STOPPER)
    config = project / 'byol_bgswap_digits.py'
    config.write_text(
        config.read_text() + "custom_imports = dict(imports=['stopper'])\n"
        "custom_hooks = [dict(type='mmengine.Stopper', priority='LOWEST')]\n"
    )
    return project


@pytest.mark.parametrize('workers', WORKERS)
def test_killed_in_mid_epoch_and_resumed(tools, losses, resume_project, workers):
    def train(work_dir, *options, **env):
        return tools(
            'train', 'byol_bgswap_digits.py', '--work-dir', work_dir, *options,
            '--cfg-options', *WORKERS[workers], cwd=resume_project, **env,
        )  # fmt: skip

    status, output = train('whole')
    assert status == 0, output
    whole = losses(resume_project / 'whole')
    assert sorted(whole) == list(range(1, 9))  # 2 epochs of 4 iterations
    assert all(loss != round(loss, 6) for loss in whole.values())  # all digits are logged

    status, output = train('killed', KILL_AT='6')
    assert status == -signal.SIGKILL, output
    assert (resume_project / 'killed/epoch_1.pth').is_file()
    assert not (resume_project / 'killed/epoch_2.pth').exists()

    status, output = train('killed', '--resume')
    assert status == 0, output
    assert 'resumed epoch: 1, iter: 4' in output
    assert losses(resume_project / 'killed') == whole


def test_without_a_configured_seed(tools, losses, resume_project):
    """The seed was drawn at the start; a checkpoint brings it back, also to the sampler."""

    def train(work_dir, *options):
        return tools(
            'train', 'byol_bgswap_digits.py', '--work-dir', work_dir, *options,
            '--cfg-options', 'randomness.seed=None', *WORKERS['persistent'], cwd=resume_project,
        )  # fmt: skip

    (status, output), (_, resumed) = (
        train('first'),
        train('resumed', '--resume', 'first/epoch_1.pth'),
    )
    assert status == 0, output
    assert re.search(r'seed: \d+', output)[0] != re.search(r'seed: \d+', resumed)[0]
    first = losses(resume_project / 'first')
    assert losses(resume_project / 'resumed') == {i: first[i] for i in range(5, 9)}, resumed


def test_with_upstreams_hook_resuming_is_not_exact(tools, losses, resume_project):
    """The defect that SampleSeedHook repairs: persistent workers start their streams over."""

    def train(work_dir, *options):
        return tools(
            'train', 'byol_bgswap_digits.py', '--work-dir', work_dir, *options, '--cfg-options',
            'default_hooks.sampler_seed.type=DistSamplerSeedHook', *WORKERS['persistent'],
            cwd=resume_project,
        )  # fmt: skip

    assert train('whole')[0] == 0
    assert train('resumed', '--resume', 'whole/epoch_1.pth')[0] == 0
    whole, resumed = (losses(resume_project / name) for name in ('whole', 'resumed'))
    assert all(resumed[i] != whole[i] for i in range(5, 9))


def test_checkpoint_cut_short(tools, losses, project):
    """Killed while it wrote the last checkpoint: auto-resume takes the one before."""
    status, output = tools('train', 'byol_digits.py', '--work-dir', 'out', cwd=project)
    assert status == 0, output
    last = project / 'out/epoch_2.pth'
    last.write_bytes(last.read_bytes()[:1000])

    status, output = tools('train', 'byol_digits.py', '--work-dir', 'out', '--resume', cwd=project)
    assert status == 0, output
    assert 'epoch_2.pth is missing or incomplete; going on from out/epoch_1.pth' in output
    assert 'resumed epoch: 1, iter: 4' in output

    last.write_bytes(last.read_bytes()[:1000])
    status, output = tools(
        'train', 'byol_digits.py', '--work-dir', 'out', '--resume', 'out/epoch_2.pth', cwd=project
    )
    assert status == 2
    assert 'error: out/epoch_2.pth is not a readable checkpoint' in output
    assert 'Traceback' not in output
