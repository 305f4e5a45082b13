"""Threads, markers' data and paths that every test may use."""

import importlib.util
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

# Before torch and numpy are imported: many threads on few cores make the small
# tensors of the tests slower, and change the order of sums.
for _name in ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS'):
    os.environ.setdefault(_name, '1')

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope='session')
def root() -> Path:
    """The source tree."""
    return ROOT


@pytest.fixture(scope='session')
def cutout8() -> Path:
    """Folder of photographic cut-outs; the test skips where it is absent."""
    places = [ROOT.parent / 'shared/data/cutout8', ROOT / 'shared/data/cutout8']
    if 'CUTOUT8' in os.environ:
        places.insert(0, Path(os.environ['CUTOUT8']))
    for place in places:
        if place.is_dir():
            return place
    pytest.skip(f'no cut-outs at {places[0]} (name the folder with CUTOUT8=)')


@pytest.fixture(autouse=True, scope='session')
def _one_thread() -> None:
    import cv2
    import torch

    cv2.setNumThreads(1)
    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _no_traces() -> Iterator[None]:
    """The default scope and message hub that a test makes (a Runner does) end with it."""
    from mmengine.logging import MessageHub
    from mmengine.registry import DefaultScope

    kept = [(manager, dict(manager._instance_dict)) for manager in (DefaultScope, MessageHub)]
    yield
    for manager, before in kept:
        manager._instance_dict.clear()
        manager._instance_dict.update(before)


@pytest.fixture(scope='session')
def source_copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a build needs of the source tree, so that no build writes into it."""
    copy = tmp_path_factory.mktemp('source')
    ignored = shutil.ignore_patterns('__pycache__', '.mim', '*.egg-info')
    for name in ('bgaug_mm', 'configs', 'tools', 'requirements'):
        shutil.copytree(ROOT / name, copy / name, ignore=ignored)
    for pattern in (
        'setup.py',
        'pyproject.toml',
        'MANIFEST.in',
        'model-index.yml',
        'LICENSE',
        '*.md',
    ):
        for file in ROOT.glob(pattern):
            shutil.copy2(file, copy)
    return copy


def build_wheel(source: Path, folder: Path, *options: str) -> Path:
    """Build a wheel of a source tree or an sdist, by default without isolation."""
    command = [sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--wheel-dir', str(folder)]
    command += [*(options or ['--no-build-isolation']), str(source)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = folder.glob('bgaug_mm-*.whl')
    return wheel


@pytest.fixture(scope='session', name='build_wheel')
def _build_wheel():
    return build_wheel


@pytest.fixture(scope='session')
def wheel(source_copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built once without isolation (hence without the network)."""
    return build_wheel(source_copy, tmp_path_factory.mktemp('wheel'))


@pytest.fixture(scope='session')
def layouts() -> SimpleNamespace:
    """What ``tests/robustness_layouts.py`` defines."""
    return SimpleNamespace(**runpy.run_path(str(ROOT / 'tests/robustness_layouts.py')))


class _Squares:
    """Objects are bright squares in one channel a class, backgrounds shades in noise."""

    classes = ('blue', 'green', 'red')
    backgrounds = ('dark', 'middle', 'light')

    def foreground(self, rng, fold, label):
        colour, mask = np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8)
        top, left = rng.integers(1, 7, 2)
        mask[top : top + 8, left : left + 8] = 255
        colour[..., 2 - label] = rng.integers(200, 256)
        return colour, mask

    def background(self, rng, fold, background):
        return rng.integers(10, 40, (16, 16, 3)).astype(np.uint8) + np.uint8(60 * background)


@pytest.fixture(scope='session')
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of 16 px, 3 classes, with masks, triplets, no_fg and adversarial; read only."""
    from bgaug_mm.datasets.worlds import compose_world, write_world

    out = tmp_path_factory.mktemp('worlds') / 'squares'
    images = compose_world(_Squares(), per_class=12, test_per_class=4, challenge=True)
    write_world(out, images, maker='squares', args={})
    return out


@pytest.fixture
def art(tmp_path, monkeypatch):
    """The Adversarial Robustness Toolbox, whose import makes ~/.art; skips without it."""
    monkeypatch.setenv('HOME', str(tmp_path))
    if importlib.util.find_spec('art') is None:
        pytest.skip('requirements/evaluation.txt: not installed')
    from bgaug_mm.compat import import_adversarial_toolbox

    import_adversarial_toolbox()
