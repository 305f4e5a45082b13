import numpy as np
import pytest
from scipy.stats import ks_2samp

from bgaug_mm.datasets.transforms import ColorJitter

BYOL = dict(brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1)
SIMCLR = dict(brightness=0.8, contrast=0.8, saturation=0.8, hue=0.2)
pytestmark = pytest.mark.filterwarnings('ignore')  # Pillow's, inside mmcv


@pytest.mark.parametrize('library', ['mmselfsup', 'mmpretrain'])
@pytest.mark.parametrize('options', [BYOL, SIMCLR, dict(hue=(0.1, 0.3)), dict(contrast=(1.2, 1.2))])
def test_the_same_seed_gives_upstreams_image(
    library, options, photos, noise, upstream, seeded, difference
) -> None:
    """Same order, same factors (any other gives another image), pixels within rounding."""
    ours, theirs = ColorJitter(**options), upstream(library, 'ColorJitter', **options)
    for seed in range(12):
        image = (*photos, noise)[seed % 5]
        diff = difference(seeded(ours, image, seed), seeded(theirs, image, seed))
        # what one operation rounds, the next ones may multiply by 1.8 each
        assert diff.largest <= 24 and diff.share <= 0.02 and abs(diff.shift) < 0.1, (seed, diff)


def test_draws_what_mmselfsup_draws(upstream) -> None:
    ours, theirs = ColorJitter(**SIMCLR), upstream('mmselfsup', 'ColorJitter', **SIMCLR)
    for seed in range(20):
        np.random.seed(seed)
        drawn = ours.draw()
        np.random.seed(seed)
        *factors, order = theirs.get_params(
            theirs.brightness, theirs.contrast, theirs.saturation, theirs.hue
        )
        assert drawn.order == tuple(order) and list(drawn.factors) == factors


def test_images_are_distributed_as_upstreams(photos, upstream) -> None:
    """Means and deviations of the channels over independent draws of the two."""
    image = np.ascontiguousarray(photos[0][::3, ::3])

    def statistics(transform, seed: int) -> np.ndarray:
        np.random.seed(seed)
        images = np.stack([transform({'img': image})['img'] for _ in range(400)]).astype(float)
        return np.concatenate([images.mean(axis=(1, 2)), images.std(axis=(1, 2))], axis=1)

    ours = statistics(ColorJitter(**BYOL), 1)
    theirs = statistics(upstream('mmselfsup', 'ColorJitter', **BYOL), 2)
    error = np.sqrt((ours.var(axis=0) + theirs.var(axis=0)) / len(ours))
    assert (abs(ours.mean(axis=0) - theirs.mean(axis=0)) < 3.5 * error).all()
    for column in range(6):
        assert ks_2samp(ours[:, column], theirs[:, column]).pvalue > 1e-3
    # the test has the power to see a tenth less of contrast
    weaker = statistics(ColorJitter(**{**BYOL, 'brightness': 0.3}), 3)
    assert min(ks_2samp(weaker[:, i], theirs[:, i]).pvalue for i in range(6)) < 1e-3


def test_ranges() -> None:
    jitter = ColorJitter(brightness=1.5, contrast=(0.5, 0.7), hue=0.1)
    assert jitter.brightness == (0, 2.5)  # not below 0
    assert jitter.contrast == (0.5, 0.7) and jitter.saturation is None
    assert jitter.hue == (-0.1, 0.1)
    assert ColorJitter(brightness=(1, 1), hue=0.0).draw().factors == (None,) * 4


def test_the_order_decides() -> None:
    image = np.array([[[10, 60, 250], [0, 0, 0]]], np.uint8)
    jitter = ColorJitter()
    one = jitter.apply(
        image, jitter.draw()._replace(order=(0, 1, 2, 3), factors=(2, 0.5, None, None))
    )
    two = jitter.apply(
        image, jitter.draw()._replace(order=(1, 0, 2, 3), factors=(2, 0.5, None, None))
    )
    assert (one != two).any()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(brightness=-0.1), '`brightness` must be a number from 0 on .* but got -0.1'),
        (dict(contrast=(0.9, 0.5)), r'`contrast` .* but got \(0.9, 0.5\)'),
        (dict(saturation=(0.5, 1, 2)), '`saturation` must be'),
        (dict(hue=0.6), r'`hue` .* factors in \[-0.5, 0.5\], but got 0.6'),
        (dict(hue=(-0.6, 0)), '`hue` must be'),
        (dict(backend='cv2'), "`backend` must be 'pillow', but got 'cv2'"),
    ],
)
def test_bad_arguments(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        ColorJitter(**options)
