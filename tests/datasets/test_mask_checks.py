import cv2
import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets import mask_checks
from bgaug_mm.datasets.mask_checks import first_names, header_problem, run_threaded


def _save(path, array, **options) -> str:
    Image.fromarray(array).save(path, **options)
    return str(path)


@pytest.fixture
def image(tmp_path) -> str:
    return _save(tmp_path / 'x.jpg', np.zeros((20, 30, 3), np.uint8))


@pytest.mark.parametrize('mode', ['1', 'L', 'P', 'RGB'])
def test_modes_that_may_serve(tmp_path, image: str, mode: str) -> None:
    Image.new(mode, (30, 20)).save(tmp_path / 'm.png')
    assert header_problem((image, str(tmp_path / 'm.png'))) is None


@pytest.mark.parametrize('mode', ['LA', 'RGBA', 'I;16'])
def test_modes_that_cannot_serve(tmp_path, image: str, mode: str) -> None:
    Image.new(mode, (30, 20)).save(tmp_path / 'm.png')
    assert 'must have one channel of 8 bits' in str(
        header_problem((image, str(tmp_path / 'm.png')))
    )


def test_size_and_unreadable_files(tmp_path, image: str) -> None:
    mask = _save(tmp_path / 'm.png', np.zeros((21, 30), np.uint8))
    assert 'it is 30x21 but the image 30x20 (width x height)' in str(header_problem((image, mask)))
    (tmp_path / 'bad.png').write_text('no mask')
    bad = str(header_problem((image, str(tmp_path / 'bad.png'))))
    assert bad.startswith('it cannot be used (cannot identify image file')
    missing = str(header_problem((image, str(tmp_path / 'none.png'))))
    assert missing.startswith('it cannot be used (') and 'No such file' in missing
    assert header_problem((str(tmp_path / 'bad.png'), mask)) is None  # decoding will tell


@pytest.mark.parametrize('orientation', range(1, 9))
def test_orientation_is_what_opencv_makes_of_it(tmp_path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = _save(tmp_path / 'x.jpg', np.zeros((20, 30, 3), np.uint8), exif=exif)
    decoded = cv2.imread(image)
    mask = _save(tmp_path / 'm.png', np.zeros(decoded.shape[:2], np.uint8))
    turned = _save(tmp_path / 't.png', np.zeros(decoded.shape[1::-1], np.uint8))
    assert header_problem((image, mask)) is None
    assert header_problem((image, turned)) is not None


@pytest.mark.parametrize('count', [0, 1, 1025, 2500])
def test_run_threaded_keeps_the_order(count: int, capsys) -> None:
    assert run_threaded(lambda x: x * 2, range(count)) == [x * 2 for x in range(count)]
    assert ('2500/2500' in capsys.readouterr().err) == (count >= mask_checks._PROGRESS_FROM)


def test_run_threaded_raises_what_a_thread_raises() -> None:
    with pytest.raises(ZeroDivisionError):
        run_threaded(lambda x: 1 / x, [1, 0])


def test_first_names() -> None:
    assert first_names([]) == ''
    assert first_names('abc') == 'a, b, c'
    assert first_names(iter('abcd')) == 'a, b, c, …'
