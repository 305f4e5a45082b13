import cv2
import numpy as np
import pytest
from PIL import Image

from bgaug_mm.evaluation.robustness.image_batches import centre_view, image_batches


@pytest.mark.parametrize(
    'shape', [(300, 400), (400, 300), (256, 256), (100, 700), (374, 500), (498, 500)]
)
def test_centre_view_is_torchvisions(shape):
    transforms = pytest.importorskip('torchvision.transforms')
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*shape, 3), np.uint8)
    reference = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224)])
    np.testing.assert_array_equal(centre_view(image), np.asarray(reference(Image.fromarray(image))))


def test_cropped_images_are_shown_as_they_are():
    image = np.random.default_rng(0).integers(0, 256, (24, 24, 3), np.uint8)
    assert centre_view(image, short=None, crop=24) is not None
    np.testing.assert_array_equal(centre_view(image, short=None, crop=24), image)
    assert centre_view(image, short=None, crop=12).shape == (12, 12, 3)


def test_a_border_is_taken_away_first():
    image = np.full((20, 30, 3), 255, np.uint8)
    image[2:-2, 2:-2] = 0
    assert centre_view(image, short=16, crop=16, border=2).max() == 0
    assert centre_view(image, short=16, crop=16, border=1).max() > 0


@pytest.mark.parametrize('workers', [0, 1])
def test_batches_in_order_with_what_cannot_be_read(tmp_path, workers):
    files = []
    for i in range(5):
        files.append(str(tmp_path / f'{i}.png'))
        cv2.imwrite(files[-1], np.full((9, 8, 3), (i, 50, 200), np.uint8))
    (tmp_path / '3.png').write_bytes(b'no image')
    files.append(str(tmp_path / 'nowhere.png'))
    batches = list(image_batches(files, short=8, crop=8, batch_size=2, workers=workers))
    assert [batch.indices for batch in batches] == [[0, 1], [2], [4]]
    for batch in batches:
        assert batch.images.shape == (len(batch.indices), 3, 8, 8)
        for index, image in zip(batch.indices, batch.images, strict=True):
            assert image.unique().tolist() == sorted({index, 50, 200})  # blue first
            assert image[0].unique().tolist() == [index]
    problems = {i: text for batch in batches for i, text in batch.unreadable.items()}
    assert problems.keys() == {3, 5}
    assert '3.png' in problems[3] and 'does not exist' in problems[5]


def test_an_image_that_is_all_border(tmp_path):
    cv2.imwrite(str(tmp_path / 'x.png'), np.zeros((4, 9, 3), np.uint8))
    (batch,) = image_batches([str(tmp_path / 'x.png')], short=8, crop=8, border=2)
    assert not batch.indices and 'nothing is left within 2 px' in batch.unreadable[0]
