"""A small folder of images with masks."""

from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM


@pytest.fixture
def image_tree(tmp_path: Path) -> Callable[..., Path]:
    """Makes ``root/train/<class>/<i>.png`` (20 high, 30 wide) and ``root/train_masks/…``.

    The foreground of image i is a block of (i + 1) · 2 columns, over all rows.
    """

    def make(root: str = 'data', classes: str = 'ab', count: int = 3) -> Path:
        rng = np.random.default_rng(0)
        for name in classes:
            for i in range(count):
                image = rng.integers(0, 256, (20, 30, 3), np.uint8)
                mask = np.zeros((20, 30), np.uint8)
                mask[:, : 2 * (i + 1)] = 255
                for folder, array in (('train', image), ('train_masks', mask)):
                    path = tmp_path / root / folder / name / f'{i}.png'
                    path.parent.mkdir(parents=True, exist_ok=True)
                    cv2.imwrite(str(path), array)
        return tmp_path / root

    return make


@pytest.fixture
def stream() -> Iterator[None]:
    """Puts the sample stream back to "nobody drives it"."""
    yield
    SAMPLE_STREAM.set(seed=-1, epoch=0)
