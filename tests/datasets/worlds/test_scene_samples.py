from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets.worlds.scene_samples import annotated_picture, samples_sheet
from bgaug_mm.datasets.worlds.scenes import Scene, SceneObject

BLUE, ORANGE = (0, 114, 178), (230, 159, 0)


@pytest.fixture
def scene():
    mask = np.zeros((32, 32), bool)
    mask[8:24, 12:28] = True
    image = np.full((32, 32, 3), 9, np.uint8)
    image.setflags(write=False)
    return Scene(image, [SceneObject(1, mask, 0.4)], 0)


def test_box_and_outline_are_where_the_object_is(scene):
    picture = annotated_picture(scene, ['cat', 'dog'], side=128)
    assert picture.shape == (128, 128, 3)
    drawn = (picture == ORANGE).all(-1)
    assert drawn[4 * 24 - 1, 4 * 12 : 4 * 28].all()  # the lower edge
    assert drawn[4 * 8 : 4 * 24, [4 * 12, 4 * 28 - 1]].all()
    rows, columns = np.nonzero(drawn[40:])
    # the outline is two pixels wide
    assert columns.min() >= 4 * 12 - 1 and columns.max() <= 4 * 28
    assert rows.max() + 40 <= 4 * 24
    assert (picture[64, 80] == 9).all()
    assert (picture[110:] == 9).all()
    assert not (picture == BLUE).all(-1).any()


def test_a_scene_without_objects_is_only_enlarged(scene):
    picture = annotated_picture(Scene(scene.image, [], 0), [], side=64)
    assert (picture == 9).all()


def test_sheet(scene):
    sheet = Image.open(BytesIO(samples_sheet([('train', [scene] * 3), ('val', [scene])], 'ab')))
    assert sheet.width > 3 * 224 and sheet.height > 2 * 224
