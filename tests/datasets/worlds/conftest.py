import numpy as np
import pytest
from PIL import Image

#: What the images of the fixture `photos` show, by number; six are good objects.
KINDS = ('good', 'good', 'good', 'small', 'border', 'good', 'large', 'no mask', 'good', 'good')


@pytest.fixture
def photos(tmp_path):
    """``photos/<class>/<number>.png`` with masks beside: a square of 60 on a plain ground.

    The ground's colour names the file: (200 or 100 by class, number, 7).
    """
    for label, name in enumerate(('cat', 'dog')):
        for number, kind in enumerate(KINDS):
            image = np.full((40, 50, 3), (200 - 100 * label, number, 7), np.uint8)
            mask = np.zeros((40, 50), np.uint8)
            box = {
                'small': np.s_[4:8, 4:8],
                'border': np.s_[4:20, 0:20],
                'large': np.s_[1:-1, 1:-1],
            }.get(kind, np.s_[4:20, 4:24])
            mask[box] = 255
            image[box] = 60
            for folder, pixels in (('photos', image), ('photos_masks', mask)):
                if folder == 'photos' or kind != 'no mask':
                    path = tmp_path / folder / name / f'{number}.png'
                    path.parent.mkdir(parents=True, exist_ok=True)
                    Image.fromarray(pixels).save(path)
    return tmp_path / 'photos'


@pytest.fixture
def material(tmp_path):
    """Two classes of round cut-outs and two of plain textures, 8 files each."""
    root = tmp_path / 'material'
    y, x = np.mgrid[:20, :30]
    alpha = np.where((y - 10) ** 2 + (x - 15) ** 2 < 64, 255, 0).astype(np.uint8)
    for label in (0, 1):
        for kind, name in (('cutouts', 'ab'[label]), ('textures', 'yz'[label])):
            (root / kind / name).mkdir(parents=True)
            for i in range(8):
                grey = np.full((20, 30, 3), 100 * label + i, np.uint8)
                pixels = np.dstack([grey, alpha]) if kind == 'cutouts' else grey
                Image.fromarray(pixels).save(root / kind / name / f'{i}.png')
    return root


class _Blocks:
    """Objects are rectangles, 30 high and 20 wide, in a colour of their class and their own.

    Green tells the class (10 × label), red and blue the object; backgrounds are 200 or more
    of green and count upwards.
    """

    classes = ('a', 'b', 'c')
    backgrounds = ('x', 'y')

    def foreground(self, rng, fold, label):
        colour = np.full((64, 64, 3), 10 * label, np.uint8)
        colour[..., 0], colour[..., 2] = rng.integers(256, size=2)
        mask = np.zeros((64, 64), np.uint8)
        top, left = rng.integers(0, 34), rng.integers(0, 44)
        mask[top : top + 30, left : left + 20] = 255
        return colour, mask

    def background(self, rng, fold, background):
        return np.full((64, 64, 3), 200 + 10 * background + (fold == 'test'), np.uint8)


@pytest.fixture
def blocks():
    """A source of 64 px whose images tell which pixel is what."""
    return _Blocks()
