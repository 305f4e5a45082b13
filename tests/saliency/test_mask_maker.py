"""Batches of images into mask files."""

import errno
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bgaug_mm.registry import SALIENCY_ESTIMATORS
from bgaug_mm.saliency import SaliencyEstimator, mask_maker
from bgaug_mm.saliency.mask_maker import MaskMaker, Outcome, Task, to_mask
from bgaug_mm.saliency.worker_pool import WorkError


class Red(SaliencyEstimator):
    """Red is salient; blue makes it fail, green is not finite."""

    batches: list[int] = []

    def estimate_batch(self, images):
        self.batches.append(len(images))
        return super().estimate_batch(images)

    def estimate(self, image):
        if (image[..., 2] == 255).all():
            raise RuntimeError('no blue')
        if (image[..., 1] == 255).all():
            return np.full(image.shape[:2], np.nan)
        if (image == 7).all():
            raise RuntimeError('CUDA out of memory')
        return image[..., 0] / 255


@pytest.fixture(autouse=True)
def red(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SALIENCY_ESTIMATORS._module_dict, 'red', Red)
    monkeypatch.setattr(Red, 'batches', [])


@pytest.fixture
def task(tmp_path: Path):
    def make(name: str, colour, wanted: bool = True) -> Task:
        path = tmp_path / f'{name}.png'
        if colour is not None:
            Image.new('RGB', (6, 4), colour).save(path)
        return Task(name, str(path), str(tmp_path / f'masks/{name}.png') if wanted else None)

    return make


def test_masks_and_outcomes(task, tmp_path: Path) -> None:
    batch = [
        task('a', (255, 0, 0)), task('none', None), task('b', (51, 0, 0)),
        task('there', (255, 0, 0), wanted=False), task('none there', None, wanted=False),
    ]  # fmt: skip
    outcomes = MaskMaker({'type': 'red'})(batch)
    assert sorted(outcomes) == [
        Outcome('a', 1.0), Outcome('b', 0.2), Outcome('none', None, 'it does not exist')
    ]  # fmt: skip
    assert Red.batches == [3]  # all that can be read, so that a batch is always the same
    masks = {path.name: cv2.imread(str(path), -1) for path in (tmp_path / 'masks').iterdir()}
    assert sorted(masks) == ['a.png', 'b.png']
    np.testing.assert_array_equal(masks['b.png'], np.full((4, 6), 51, np.uint8))


def test_an_image_that_fails_does_not_take_the_others_along(task) -> None:
    batch = [task('a', (255, 0, 0)), task('blue', (0, 0, 255)), task('b', 'black')]
    assert MaskMaker({'type': 'red'})(batch) == [
        Outcome('a', 1.0),
        Outcome('blue', None, 'Red: RuntimeError: no blue', estimating=True),
        Outcome('b', 0.0),
    ]
    assert MaskMaker({'type': 'red'})([task('green', (0, 255, 0))]) == [
        Outcome('green', None, 'Red: its saliency is not finite', estimating=True)
    ]


def test_what_ends_the_run(task, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = MaskMaker({'type': 'red'})
    with pytest.raises(WorkError, match=r'memory ran out in a batch of 1 .*smaller batches'):
        maker([task('a', (7, 7, 7))])

    def full(path, mask):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(mask_maker, 'write_mask', full)
    with pytest.raises(WorkError, match='masks/a.png. cannot be written: No space left.*Free'):
        maker([task('a', 'red')])


def test_a_name_that_is_too_long_is_the_images_fault(task, tmp_path) -> None:
    long = task('a', 'red')._replace(mask=str(tmp_path / f'{"x" * 300}.png'))
    (outcome,) = MaskMaker({'type': 'red'})([long])
    assert outcome.reason == 'its mask cannot be written: File name too long'


def test_to_mask() -> None:
    saliency = np.array([[0, 0.5, 1], [0.25, 0.4999, 0.002]], np.float32)
    assert to_mask(saliency, None).tolist() == [[0, 128, 255], [64, 127, 1]]
    assert to_mask(saliency, 0.5).tolist() == [[0, 255, 255], [0, 0, 0]]
    # a largest value of 1 would be taken for a mask that was not scaled to 255
    assert to_mask(np.full((2, 2), 0.005, np.float32), None).max() == 0
