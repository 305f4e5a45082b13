import numpy as np
import pytest

from bgaug_mm.datasets.backgrounds import RecentBackground
from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM

MASK = np.zeros((32, 32), np.uint8)
MASK[:, 4:12] = 255


def _image(level: int, foreground: int = 255) -> np.ndarray:
    image = np.full((32, 32, 3), level, np.uint8)
    image[MASK > 0] = foreground
    return image


def _levels(source: RecentBackground, idx: int | None, count: int = 60) -> set[int]:
    """All values of the backgrounds that a sample may get."""
    values: set[int] = set()
    for _ in range(count):
        params = source.draw(_image(0), MASK, idx)
        if params is not None:
            values.update(np.unique(source.render(params, 24, 20)).tolist())
    return values


def test_gives_backgrounds_of_other_images_without_their_foreground() -> None:
    source = RecentBackground(every=1)
    assert source.draw(_image(0), MASK, 0) is None
    for idx in range(3):
        source.observe(_image(10 * idx), MASK, idx)
    assert _levels(source, 0) == {10, 20}
    assert _levels(source, 2) == {0, 10}
    assert _levels(source, 9) == {0, 10, 20}
    assert _levels(source, None) == {0, 10, 20}


def test_keeps_the_last_ones() -> None:
    source = RecentBackground(size=3, every=1)
    for idx in range(8):
        source.observe(_image(10 * idx), MASK, idx)
    assert _levels(source, 99) == {50, 60, 70}


def test_keeps_one_of_so_many() -> None:
    source = RecentBackground(every=3)
    for idx in range(8):
        source.observe(_image(10 * idx), MASK, idx)
    assert _levels(source, 99) == {0, 30, 60}


@pytest.mark.parametrize('value', [255, 64])
def test_views_without_room_are_not_kept(value: int) -> None:
    source = RecentBackground(every=1)
    source.observe(_image(10), np.full_like(MASK, value), 0)
    assert source.draw(_image(0), MASK, 1) is None
    source.observe(_image(10, 10), np.zeros_like(MASK), 0)  # no foreground: all background
    assert _levels(source, 1) == {10}


def test_other_ways_to_take_the_foreground_out() -> None:
    image = _image(10)
    image[:, 16:] = 30
    source = RecentBackground(every=1, infill='mean', scale=(1, 1), flip_prob=0.0)
    source.observe(image, MASK, 0)
    picture = source.render(source.draw(image, MASK, 1), 32, 32)
    mean = round((8 * 10 + 16 * 30) / 24)
    assert (picture[:, 4:12] == mean).all() and (picture[:, 16:] == 30).all()


def test_in_words() -> None:
    source = RecentBackground(every=1, scale=(1, 1), flip_prob=1.0)
    source.observe(_image(10), MASK, 17)
    text = source.describe(source.draw(_image(0), MASK, 1))
    assert text.startswith('RecentBackground donor 17, crop 1.00 at (')
    assert text.endswith('), flipped')


def test_keeps_copies() -> None:
    source = RecentBackground(every=1)
    for mask in (MASK, np.zeros_like(MASK)):
        image = _image(10, 10)
        source.observe(image, mask, 0)
        image[:] = 99
    assert _levels(source, 1) == {10}


def test_takes_flipped_read_only_views() -> None:
    image = _image(10)[:, ::-1]
    image.flags.writeable = False
    source = RecentBackground(every=1)
    source.observe(image, MASK[:, ::-1], 0)
    assert _levels(source, 1) == {10}


def test_each_epoch_starts_empty(stream) -> None:
    SAMPLE_STREAM.set(seed=1, epoch=0)
    source = RecentBackground(every=2)
    source.observe(_image(10), MASK, 0)
    assert source.draw(_image(0), MASK, 1) is not None
    SAMPLE_STREAM.set(seed=1, epoch=1)
    assert source.draw(_image(0), MASK, 1) is None
    source.observe(_image(20), MASK, 0)  # the first one of an epoch is kept again
    assert _levels(source, 1) == {20}


def test_a_resumed_epoch_equals_an_uninterrupted_one(stream) -> None:
    def epoch(source: RecentBackground, number: int) -> list:
        SAMPLE_STREAM.set(seed=1, epoch=number)
        drawn = []
        for idx in range(20):
            np.random.seed(100 * number + idx)
            params = source.draw(_image(idx), MASK, idx)
            drawn.append(params and (params[0].sample_idx, params[1]))
            source.observe(_image(idx), MASK, idx)
        return drawn

    running = RecentBackground(size=4, every=3)
    first, second = epoch(running, 0), epoch(running, 1)
    assert epoch(RecentBackground(size=4, every=3), 1) == second
    assert first != second


def test_own_crop_and_flip_come_from_the_generator() -> None:
    source = RecentBackground(every=1)
    source.observe(np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8), MASK, 0)
    pictures = []
    for seed in (0, 0, 1):
        np.random.seed(seed)
        pictures.append(source.render(source.draw(_image(0), MASK, 1), 32, 32))
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert (pictures[0] != pictures[2]).any()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(size=0), '`size` must be at least 1, but got 0'),
        (dict(every=0), '`every` must be at least 1, but got 0'),
        (dict(infill='x'), "`infill` must be one of .* but got 'x'"),
        (dict(threshold=0), r'`threshold` must be in \[1, 255\], but got 0'),
        (dict(min_strip=2), r'`min_strip` must be in \[0, 1\], but got 2'),
        (dict(scale=(0, 1)), '`scale` must be'),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RecentBackground(**options)
