from io import BytesIO

import numpy as np
from PIL import Image

from bgaug_mm.datasets.worlds import CHALLENGE_SETS, SETS, ComposedImage, Triplet, WorldFile
from bgaug_mm.datasets.worlds.samples import with_samples


def items(classes):
    """Images whose grey level tells class and set."""
    names = (*SETS, CHALLENGE_SETS[0], 'adversarial', 'other_fg')
    for label in range(classes):
        for index in range(2):
            for number, name in enumerate(names):
                ends = [f'__{kind}' for kind in ('sand', 'wood')] if name == 'adversarial' else ['']
                for end in ends:
                    grey = 255 if index or name == 'other_fg' else 10 * label + number
                    image = np.full((8, 8, 3), grey, np.uint8)
                    path = f'{label}/{index:05d}{end}.png'
                    yield ComposedImage(name, path, image, image[..., 0], end[2:] or 'sand')
        yield Triplet('a', 'b', 'c')


def test_the_items_pass_and_a_picture_of_the_first_objects_follows():
    plain = list(items(3))
    *passed, picture = with_samples(plain)
    assert all(one is other for one, other in zip(passed, plain, strict=True))
    assert isinstance(picture, WorldFile)
    assert picture.path == 'samples.png'
    sheet = np.asarray(Image.open(BytesIO(picture.content)))
    columns = 1 + len(SETS) + 1 + 2
    assert sheet.shape[1] == columns * (96 + 6) + 6
    grey = sheet[(sheet == sheet[..., :1]).all(2)]
    greys = {*np.flatnonzero(np.bincount(grey[:, 0], minlength=256) >= 96 * 96)} - {255}
    assert greys == {10 * label + number for label in range(3) for number in range(9)}


def test_at_most_ten_classes_are_shown():
    heights = []
    for classes in (9, 10, 12):
        *_, picture = with_samples(items(classes))
        heights.append(Image.open(BytesIO(picture.content)).height)
    assert heights[0] < heights[1] == heights[2]


def test_nothing_composed_gives_no_picture():
    triplets = [Triplet('a', 'b', 'c')]
    assert list(with_samples(triplets)) == triplets
