import sys

import numpy as np
import pytest
from sklearn.datasets import load_digits

from bgaug_mm.datasets.worlds import Digits, Photos, read_rgb
from bgaug_mm.datasets.worlds.digits import PHOTOS, wheel_file


def test_folds_share_neither_digits_nor_pixels_of_photos():
    source, photos = Digits(size=48, seed=5), Photos(size=48)
    data = load_digits()
    for digit in range(10):
        train, test = source.images['train'][digit], source.images['test'][digit]
        total = (data.target == digit).sum()
        assert len(train) + len(test) == total
        assert len(train) == round(0.65 * total)
        copies = {a.tobytes() for a in train} & {b.tobytes() for b in test}
        duplicates = len(data.images) - len({image.tobytes() for image in data.images})
        assert len(copies) <= duplicates
    for name, train, test in zip(
        photos.classes, photos.parts['train'], photos.parts['test'], strict=True
    ):
        package, relative = PHOTOS[name]
        photo = read_rgb(wheel_file(package, relative))
        assert (np.concatenate([train, test], axis=1) == photo).all()
        assert abs(train.shape[1] / photo.shape[1] - 0.62) < 0.01


def test_nothing_is_downloaded():
    for package, relative in PHOTOS.values():
        assert wheel_file(package, relative).is_file()


def test_missing_package_or_file_names_the_remedy(monkeypatch):
    with pytest.raises(FileNotFoundError, match='scikit-image has no data/none.png'):
        wheel_file('skimage', 'data/none.png')
    monkeypatch.setitem(sys.modules, 'skimage', None)
    monkeypatch.setattr('importlib.util.find_spec', lambda name: None)
    with pytest.raises(FileNotFoundError, match='pip install scikit-image'):
        wheel_file('skimage', 'data/brick.png')
