"""Threads, markers' data and paths that every test may use."""

import os
from pathlib import Path

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
