"""The packed store: format, reading, damage, and what a dataset makes of it."""

import errno
import io
import multiprocessing
import os
import pickle
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from bgaug_mm.datasets import SaliencyMaskDataset, mask_packing
from bgaug_mm.datasets.mask_packing import list_masks, pack_masks
from bgaug_mm.datasets.mask_store import (
    MaskFolder,
    PackedMaskStore,
    open_mask_store,
    read_mask,
    write_mask,
)
from bgaug_mm.datasets.mask_unpacking import unpack_store, verify_store
from bgaug_mm.datasets.packed_masks import PackedMasks

NAMES = ['a/0', 'a/1', 'b/0', 'b/with blank', 'b/ä雪.tar', 'deep/er/x', 'top']


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Masks of several sizes, one of them reduced by the store's bound."""
    rng = np.random.default_rng(0)
    for i, name in enumerate(NAMES):
        shape = [(20, 30), (375, 500), (1, 1), (300, 2), (9, 17), (8, 8), (40, 64)][i]
        mask = cv2.GaussianBlur(rng.integers(0, 256, shape, np.uint8), (0, 0), 2)
        write_mask(f'{tmp_path}/masks/{name}.png', mask)
    return tmp_path / 'masks'


def _read_png(path: Path) -> np.ndarray:
    return cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)


def _parse(path: Path) -> dict[str, tuple[tuple[int, ...], bytes]]:
    """The format as its documentation says it, read without our reader."""
    data = path.read_bytes()
    magic, version, _, count, keys_size = struct.unpack_from('<8sIIQQ', data)
    assert (magic, version) == (b'BGAMASK\n', 1)
    keys_at = 64 + 56 * count
    assert struct.unpack_from('<I', data, 48)[0] == zlib.crc32(data[64 : keys_at + keys_size])
    found = {}
    for i in range(count):
        offset, key_at, length, key_length, _, *sizes = struct.unpack_from(
            '<QQIIIIIII', data, 64 + 8 * count + 48 * i
        )
        key = data[keys_at + key_at : keys_at + key_at + key_length].decode()
        found[key] = tuple(sizes), zlib.decompress(data[offset : offset + length], -15)
    return found


def test_the_file_is_what_the_format_says(folder: Path, tmp_path: Path) -> None:
    pack_masks(str(folder), f'{tmp_path}/x.masks', max_side=0, levels=256)
    records = _parse(tmp_path / 'x.masks')
    assert sorted(records) == sorted(NAMES)
    for name, (sizes, raw) in records.items():
        mask = _read_png(folder / f'{name}.png')
        assert sizes == mask.shape * 2
        assert raw == mask.tobytes()
    pack_masks(str(folder), f'{tmp_path}/bits.masks', bits=1, max_side=0)
    for name, (_, raw) in _parse(tmp_path / 'bits.masks').items():
        bits = [f'{byte:08b}' for byte in raw]
        mask = _read_png(folder / f'{name}.png')
        expected = ''.join('1' if value >= 128 else '0' for value in mask.ravel())
        assert ''.join(bits)[: mask.size] == expected


def test_masks_come_back_as_they_were(folder: Path, tmp_path: Path) -> None:
    done = pack_masks(str(folder), f'{tmp_path}/x.masks', max_side=0, levels=256)
    assert done.masks == len(NAMES) and not done.skipped
    assert done.store_bytes == os.path.getsize(tmp_path / 'x.masks')
    store = PackedMasks(f'{tmp_path}/x.masks')
    assert list(store.keys()) == sorted(NAMES) and len(store) == len(NAMES)
    for name in NAMES:
        mask = store.read(name)
        assert mask.dtype == np.uint8 and mask.flags.writeable and name in store
        assert np.array_equal(mask, _read_png(folder / f'{name}.png'))
    assert 'a/2' not in store
    with pytest.raises(FileNotFoundError, match=r"x.masks' has no mask 'a/2'"):
        store.read('a/2')


