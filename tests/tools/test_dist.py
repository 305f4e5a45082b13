"""Two processes on the CPU, through tools/dist_train.sh and dist_test.sh."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

#: Without batch norm each sample's loss is its own, so that averages can be compared.
BN_FREE = """
_base_ = 'byol_digits.py'
no_bn = dict(type='LN')
model = dict(
    backbone=dict(norm_cfg=dict(_delete_=True, type='GN', num_groups=4)),
    neck=dict(norm_cfg=no_bn, with_last_bn=False),
    head=dict(predictor=dict(norm_cfg=no_bn)))
custom_imports = dict(imports=['gradients'])
custom_hooks = [dict(type='mmengine.Gradients')]
train_cfg = dict(max_epochs=1)
"""
GRADIENTS = """
import torch
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.registry import HOOKS

@HOOKS.register_module()
class Gradients(Hook):
    '''Saves the gradients of the first step.'''

    def before_train(self, runner):
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        optimizer = runner.optim_wrapper.optimizer

        def save(*_):
            found = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
            if runner.rank == 0:
                torch.save(found, runner.work_dir + '/gradients.pth')
            handle.remove()

        handle = optimizer.register_step_pre_hook(save)
"""


@pytest.fixture
def launch(root: Path, project: Path):
    """Run a launcher in the project's folder; its output."""

    def run(script: str, *argv, **env: str) -> str:
        done = subprocess.run(
            ['bash', str(root / 'tools' / script), *map(str, argv)],
            cwd=project,
            capture_output=True,
            text=True,
            timeout=300,
            env={**os.environ, 'PYTHON': sys.executable, 'CUDA_VISIBLE_DEVICES': '', **env},
        )
        output = done.stdout + done.stderr
        assert done.returncode == 0, output
        return output

    return run


def test_two_processes_train_while_the_usual_port_is_taken(launch, losses, project):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            taken.bind(('', 29500))
            taken.listen()
        except OSError:
            pass  # taken by somebody else: all the better
        output = launch('dist_train.sh', 'byol_bgswap_digits.py', 2, '--work-dir', 'out')
    assert output.count('2 processes train on the CPU over gloo') == 1
    assert (project / 'out/epoch_2.pth').is_file()
    logged = losses(project / 'out')
    assert len(logged) == 4  # 2 epochs of 32 images in 2 × 8
    assert np.isfinite(list(logged.values())).all()


def test_average_of_the_gradients_is_that_of_the_global_batch(tools, launch, project):
    (project / 'bn_free.py').write_text(BN_FREE)
    (project / 'gradients.py').write_text(GRADIENTS)
    status, output = tools('train', 'bn_free.py', '--work-dir', 'one', cwd=project)
    assert status == 0, output
    options = ['--cfg-options', 'train_dataloader.batch_size=4']
    launch('dist_train.sh', 'bn_free.py', 2, '--work-dir', 'two', *options, PYTHONPATH=str(project))
    one, two = (torch.load(project / name / 'gradients.pth') for name in ('one', 'two'))
    assert one.keys() == two.keys() and len(one) > 50
    largest = 0.0
    for name, gradient in one.items():
        difference = (gradient - two[name]).abs().max().item()
        assert difference < 1e-5, name
        largest = max(largest, gradient.abs().max().item())
    assert largest > 1e-2  # there is something to compare


CLASSIFIER = """
model = dict(
    type='ImageClassifier',
    backbone=dict(type='ResNet_CIFAR', depth=18, stem_channels=8, base_channels=8),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(type='LinearClsHead', num_classes=4, in_channels=64, topk=(1, )))
data_preprocessor = dict(mean=[127.] * 3, std=[60.] * 3)
loader = dict(
    batch_size=8, num_workers=0, sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(
        type='CustomDataset', data_root='world', data_prefix='train',
        pipeline=[dict(type='LoadImageFromFile'), dict(type='PackClsInputs')]))
loader.pop('collate_fn')
test_dataloader = loader
test_evaluator = dict(type='Accuracy', topk=(1, ))
test_cfg = dict()
default_scope = 'mmcls'
"""


def make_classifier(project: Path) -> None:
    (project / 'classifier.py').write_text(CLASSIFIER)
    torch.save(dict(state_dict={}), project / 'empty.pth')


def test_test_writes_metrics_and_predictions(tools, project):
    make_classifier(project)
    for name in ('metrics.json', 'predictions.pkl'):
        status, output = tools(
            'test', 'classifier.py', 'empty.pth', '--out', name, '--data', 'world', cwd=project
        )
        assert status == 0, output
        assert (project / name).stat().st_size > 10
    assert 'accuracy/top1' in (project / 'metrics.json').read_text()
    assert not list(project.glob('*.part*'))


@pytest.mark.slow
def test_two_processes_test(launch, project):
    make_classifier(project)
    launch('dist_test.sh', 'classifier.py', 'empty.pth', 2, '--out', 'metrics.json')
    assert 'accuracy/top1' in (project / 'metrics.json').read_text()
