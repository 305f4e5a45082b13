"""Checkpoints load without running code; damaged ones are named."""

import argparse
import os
import pickle
from collections import OrderedDict
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from mmengine.runner import load_checkpoint
from mmengine.runner.checkpoint import CheckpointLoader

from bgaug_mm.compat import CheckpointError, allow_checkpoint_globals, checkpoints


class Evil:
    """Pickled as a call of os.system, or of whatever it is told."""

    def __init__(self, function, *args):
        self.reduced = function, args

    def __reduce__(self):
        return self.reduced


@pytest.fixture
def save(tmp_path: Path):
    def write(content, **options) -> str:
        torch.save(content, tmp_path / 'x.pth', **options)
        return str(tmp_path / 'x.pth')

    return write


@pytest.fixture(params=['as installed', 'torch < 2.6'])
def either_way(request, monkeypatch):
    """Both ways of restricting torch.load, whichever this torch would take."""
    if request.param == 'torch < 2.6':
        monkeypatch.setattr(checkpoints, '_HAS_SAFE_GLOBALS', False)


def load(path: str):
    return CheckpointLoader.load_checkpoint(path, map_location='cpu')


def test_what_mmengine_saves(either_way, save):
    hub = MessageHub('test_what_mmengine_saves')
    for value in (1.0, 2.0, 6.0):
        hub.update_scalar('train/loss', value)
    hub.update_info('any', dict(i=np.int64(3), f=np.float32(0.5), b=np.zeros(2, bool), s={1}))
    layer = torch.nn.Linear(2, 2)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1, momentum=0.9)
    layer(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    state = OrderedDict(layer.state_dict(), half=torch.ones(2).bfloat16(), u8=torch.zeros(1).byte())
    path = save(
        dict(
            meta=dict(epoch=1, dataset_meta=dict(classes=('a', 'b'), palette=np.eye(2))),
            state_dict=state,
            message_hub=hub.state_dict(),
            optimizer=optimizer.state_dict(),
        )
    )
    content = load(path)
    buffer = content['message_hub']['log_scalars']['train/loss']
    assert isinstance(buffer, HistoryBuffer)
    assert buffer.mean() == buffer.statistics('mean') == 3.0
    assert content['message_hub']['runtime_info']['any']['i'] == 3
    assert np.array_equal(content['meta']['dataset_meta']['palette'], np.eye(2))
    for name, value in state.items():
        assert torch.equal(content['state_dict'][name], value)
    momentum = content['optimizer']['state'][0]['momentum_buffer']
    assert torch.equal(momentum, optimizer.state[layer.weight]['momentum_buffer'])


@pytest.mark.parametrize('legacy', [False, True])
@pytest.mark.parametrize('function', ['posix.system', 'builtins.eval', 'builtins.exec'])
def test_code_in_a_file_is_refused_and_does_not_run(either_way, save, tmp_path, function, legacy):
    proof = tmp_path / 'it ran'
    call = {
        'posix.system': (os.system, f'touch {str(proof)!r}'),
        'builtins.eval': (eval, f'open({str(proof)!r}, "w")'),
        'builtins.exec': (exec, f'open({str(proof)!r}, "w")'),
    }[function]
    path = save(dict(state_dict=Evil(*call)), _use_new_zipfile_serialization=not legacy)
    with pytest.raises(CheckpointError) as error:
        load(path)
    assert not proof.exists()
    assert path in str(error.value)
    assert function.rpartition('.')[2] in str(error.value)
    assert 'BGAUG_ALLOW_CHECKPOINT_GLOBALS=' in str(error.value)
    # the file does what the test says: an unrestricted load runs it
    if not legacy:
        pickle.loads(pickle.dumps(Evil(*call)))
        assert proof.exists()


@pytest.mark.parametrize(
    ('owner', 'name'), [(os, 'system'), (HistoryBuffer, '__init__'), (HistoryBuffer, '__globals__')]
)
def test_getattr_reaches_only_statistics(either_way, save, owner, name):
    if owner is os:
        owner = Evil(__import__, 'os')
    with pytest.raises(CheckpointError):
        load(save(Evil(getattr, owner, name)))


def test_getattr_of_a_method_of_an_allowed_class(either_way, save):
    assert load(save(Evil(getattr, HistoryBuffer, 'mean'))) is HistoryBuffer.mean


def test_another_class_is_named_and_can_be_allowed(either_way, save, monkeypatch):
    path = save(dict(args=argparse.Namespace(lr=0.1)))
    with pytest.raises(CheckpointError, match=r'x\.pth needs argparse\.Namespace'):
        load(path)
    monkeypatch.setattr(checkpoints, '_user_allowed', {})
    allow_checkpoint_globals([argparse.Namespace])
    assert load(path)['args'].lr == 0.1


def test_allowed_by_the_environment(either_way, save, monkeypatch):
    path = save(dict(f=Fraction(1, 3), args=argparse.Namespace(lr=0.1)))
    with pytest.raises(CheckpointError, match=r'x\.pth needs fractions\.Fraction'):
        load(path)
    monkeypatch.setenv(checkpoints.ENV_ALLOW, 'fractions.Fraction, argparse.Namespace')
    assert load(path)['f'] == Fraction(1, 3)
    monkeypatch.setenv(checkpoints.ENV_ALLOW, 'fractions.Fractoin')
    with pytest.raises(ValueError, match=r"names 'fractions\.Fractoin', which cannot be imported"):
        load(path)


@pytest.mark.parametrize('keep', [0, 100, -30])
def test_truncated(either_way, save, keep):
    path = save(dict(state_dict=dict(weight=torch.zeros(1000))))
    content = Path(path).read_bytes()
    assert checkpoints.is_complete(path)
    Path(path).write_bytes(content[:keep])
    assert not checkpoints.is_complete(path)
    with pytest.raises(CheckpointError, match=r'x\.pth is not a readable checkpoint'):
        load(path)


def test_absent():
    with pytest.raises(FileNotFoundError, match=r'checkpoint no/such\.pth does not exist'):
        load('no/such.pth')


def test_urls_are_restricted_too(either_way, save, tmp_path, monkeypatch):
    source = save(dict(state_dict=dict(weight=torch.ones(2, 2), bias=torch.zeros(2))))

    def download(url, path, progress):
        Path(path).write_bytes(Path(source).read_bytes())

    monkeypatch.setattr(torch.hub, 'download_url_to_file', download)
    monkeypatch.setattr(torch.hub, 'get_dir', lambda: str(tmp_path / 'hub'))
    layer = torch.nn.Linear(2, 2)
    load_checkpoint(layer, 'https://example.com/a.pth?x=1')
    assert torch.equal(layer.weight, torch.ones(2, 2))
    assert (tmp_path / 'hub/checkpoints/a.pth').is_file()
    save(Evil(os.system, 'true'))
    with pytest.raises(CheckpointError, match=r'b\.pth needs'):
        load('https://example.com/b.pth')