def test_default_forms(folder: Path, tmp_path: Path) -> None:
    pack_masks(str(folder), f'{tmp_path}/soft.masks')
    pack_masks(str(folder), f'{tmp_path}/hard.masks', bits=1)
    soft, hard = PackedMasks(f'{tmp_path}/soft.masks'), PackedMasks(f'{tmp_path}/hard.masks')
    for name in NAMES:
        mask = _read_png(folder / f'{name}.png').astype(int)
        assert soft.read(name).shape == mask.shape
        if max(mask.shape) <= 224:  # 32 levels are 255 / 31 apart
            assert abs(soft.read(name) - mask).max() <= 4
        assert np.array_equal(hard.read(name), np.where(mask >= 128, 255, 0))
    # the area average of 375x500 to the longest side 224, and back
    assert soft.read('a/1', full_size=False).shape == (168, 224)
    mask = _read_png(folder / 'a/1.png')
    small = cv2.resize(mask, (224, 168), interpolation=cv2.INTER_AREA).astype(int)
    assert abs(soft.read('a/1', full_size=False) - small).max() <= 4
    assert len(np.unique(soft.read('a/1', full_size=False))) <= 32
    assert soft.read('b/with blank', full_size=False).shape == (224, 1)


def test_damage_stays_with_its_record(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / 'x.masks'
    pack_masks(str(folder), str(path))
    sound = path.read_bytes()
    row = PackedMasks(str(path)).find('b/0')
    assert row is not None
    broken = bytearray(sound)
    broken[row.offset] ^= 4
    path.write_bytes(broken)
    store = PackedMasks(str(path))
    with pytest.raises(ValueError, match=r"record 'b/0' of mask store .*x.masks' is damaged"):
        store.read('b/0')
    assert all(store.read(name).size for name in NAMES if name != 'b/0')
    assert 'b/0' in store and list(verify_store(str(path))) == ['b/0']


def test_a_cut_file_names_what_is_lost(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / 'x.masks'
    pack_masks(str(folder), str(path))
    row = PackedMasks(str(path)).find('b/with blank')
    assert row is not None
    os.truncate(path, row.offset + 2)
    assert list(verify_store(str(path))) == sorted(NAMES)[sorted(NAMES).index('b/with blank') :]
    store = PackedMasks(str(path))
    assert store.read('a/1').shape == (375, 500)
    with pytest.raises(ValueError, match=r"'b/with blank' of .* is cut: 2 of \d+ bytes are left"):
        store.read('b/with blank')
    for size, problem in ((100, 'cut within its index'), (30, 'is cut: 30'), (0, 'is no packed')):
        os.truncate(path, size)
        with pytest.raises(ValueError, match=problem):
            PackedMasks(str(path))


def test_every_byte_of_header_and_index(folder: Path, tmp_path: Path) -> None:
    """Whatever byte is wrong: an error or the right mask, never a wrong mask or 'missing'."""
    path = tmp_path / 'x.masks'
    pack_masks(str(folder), str(path))
    sound = path.read_bytes()
    store = PackedMasks(str(path))
    masks = {name: store.read(name) for name in NAMES}
    for position in range(0, store.header.records_at, 5):  # 5: all bytes of a row, over the rows
        path.write_bytes(sound[:position] + bytes([sound[position] ^ 0x80]) + sound[position + 1 :])
        try:
            damaged = PackedMasks(str(path))
        except ValueError:
            assert position < 64
            continue
        failed = []
        for name in NAMES:
            try:
                assert np.array_equal(damaged.read(name), masks[name])
            except ValueError:
                failed.append(name)
        assert len(failed) <= 1  # the others are still read
        if not 56 <= position < 64:
            with pytest.raises(ValueError, match='index of mask store .* is damaged'):
                verify_store(str(path))
            with pytest.raises(ValueError, match='index is damaged'):
                damaged.read('not/there')


def test_other_files_are_no_stores(tmp_path: Path) -> None:
    (tmp_path / 'x.masks').write_bytes(b'PNG' * 100)
    with pytest.raises(ValueError, match='is no packed mask store'):
        PackedMasks(f'{tmp_path}/x.masks')
    header = struct.pack('<8sIIQQQIIII8x', b'BGAMASK\n', 2, 8, 0, 0, 64, 0, 64, 0, 0)
    header = header[:52] + struct.pack('<I', zlib.crc32(header[:52])) + bytes(8)
    (tmp_path / 'x.masks').write_bytes(header)
    with pytest.raises(ValueError, match='has format 2, but this version'):
        PackedMasks(f'{tmp_path}/x.masks')


def _checksum(store: PackedMasks) -> int:
    return zlib.crc32(b''.join(store.read(name).tobytes() for name in NAMES))


def test_forked_processes_and_pickled_stores(folder: Path, tmp_path: Path) -> None:
    pack_masks(str(folder), f'{tmp_path}/x.masks')
    store = PackedMasks(f'{tmp_path}/x.masks')
    expected = _checksum(store)
    assert _checksum(pickle.loads(pickle.dumps(store))) == expected
    with multiprocessing.get_context('fork').Pool(2) as pool:
        found = [pool.apply_async(_checksum, (store,)) for _ in range(6)]
        assert {result.get() for result in found} == {expected}


def test_reports_among_the_masks_are_none(folder: Path) -> None:
    (folder / '_report').mkdir()
    (folder / '_report/samples.png').write_bytes(b'a picture')
    assert list_masks(str(folder)) == sorted(NAMES)


def test_a_folder_that_cannot_be_listed(folder: Path, monkeypatch) -> None:
    listed = os.scandir

    def scandir(path):  # root may list everything
        if str(path).endswith('/b'):
            raise PermissionError(13, 'Permission denied', str(path))
        return listed(path)

    monkeypatch.setattr(os, 'scandir', scandir)
    with pytest.raises(ValueError, match="/b' cannot be listed: Permission denied"):
        list_masks(str(folder))


def test_unpacking_gives_the_stored_masks(folder: Path, tmp_path: Path) -> None:
    pack_masks(str(folder), f'{tmp_path}/x.masks')
    assert not unpack_store(f'{tmp_path}/x.masks', f'{tmp_path}/again')
    assert list_masks(f'{tmp_path}/again') == sorted(NAMES)
    store = PackedMasks(f'{tmp_path}/x.masks')
    for name in NAMES:
        again = _read_png(tmp_path / f'again/{name}.png')
        assert np.array_equal(again, store.read(name, full_size=False))
    # packed once more, they are what they were
    pack_masks(f'{tmp_path}/again', f'{tmp_path}/y.masks')
    assert np.array_equal(
        PackedMasks(f'{tmp_path}/y.masks').read('a/1'), store.read('a/1', full_size=False)
    )
    assert not unpack_store(f'{tmp_path}/x.masks', f'{tmp_path}/full', full_size=True)
    assert np.array_equal(_read_png(tmp_path / 'full/a/1.png'), store.read('a/1'))


def test_a_key_that_leads_out_is_refused(tmp_path: Path, monkeypatch) -> None:
    write_mask(f'{tmp_path}/m/x.png', np.zeros((2, 2), np.uint8))
    monkeypatch.setattr(mask_packing, 'encode_key', lambda key: b'../' + key.encode())
    pack_masks(f'{tmp_path}/m', f'{tmp_path}/x.masks')
    with pytest.raises(ValueError, match=r"key '../x' of .* leads out of"):
        unpack_store(f'{tmp_path}/x.masks', f'{tmp_path}/out')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(bits=4), '`bits` must be 1 or 8, but got 4'),
        (dict(levels=1), r'`levels` must be in \[2, 256\], but got 1'),
        (dict(max_side=-1), '`max_side` must be at least 0, but got -1'),
        (dict(store='x.lmdb'), r"must end in '\.masks', but got 'x.lmdb'"),
        (dict(folder='nowhere'), "no folder of masks 'nowhere'"),
        (dict(suffix='.bmp'), r"has no masks '\*.bmp'"),
    ],
)
def test_options_out_of_range(folder: Path, tmp_path: Path, options, message: str) -> None:
    options = {'folder': str(folder), 'store': f'{tmp_path}/x.masks', **options}
    with pytest.raises(ValueError, match=message):
        pack_masks(options.pop('folder'), options.pop('store'), **options)


