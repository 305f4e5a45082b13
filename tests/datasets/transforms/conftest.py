"""Images for the photometric transforms, and how two results differ."""

import random
from typing import NamedTuple

import numpy as np
import pytest


class Difference(NamedTuple):
    largest: int  #: in grey levels
    share: float  #: of the values that differ
    shift: float  #: mean of ours less theirs, in grey levels


@pytest.fixture(scope='session')
def photos() -> list[np.ndarray]:
    """Squares out of scikit-learn's two photographs, (192, 192, 3) uint8, BGR, read-only."""
    from sklearn.datasets import load_sample_images

    squares = []
    for photo in load_sample_images().images:
        for left in (20, 330):
            square = np.ascontiguousarray(photo[100:292, left : left + 192, ::-1])
            square.flags.writeable = False
            squares.append(square)
    return squares


@pytest.fixture(scope='session')
def noise() -> np.ndarray:
    """All colours alike, (192, 192, 3) uint8, read-only."""
    image = np.random.default_rng(0).integers(0, 256, (192, 192, 3), np.uint8)
    image.flags.writeable = False
    return image


@pytest.fixture(scope='session')
def difference():
    """Of two images: how large, how often, in which direction."""

    def measure(ours: np.ndarray, theirs: np.ndarray) -> Difference:
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == np.uint8
        delta = ours.astype(int) - theirs
        return Difference(int(abs(delta).max()), float((delta != 0).mean()), float(delta.mean()))

    return measure


@pytest.fixture(scope='session')
def seeded():
    """The image a transform makes of another one after the generators are seeded."""

    def run(transform, image: np.ndarray, seed: int) -> np.ndarray:
        random.seed(seed)
        np.random.seed(seed)
        return transform({'img': image})['img']

    return run


@pytest.fixture(scope='session')
def upstream():
    """A photometric transform of upstream by its library and name."""
    import bgaug_mm  # noqa: F401  (makes mmselfsup importable)

    def build(library: str, name: str, **options):
        if library == 'mmselfsup':
            import mmselfsup.datasets.transforms as transforms
        elif library == 'mmcv':
            import mmcv.transforms as transforms
        else:
            import mmpretrain.datasets.transforms as transforms
        return getattr(transforms, name)(**options)

    return build
