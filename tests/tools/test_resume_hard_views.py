"""Recipes of hard view selection: killed and resumed, they go on exactly."""

import signal

import pytest

CONFIG = """
_base_ = 'bgaug_mm::demo/{recipe}.py'
data_root = 'world'
train_dataloader = dict(batch_size=8, num_workers=0, persistent_workers=False)
train_dataloader['dataset'] = dict(data_root=data_root)
train_cfg = dict(max_epochs=2)
default_hooks = dict(logger=dict(interval=1))
custom_imports = dict(imports=['stopper'])
custom_hooks = [*_base_.custom_hooks, dict(type='mmengine.Stopper', priority='LOWEST')]
custom_hooks[-2].update(telemetry_interval=1, mix=0.25)
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


@pytest.mark.parametrize(
    'recipe',
    [
        'simsiam_hvs_digits',
        'dino_hvs_digits',
        pytest.param('ibot_hvs_digits', marks=pytest.mark.slow),  # DINO's ways again
    ],
)
def test_killed_in_mid_epoch_and_resumed(tools, losses, project, recipe):
    (project / 'stopper.py').write_text(STOPPER)
    (project / 'recipe.py').write_text(CONFIG.format(recipe=recipe))

    def train(work_dir, *options, **env):
        return tools('train', 'recipe.py', '--work-dir', work_dir, *options, cwd=project, **env)

    status, output = train('whole')
    assert status == 0, output
    assert 'hard_views/iou_chosen' in output and 'hard_views/wins_' in output
    whole = losses(project / 'whole')
    assert sorted(whole) == list(range(1, 9))  # 2 epochs of 4 iterations
    assert train('killed', KILL_AT='6')[0] == -signal.SIGKILL
    status, output = train('killed', '--resume')
    assert status == 0, output
    assert 'resumed epoch: 1, iter: 4' in output
    assert losses(project / 'killed') == whole