def test_a_bad_mask_stops_packing_or_is_left_out(folder: Path, tmp_path: Path) -> None:
    (folder / 'a/0.png').write_bytes(b'')
    write_mask(f'{folder}/ones.png', np.ones((3, 3), np.uint8))
    with pytest.raises(ValueError, match=r"a/0.png' cannot be used: it cannot be decoded"):
        pack_masks(str(folder), f'{tmp_path}/x.masks')
    assert sorted(os.listdir(tmp_path)) == ['masks']
    done = pack_masks(str(folder), f'{tmp_path}/x.masks', skip_bad=True)
    assert {os.path.basename(name) for name in done.skipped} == {'0.png', 'ones.png'}
    assert list(PackedMasks(f'{tmp_path}/x.masks').keys()) == sorted(set(NAMES) - {'a/0'})
    assert not verify_store(f'{tmp_path}/x.masks')


def test_an_interruption_just_after_stays_one(folder: Path, tmp_path: Path, monkeypatch) -> None:
    replace = os.replace

    def late(*paths) -> None:
        replace(*paths)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, 'replace', late)
    with pytest.raises(KeyboardInterrupt):
        pack_masks(str(folder), f'{tmp_path}/x.masks')
    assert sorted(os.listdir(tmp_path)) == ['masks', 'x.masks']


