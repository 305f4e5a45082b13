import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def world(tmp_path):
    """Ten images of a bright square on black, and their true masks."""
    for i in range(10):
        mask = np.zeros((24, 32), np.uint8)
        mask[6:18, 4 + i : 18 + i] = 255
        for part, pixels in (('set', np.dstack([mask] * 3)), ('set_masks', mask)):
            path = tmp_path / part / f'{i % 2} ü' / f'{i}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return tmp_path
