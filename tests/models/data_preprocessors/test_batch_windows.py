import numpy as np
import torch

from bgaug_mm.models.data_preprocessors.batch_windows import draw_windows, pixel_windows


def test_draws_lie_in_the_ranges_and_follow_the_seed():
    torch.manual_seed(3)
    windows = draw_windows(2000, (0.25, 0.64), 0.3)
    side, x, y, flip = windows.T
    assert windows.dtype == torch.float64
    assert 0.5 <= side.min() < 0.51 and 0.79 < side.max() <= 0.8
    assert abs((side**2).mean() - 0.445) < 0.01  # the area is uniform
    for position in (x, y):
        assert 0 <= position.min() < 0.01 and 0.99 < position.max() < 1
    assert set(flip.tolist()) == {0, 1} and abs(flip.mean() - 0.3) < 0.03
    torch.manual_seed(3)
    assert torch.equal(draw_windows(2000, (0.25, 0.64), 0.3), windows)


def test_no_and_every_flip():
    assert not draw_windows(50, (0.5, 1), 0.0)[:, 3].any()
    assert draw_windows(50, (0.5, 1), 1.0)[:, 3].all()


def test_places_windows_as_python_rounds():
    rng = np.random.default_rng(1)
    for _ in range(200):
        image_h, image_w, height, width = (int(v) for v in rng.integers(1, 90, 4))
        side, x, y = (float(v) for v in rng.uniform(0.01, 1, 3))
        placed = pixel_windows(
            torch.tensor([[side, x, y, 1.0]], dtype=torch.float64),
            torch.tensor([[image_h, image_w]]),
            height,
            width,
        )
        fit = min(image_h / height, image_w / width) * side
        cut_h = min(max(round(height * fit), 1), image_h)
        cut_w = min(max(round(width * fit), 1), image_w)
        top, left = round(y * (image_h - cut_h)), round(x * (image_w - cut_w))
        assert placed.tolist() == [[top, left, cut_h, cut_w, 1]]