def test_a_full_disk_leaves_nothing_and_the_old_store(
    folder: Path, tmp_path: Path, monkeypatch
) -> None:
    pack_masks(str(folder), f'{tmp_path}/x.masks', bits=1)
    before = (tmp_path / 'x.masks').read_bytes()
    with pytest.raises(ValueError, match=r"x.masks' exists"):
        pack_masks(str(folder), f'{tmp_path}/x.masks')

    class Full(io.FileIO):
        def write(self, data) -> int:
            if self.tell() > 600:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(data)

    monkeypatch.setattr(mask_packing, 'open', Full, raising=False)
    with pytest.raises(OSError, match=r"No space left on device: '.*x.masks"):
        pack_masks(str(folder), f'{tmp_path}/x.masks', overwrite=True)
    monkeypatch.undo()
    assert sorted(os.listdir(tmp_path)) == ['masks', 'x.masks']
    assert (tmp_path / 'x.masks').read_bytes() == before
    # what a killed run left does not matter, and a replaced store is seen
    (tmp_path / '.x.masks.partial').write_bytes(b'half' * 10_000)
    old = open_mask_store('', f'{tmp_path}/x.masks')
    pack_masks(str(folder), f'{tmp_path}/x.masks', overwrite=True)
    assert sorted(os.listdir(tmp_path)) == ['masks', 'x.masks']
    new = open_mask_store('', f'{tmp_path}/x.masks')
    assert len(np.unique(read_mask(new.locate('a/0.jpg')))) > 2
    assert old.exists(old.locate('a/0.jpg'))


def test_two_runs_at_once(folder: Path, tmp_path: Path) -> None:
    with (
        mask_packing._partial(f'{tmp_path}/x.masks'),
        pytest.raises(ValueError, match='another process is packing'),
    ):
        pack_masks(str(folder), f'{tmp_path}/x.masks')


