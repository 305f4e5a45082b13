"""The demo of MoCo-v2 with matched negatives: trains, resumes, the same over both libraries."""

import json
import signal
from pathlib import Path

import pytest

CONFIG = """
_base_ = 'bgaug_mm::demo/{recipe}.py'
train_dataloader = dict(
    batch_size=8, num_workers=0, persistent_workers=False,
    dataset=dict(dataset=dict(data_root='world')))
train_cfg = dict(max_epochs=2)
default_hooks = dict(logger=dict(interval=1))
custom_imports = dict(imports=['stopper'])
custom_hooks = [dict(type='mmengine.Stopper', priority='LOWEST')]
"""
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
PARTS = ('loss', 'loss_moco', 'loss_matched_negatives')


def logged(work_dir: Path) -> dict[int, list[float]]:
    """The losses of all runs in a work dir, by iteration, with all digits."""
    found = {}
    for log in sorted(work_dir.glob('*/vis_data/scalars.json')):
        for line in log.read_text().splitlines():
            entry = json.loads(line)
            if 'loss' in entry:
                found[entry['step']] = [entry[part] for part in PARTS]
    return found


@pytest.fixture
def run(tools, project):
    """Train a demo recipe on the small world; the work dir's logged losses."""
    (project / 'stopper.py').write_text(STOPPER)

    def train(recipe: str, work_dir: str, *options: str, status: int = 0, **env: str):
        config = project / f'{recipe.replace("/", "_")}.py'
        config.write_text(CONFIG.format(recipe=recipe))
        found, output = tools('train', config, '--work-dir', work_dir, *options, cwd=project, **env)
        assert found == status, output
        return logged(project / work_dir)

    return train


def test_trains_and_resumes_and_is_the_same_over_mmpretrain(run):
    whole = run('mocov2_bgswap_digits', 'whole')
    assert sorted(whole) == list(range(1, 9))  # 2 epochs of 4 iterations
    for loss, moco, matched in whole.values():
        assert matched > 0 and loss == pytest.approx(moco + matched, rel=1e-6)

    run('mocov2_bgswap_digits', 'killed', status=-signal.SIGKILL, KILL_AT='6')
    assert run('mocov2_bgswap_digits', 'killed', '--resume') == whole

    # the same seed gives the same weights and views
    twin = run('mmpretrain/mocov2_bgswap_digits', 'twin')
    assert twin.keys() == whole.keys()
    for step, losses in whole.items():
        assert twin[step] == pytest.approx(losses, abs=1e-5), step
