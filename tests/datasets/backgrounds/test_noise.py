import numpy as np

from bgaug_mm.datasets.backgrounds import NoiseBackground

IMAGE, MASK = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)


def test_is_uniform_and_differs_from_pixel_to_pixel() -> None:
    np.random.seed(0)
    source = NoiseBackground()
    image = source.render(source.draw(IMAGE, MASK, None), 100, 100)
    assert image.shape == (100, 100, 3) and image.dtype == np.uint8
    counts = np.bincount(image.ravel(), minlength=256)
    assert counts.min() > 60 and counts.max() < 180  # 117 expected, 5 sigma
    assert abs(np.corrcoef(image[..., 0].ravel(), image[..., 1].ravel())[0, 1]) < 0.05


def test_repeats_with_the_seed_and_else_differs() -> None:
    source = NoiseBackground()
    np.random.seed(0)
    params = [source.draw(IMAGE, MASK, None) for _ in range(2)]
    np.random.seed(0)
    assert source.draw(IMAGE, MASK, None) == params[0]
    first, again, second = (source.render(p, 8, 8) for p in (params[0], params[0], params[1]))
    np.testing.assert_array_equal(first, again)
    assert (first != second).mean() > 0.9
