import cv2
import numpy as np
import pytest

from bgaug_mm.datasets.backgrounds import FolderBackground, folder
from bgaug_mm.datasets.transforms import BackgroundSwap

IMAGE, MASK = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)


@pytest.fixture
def textures(tmp_path):
    for i, name in enumerate(['b/z.png', 'a.PNG', 'b/c/y.png']):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path.with_suffix('.png')), np.full((9, 9, 3), 10 * (i + 1), np.uint8))
        if path.suffix != '.png':
            path.with_suffix('.png').rename(path)
    (tmp_path / 'notes.txt').write_text('not an image')
    return tmp_path


def _level(source: FolderBackground) -> int:
    image = source.render(source.draw(IMAGE, MASK, 0), 4, 6)
    assert image.shape == (4, 6, 3) and image.dtype == np.uint8 and len(np.unique(image)) == 1
    return int(image[0, 0, 0])


def test_takes_all_images_below_in_sorted_order(textures) -> None:
    source = FolderBackground(str(textures))
    assert source.files == [str(textures / name) for name in ('a.PNG', 'b/c/y.png', 'b/z.png')]
    np.random.seed(0)
    levels = [_level(source) for _ in range(300)]
    for level in (10, 20, 30):
        assert 70 < levels.count(level) < 130


def test_in_words(textures) -> None:
    source = FolderBackground(str(textures), scale=(1, 1), flip_prob=0.0)
    text = source.describe(source.draw(IMAGE, MASK, 0))
    assert text.startswith('FolderBackground ') and '.p' in text.lower()
    assert ', crop 1.00 at (' in text and str(textures) not in text


def test_a_broken_file_is_logged_once_and_the_next_is_taken(textures, monkeypatch) -> None:
    messages = []
    monkeypatch.setattr(folder, 'print_log', lambda text, **options: messages.append(text))
    (textures / 'a.PNG').write_text('broken')
    (textures / 'b/c/y.png').write_bytes(b'')
    source = FolderBackground(str(textures))
    assert {_level(source) for _ in range(30)} == {10}
    assert len(messages) == 2 and 'a.PNG' in messages[0] + messages[1]


def test_nothing_can_be_read_from_the_start(textures) -> None:
    for path in textures.rglob('*.[pP]*'):
        path.write_text('broken')
    with pytest.raises(ValueError, match=f"none of the 3 images in '{textures}' can be read"):
        FolderBackground(str(textures))


def test_nothing_can_be_read_any_longer(textures) -> None:
    """A file server that goes away does not stop a run: the views stay as they are."""
    op = BackgroundSwap(prob=1.0, background=FolderBackground(str(textures)))
    for path in textures.rglob('*.[pP]*'):
        path.write_text('broken')
    mask = MASK.copy()
    mask[1:3] = 255
    for _ in range(2):
        results = op.transform(dict(img=IMAGE, gt_seg_map=mask))
        assert results['img'] is IMAGE and results['background_op'] is None


def test_missing_and_empty_folder(tmp_path) -> None:
    with pytest.raises(ValueError, match="there is no folder '.*nowhere'"):
        FolderBackground(str(tmp_path / 'nowhere'))
    with pytest.raises(ValueError, match=f"'{tmp_path}' holds no file that ends in .jpg"):
        FolderBackground(str(tmp_path))


def test_cutout8_textures(cutout8) -> None:
    source = FolderBackground(str(cutout8 / 'textures'))
    assert len(source.files) == 235
    np.random.seed(0)
    assert source.render(source.draw(IMAGE, MASK, 0), 32, 48).shape == (32, 48, 3)