def test_one_interface_over_both(folder: Path, tmp_path: Path) -> None:
    pack_masks(str(folder), f'{tmp_path}/x.masks', levels=256, max_side=0)
    stores = [open_mask_store('data', root) for root in (str(folder), f'{tmp_path}/x.masks')]
    assert [type(store) for store in stores] == [MaskFolder, PackedMaskStore]
    for store in stores:
        location = store.locate('data/b/ä雪.tar.JPEG')
        assert location is not None and store.exists(location)
        assert not store.exists(store.locate('data/a/7.JPEG'))
        assert read_mask(location).shape == (9, 17)
        with pytest.raises(FileNotFoundError):
            read_mask(store.locate('data/a/7.JPEG'))
    assert stores[1].locate('data/a/0.JPEG') == f'{tmp_path}/x.masks#a/0'
    ruled = open_mask_store('data', f'{tmp_path}/x.masks', name_rule='b/{stem}.png')
    assert ruled.locate('data/q/0.JPEG').endswith('#b/0')
    with pytest.raises(ValueError, match=r"no packed mask store 'no.masks': make it with"):
        open_mask_store('data', 'no.masks')


@pytest.fixture
def tree(image_tree, tmp_path: Path) -> Path:
    """Images with masks, and the masks packed beside them."""
    root = image_tree()
    pack_masks(f'{root}/train_masks', f'{root}/train.masks', levels=256)
    return root


def _dataset(root: Path, **options) -> SaliencyMaskDataset:
    inner = dict(type='mmpretrain.CustomDataset', data_root=str(root), data_prefix='train')
    pipeline = [dict(type='LoadImageFromFile'), dict(type='bgaug_mm.LoadSaliencyMask')]
    return SaliencyMaskDataset(inner, pipeline=pipeline, **options)


def test_a_dataset_reads_either_by_one_line(tree: Path) -> None:
    from_files = _dataset(tree, check='header')
    packed = _dataset(tree, mask_root='train.masks', check='header')
    for a, b in zip(from_files, packed, strict=True):
        assert np.array_equal(a['gt_seg_map'], b['gt_seg_map'])
        assert (
            b['saliency_mask_path']
            == (a['saliency_mask_path'].replace('train_masks/', 'train.masks#')[: -len('.png')])
        )
    statistics = packed.foreground_share_statistics()
    assert statistics == from_files.foreground_share_statistics()
    assert (tree / 'train.masks.foreground_share.csv').is_file()
    assert packed.foreground_share_statistics() == statistics


def test_damage_is_a_bad_mask(tree: Path) -> None:
    path = tree / 'train.masks'
    row = PackedMasks(str(path)).find('a/1')
    assert row is not None
    data = bytearray(path.read_bytes())
    data[row.offset] ^= 1
    path.write_bytes(data)
    dataset = _dataset(tree, mask_root='train.masks')
    assert dataset[1]['gt_seg_map'].min() == 255  # no background operation
    assert dataset[2]['gt_seg_map'].min() == 0
    with pytest.raises(ValueError, match=r"record 'a/1' of mask store .*on_bad_mask"):
        _dataset(tree, mask_root='train.masks', on_bad_mask='error')[1]


def test_a_mask_of_another_size_or_none(tree: Path) -> None:
    (tree / 'train_masks/b/2.png').unlink()
    write_mask(f'{tree}/train_masks/b/1.png', np.zeros((30, 20), np.uint8))
    pack_masks(f'{tree}/train_masks', f'{tree}/train.masks', overwrite=True)
    with pytest.raises(ValueError, match=r"1 of 6 images have no .*2.png', mask '.*masks#b/2'"):
        _dataset(tree, mask_root='train.masks')
    options = dict(mask_root='train.masks', on_missing_mask='skip')
    with pytest.raises(ValueError, match=r'it is 20x30 but the image 30x20'):
        _dataset(tree, check='header', **options)
    assert len(_dataset(tree, on_bad_mask='skip', check='header', **options)) == 4


def test_no_store_or_a_foreign_one(tree: Path) -> None:
    for check in ('exists', 'none'):
        with pytest.raises(ValueError, match='no packed mask store .*none.masks'):
            _dataset(tree, mask_root='none.masks', check=check)
    write_mask(f'{tree}/foreign/x.png', np.zeros((3, 3), np.uint8))
    pack_masks(f'{tree}/foreign', f'{tree}/foreign.masks')
    with pytest.raises(ValueError, match=r"no image has a saliency mask: .*foreign.masks#a/0'"):
        _dataset(tree, mask_root='foreign.masks')
