import numpy as np
import pytest

from bgaug_mm.datasets.transforms import RandomGrayscale

LUMA = (0.114, 0.587, 0.2989)


@pytest.mark.parametrize('keep_channels', [True, False])
def test_the_same_seed_gives_mmcvs_image(photos, upstream, seeded, difference, keep_channels):
    options = dict(prob=0.5, keep_channels=keep_channels, channel_weights=LUMA)
    ours, theirs = RandomGrayscale(**options), upstream('mmcv', 'RandomGrayscale', **options)
    grey = 0
    for seed in range(20):
        image = photos[seed % 4]
        result = seeded(ours, image, seed)
        diff = difference(result, seeded(theirs, image, seed))
        assert diff.largest <= 1 and diff.share <= 0.005
        grey += result is not image
    assert 4 < grey < 16


def test_all_channels_are_alike_and_by_hand() -> None:
    image = np.array([[[30, 60, 92], [8, 8, 8]]], np.uint8)
    grey = RandomGrayscale(prob=1.0, keep_channels=True)({'img': image})['img']
    assert grey.tolist() == [[[60] * 3, [8] * 3]]  # 182 / 3 = 60.67, truncated
    red = RandomGrayscale(prob=1.0, channel_weights=(0, 0, 5))({'img': image})['img']
    assert red.tolist() == [[92, 8]]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(prob=1.5), r'`prob` must be in \[0, 1\], but got 1.5'),
        (dict(channel_weights=(1, 1)), '`channel_weights` must be three numbers'),
        (dict(channel_weights=(0, 0, 0)), '`channel_weights` must be three numbers'),
        (dict(channel_weights=(1, -1, 1)), r'but got \(1, -1, 1\)'),
        (dict(color_format='hsv'), "`color_format` must be 'bgr' or 'rgb', but got 'hsv'"),
    ],
)
def test_bad_arguments(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        RandomGrayscale(**options)
