import cv2
import numpy as np
import pytest
import torch

from bgaug_mm.models.data_preprocessors.folder_bank import SIDE, FolderBank

CPU = torch.device('cpu')


def write(path, height, width, value):
    cv2.imwrite(str(path), np.full((height, width, 3), value, np.uint8))
    return str(path)


def test_keeps_pixels_and_sizes_and_shrinks_what_is_too_large(tmp_path):
    small = np.random.default_rng(0).integers(0, 256, (30, 50, 3), np.uint8)
    cv2.imwrite(str(tmp_path / 'a.png'), small)
    large = write(tmp_path / 'b.png', 400, 2 * SIDE, 7)
    bank = FolderBank([str(tmp_path / 'a.png'), large], 8)
    assert len(bank) == 2
    assert bank.sizes.tolist() == [[30, 50], [200, SIDE]]
    images = bank.images(CPU)
    assert images.shape == (2, 3, SIDE, SIDE) and images.dtype == torch.uint8
    np.testing.assert_array_equal(images[0, :, :30, :50].permute(1, 2, 0).numpy(), small)
    assert (images[1, :, :200] == 7).all() and not images[0, :, 30:].any()
    assert bank.images(CPU) is images  # decoded once


def test_takes_files_at_even_distances(tmp_path):
    files = [write(tmp_path / f'{i:02d}.png', 4, 4, i) for i in range(10)]
    bank = FolderBank(files, 4)
    assert bank.images(CPU)[:, 0, 0, 0].tolist() == [0, 2, 5, 7]


def test_leaves_out_what_cannot_be_read(tmp_path):
    broken = tmp_path / 'a.png'
    broken.write_bytes(b'no image')
    bank = FolderBank([str(broken), write(tmp_path / 'b.png', 5, 5, 9)], 8)
    assert len(bank) == 1
    with pytest.raises(ValueError, match=r'none of the 1 background images, .*a\.png'):
        len(FolderBank([str(broken)], 8))
