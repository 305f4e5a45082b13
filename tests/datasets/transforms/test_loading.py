import logging

import cv2
import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets.mask_codec import decode_mask
from bgaug_mm.datasets.transforms import LoadSaliencyMask

MASK = np.arange(20 * 30, dtype=np.uint8).reshape(20, 30)


def _results(path, **more) -> dict:
    img = np.zeros((20, 30, 3), np.uint8)
    return dict(img=img, img_path='x.jpg', saliency_mask_path=path and str(path), **more)


def test_reads_a_soft_mask(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / 'm.png'), MASK)
    results = LoadSaliencyMask()(_results(tmp_path / 'm.png'))
    np.testing.assert_array_equal(results['gt_seg_map'], MASK)
    assert results['gt_seg_map'].dtype == np.uint8


def test_a_one_bit_mask_becomes_0_and_255(tmp_path) -> None:
    Image.fromarray(MASK > 99).convert('1').save(tmp_path / 'm.png')
    assert Image.open(tmp_path / 'm.png').mode == '1'
    results = LoadSaliencyMask()(_results(tmp_path / 'm.png'))
    np.testing.assert_array_equal(results['gt_seg_map'], np.where(MASK > 99, 255, 0))


def test_three_equal_channels_are_one(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / 'm.png'), np.stack([MASK] * 3, -1))
    results = LoadSaliencyMask()(_results(tmp_path / 'm.png'))
    np.testing.assert_array_equal(results['gt_seg_map'], MASK)
    assert results['gt_seg_map'].flags.c_contiguous


def test_no_mask_means_foreground_everywhere() -> None:
    mask = LoadSaliencyMask()(_results(None))['gt_seg_map']
    assert mask.shape == (20, 30) and mask.dtype == np.uint8 and (mask == 255).all()


def _write(path, kind: str) -> None:
    if kind == 'text':
        path.write_text('no image')
    elif kind == 'empty':
        path.touch()
    else:
        array = {
            '16 bit': MASK.astype(np.uint16) * 257,
            'colour': np.dstack([MASK, MASK, MASK + 1]),
            'alpha': np.dstack([MASK] * 4),
            'size': MASK[:, :-1],
            '0 and 1': (MASK > 9).astype(np.uint8),
        }[kind]
        cv2.imwrite(str(path), array)


BAD = {
    'text': 'it cannot be decoded',
    'empty': 'it cannot be decoded',
    '16 bit': 'it must have 8 bits a pixel, but has uint16',
    'colour': 'it must have one channel .* but has 3',
    'alpha': 'it must have one channel .* but has 4',
    'size': r'it is 29x20 but the image 30x20 \(width x height\): a mask of another image',
    '0 and 1': 'its values are 0 and 1',
}


@pytest.mark.parametrize('kind', BAD)
def test_a_bad_mask_is_one_clear_error(tmp_path, kind: str) -> None:
    path = tmp_path / 'm.png'
    _write(path, kind)
    match = f"saliency mask '.*m.png' of image 'x.jpg' cannot be used: {BAD[kind]}.*on_bad_mask"
    with pytest.raises(ValueError, match=match):
        LoadSaliencyMask()(_results(path))


@pytest.mark.parametrize('kind', BAD)
@pytest.mark.parametrize('own', [True, False])
def test_options_for_a_bad_mask(tmp_path, kind: str, own: bool) -> None:
    path = tmp_path / 'm.png'
    _write(path, kind)
    option = {'on_bad_mask': 'no_background_op'}
    load = LoadSaliencyMask(**option) if own else LoadSaliencyMask()
    results = load(_results(path, **({} if own else option)))
    assert (results['gt_seg_map'] == 255).all() and results['gt_seg_map'].shape == (20, 30)
    assert LoadSaliencyMask(on_bad_mask='skip')(_results(path)) is None


def test_options_for_a_missing_mask(tmp_path) -> None:
    path = tmp_path / 'none.png'
    with pytest.raises(ValueError, match="'.*none.png' of image 'x.jpg'.*does not exist.*"
                                         '`on_missing_mask`'):  # fmt: skip
        LoadSaliencyMask(on_bad_mask='skip')(_results(path))
    assert LoadSaliencyMask(on_missing_mask='skip')(_results(path)) is None
    results = LoadSaliencyMask()(_results(path, on_missing_mask='no_background_op'))
    assert (results['gt_seg_map'] == 255).all()


def test_is_logged_once_a_file(tmp_path, monkeypatch) -> None:
    messages = []
    monkeypatch.setattr(
        'bgaug_mm.datasets.transforms.loading.print_log',
        lambda text, **options: messages.append((text, options['level'])),
    )
    load = LoadSaliencyMask(on_missing_mask='skip')
    for name in ('a.png', 'b.png', 'a.png', 'a.png'):
        load(_results(tmp_path / name))
    assert [level for _, level in messages] == [logging.WARNING] * 2
    assert 'a.png' in messages[0][0] and messages[0][0].endswith('it does not exist -> skip')


def test_resize_to_image(tmp_path) -> None:
    cv2.imwrite(str(tmp_path / 'm.png'), np.full((10, 15), 80, np.uint8))
    results = LoadSaliencyMask(resize_to_image=True)(_results(tmp_path / 'm.png'))
    assert results['gt_seg_map'].shape == (20, 30) and (results['gt_seg_map'] == 80).all()


def test_bad_options_and_missing_key() -> None:
    with pytest.raises(ValueError, match="`on_bad_mask` must be None or one of .*, but got 'x'"):
        LoadSaliencyMask(on_bad_mask='x')
    with pytest.raises(ValueError, match=r'needs the key `saliency_mask_path`.*SaliencyMaskDat'):
        LoadSaliencyMask()({'img': np.zeros((2, 2, 3), np.uint8)})


def test_decode_names_what_it_found() -> None:
    with pytest.raises(ValueError, match='it cannot be decoded'):
        decode_mask(b'')
