"""Images are read as mmcv's LoadImageFromFile reads them; broken files say why."""

import io
from pathlib import Path

import numpy as np
import pytest
from mmcv.transforms import LoadImageFromFile
from PIL import Image

from bgaug_mm.saliency import reading
from bgaug_mm.saliency.reading import ImageError, read_image

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (20, 30), np.uint8)
RGB = np.stack([GREY, 255 - GREY, np.roll(GREY, 3)], -1)
ALPHA = np.dstack([RGB, np.where(GREY > 128, 255, 0).astype(np.uint8)])


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def rotated() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn clockwise
    return encoded(Image.fromarray(RGB), 'JPEG', exif=exif)


FILES = {
    'rgb.png': encoded(Image.fromarray(RGB), 'PNG'),
    'grey.png': encoded(Image.fromarray(GREY), 'PNG'),
    'grey.jpg': encoded(Image.fromarray(GREY), 'JPEG'),
    'bits16.png': encoded(Image.fromarray(GREY.astype(np.uint16) * 257), 'PNG'),
    'bit1.png': encoded(Image.fromarray(GREY > 128), 'PNG'),
    'palette.png': encoded(Image.fromarray(RGB).quantize(16), 'PNG'),
    'alpha.png': encoded(Image.fromarray(ALPHA), 'PNG'),
    'grey_alpha.png': encoded(Image.fromarray(ALPHA[..., [0, 3]], 'LA'), 'PNG'),
    'cmyk.jpg': encoded(Image.fromarray(RGB).convert('CMYK'), 'JPEG'),
    'rotated.jpg': rotated(),
    'image.webp': encoded(Image.fromarray(RGB), 'WEBP', lossless=True),
    'image.bmp': encoded(Image.fromarray(RGB), 'BMP'),
    'one_pixel.png': encoded(Image.fromarray(RGB[:1, :1]), 'PNG'),
    'long.png': encoded(Image.new('RGB', (20000, 10), 'red'), 'PNG'),
    'sömé näme.png': encoded(Image.fromarray(RGB), 'PNG'),
}


@pytest.mark.parametrize('name', FILES)
def test_equals_what_training_loads(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(FILES[name])
    image = read_image(str(path))
    assert image.dtype == np.uint8 and image.flags.c_contiguous
    trained_on = LoadImageFromFile()({'img_path': str(path)})['img']
    np.testing.assert_array_equal(image, trained_on[..., ::-1])


def test_values(tmp_path: Path) -> None:
    def read(name: str):
        (tmp_path / name).write_bytes(FILES[name])
        return read_image(str(tmp_path / name))

    np.testing.assert_array_equal(read('rgb.png'), RGB)
    np.testing.assert_array_equal(read('alpha.png'), RGB)  # dropped, not composited
    grey = np.repeat(GREY[..., None], 3, -1)
    np.testing.assert_array_equal(read('grey.png'), grey)
    np.testing.assert_array_equal(read('bits16.png'), grey)
    assert read('rotated.jpg').shape == (30, 20, 3)
    assert read('long.png').shape == (10, 20000, 3)
    assert abs(read('cmyk.jpg').astype(int) - RGB).mean() < 60  # not inverted


@pytest.mark.parametrize(
    'data, reason',
    [
        (b'', 'the file is empty'),
        (b'no image', 'it is no image'),
        (FILES['rotated.jpg'][:-200], 'truncated'),
        (FILES['rgb.png'][:-200], 'truncated'),
        (FILES['rgb.png'][:10], 'it is no image, or the beginning of one'),
        (FILES['image.bmp'][:-200], 'truncated'),
    ],
)
def test_broken(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / 'x.png'
    path.write_bytes(data)
    with pytest.raises(ImageError, match=reason) as first:
        read_image(str(path))
    with pytest.raises(ImageError) as second:
        read_image(str(path))
    assert str(path) in str(first.value)
    assert first.value.reason == second.value.reason  # the failures file must not change


PREVIEW = b'\xff\xe2' + (2 + len(FILES['grey.jpg'])).to_bytes(2, 'big') + FILES['grey.jpg']


@pytest.mark.parametrize('preview', [b'', PREVIEW])  # with an end of its own, in a segment
@pytest.mark.parametrize('progressive', [False, True])
def test_cut_jpegs(
    tmp_path: Path, preview: bytes, progressive: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refused wherever they end, whatever OpenCV (4.8 makes the rest grey) says."""
    whole = encoded(Image.fromarray(np.tile(RGB, (4, 4, 1))), 'JPEG', progressive=progressive)
    whole = whole[:2] + preview + whole[2:]
    start = whole.find(b'\xff\xda', len(preview) + 2)
    path = tmp_path / 'x.jpg'
    path.write_bytes(whole + b'\xff\xdabehind the end')  # as cameras add videos
    assert read_image(str(path)).shape == (80, 120, 3)
    monkeypatch.setattr(reading.mmcv, 'imfrombytes', lambda data, **_: RGB)
    for end in (start + 2, (start + len(whole)) // 2, len(whole) - 2, len(whole) - 1):
        for tail in (b'', bytes(len(whole) - end)):  # or zeros, for blocks that were never written
            path.write_bytes(whole[:end] + tail)
            with pytest.raises(ImageError, match='the JPEG is truncated, its end marker'):
                read_image(str(path))


def test_missing_and_unreadable(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match='it does not exist'):
        read_image(str(tmp_path / 'none.png'))
    with pytest.raises(ImageError, match='it cannot be read'):
        read_image(str(tmp_path))


def test_what_only_pillow_decodes(tmp_path: Path) -> None:
    path = tmp_path / 'x.tga'
    path.write_bytes(encoded(Image.fromarray(RGB), 'TGA'))
    with pytest.raises(ImageError, match='OpenCV cannot decode this TGA file'):
        read_image(str(path))
