"""tools/saliency/pack_masks.py and tools/benchmarks/mask_store_cases.py, in this process."""

import importlib.util
import multiprocessing
import os
import sys
import time
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from bgaug_mm.datasets import mask_packing
from bgaug_mm.datasets.mask_store import write_mask
from bgaug_mm.datasets.mask_unpacking import verify_store
from bgaug_mm.datasets.packed_masks import PackedMasks


def _load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def tool(root: Path) -> ModuleType:
    return _load(root / 'tools/saliency/pack_masks.py')


@pytest.fixture
def masks(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for i in range(12):
        mask = cv2.GaussianBlur(rng.integers(0, 256, (40, 60), np.uint8), (0, 0), 3)
        write_mask(f'{tmp_path}/masks/n{i % 3}/{i}.png', mask)
    return tmp_path / 'masks'


def test_pack_verify_unpack(tool, masks: Path, tmp_path: Path, capsys) -> None:
    store, again = f'{tmp_path}/train.masks', f'{tmp_path}/again'
    options = ['--levels', '256', '--max-side', '0', '--threads', '2']
    assert tool.main(['pack', str(masks), store, *options]) == 0
    size = os.path.getsize(store) / 1e6
    assert f'12 masks in {store}: {size:.1f} MB' in capsys.readouterr().out
    assert tool.main(['verify', store]) == 0
    out = capsys.readouterr().out
    assert f'{store}: 12 masks (8 bits, 256 levels, not reduced), 0 damaged' in out
    assert tool.main(['unpack', store, again]) == 0
    for path in masks.rglob('*.png'):
        both = [cv2.imread(str(p), 0) for p in (path, Path(again) / path.relative_to(masks))]
        assert np.array_equal(*both)


def test_verify_names_damage_and_fails(tool, masks: Path, tmp_path: Path, capsys) -> None:
    store = tmp_path / 'train.masks'
    tool.main(['pack', str(masks), str(store), '--bits', '1'])
    row = PackedMasks(str(store)).find('n1/4')
    assert row is not None
    data = bytearray(store.read_bytes())
    data[row.offset + 1] ^= 16
    store.write_bytes(data)
    capsys.readouterr()
    assert tool.main(['verify', str(store)]) == 1
    out = capsys.readouterr().out
    assert 'damaged: n1/4: record' in out
    assert '12 masks (1 bit, longest side at most 512), 1 damaged' in out
    assert tool.main(['unpack', str(store), f'{tmp_path}/again']) == 1
    out = capsys.readouterr().out
    assert 'left out: n1/4' in out and f'11 masks in {tmp_path}/again' in out
    assert not (tmp_path / 'again/n1/4.png').exists()


def test_errors_are_one_line(tool, masks: Path, tmp_path: Path, capsys) -> None:
    store = f'{tmp_path}/train.masks'
    for arguments, message in (
        (['pack', f'{tmp_path}/none', store], 'pack_masks: there is no folder of masks'),
        (['pack', str(masks), f'{tmp_path}/x.h5'], r"pack_masks: .* must end in '\.masks'"),
        (['verify', store], r'pack_masks: .*No such file.*train.masks'),
        (['unpack', str(masks / 'n0/0.png'), store], 'pack_masks: .* is no packed mask store'),
    ):
        with pytest.raises(SystemExit, match=message):
            tool.main(arguments)
    (masks / 'n0/0.png').write_bytes(b'GIF')
    with pytest.raises(SystemExit, match=r"pack_masks: mask '.*n0/0.png' cannot be used"):
        tool.main(['pack', str(masks), store])
    assert tool.main(['pack', str(masks), store, '--skip-bad']) == 1
    assert 'left out: ' in capsys.readouterr().out
    with pytest.raises(SystemExit, match=f"pack_masks: '{store}' exists"):
        tool.main(['pack', str(masks), store])


def _pack_and_stop(folder: str, store: str, now) -> None:
    """Packs until the ninth mask, so that a kill hits it there."""
    add = mask_packing.Index.add

    def stopping(self, *args) -> None:
        add(self, *args)
        if len(self.hashes) == 9:
            now.set()
            time.sleep(60)

    mask_packing.Index.add = stopping
    mask_packing.pack_masks(folder, store)


def test_a_killed_run_leaves_no_store_and_the_next_one_is_whole(tmp_path: Path) -> None:
    for i in range(12):
        write_mask(f'{tmp_path}/masks/{i}.png', np.full((50, 50), 20 * i, np.uint8))
    fork = multiprocessing.get_context('fork')
    now, paths = fork.Event(), (f'{tmp_path}/masks', f'{tmp_path}/x.masks')
    process = fork.Process(target=_pack_and_stop, args=(*paths, now), daemon=True)
    process.start()
    assert now.wait(60)
    with pytest.raises(ValueError, match='another process is packing'):
        mask_packing.pack_masks(*paths)
    process.kill()
    process.join()
    assert sorted(os.listdir(tmp_path)) == ['.x.masks.partial', 'masks']
    assert mask_packing.pack_masks(*paths).masks == 12
    assert sorted(os.listdir(tmp_path)) == ['masks', 'x.masks']
    assert not verify_store(f'{tmp_path}/x.masks')


def test_benchmark_on_a_few_masks(root: Path, tmp_path: Path, monkeypatch) -> None:
    cases = _load(root / 'tools/benchmarks/mask_store_cases.py')
    monkeypatch.setitem(sys.modules, 'mask_store_cases', cases)  # for its worker processes
    assert cases.mask_name(1300) == 'n01453771/n01453771_1300'
    assert len({cases.make_mask(i).tobytes() for i in range(4)}) == 4
    figures = cases.measure_stores(tmp_path, records=12, distinct=4, sample=6, index=2000)
    details = figures['details']
    files = sum(path.stat().st_size for path in (tmp_path / 'masks').rglob('*.png'))
    assert details['png_bytes_a_mask'] * 12 == files
    packed = (tmp_path / '8bit.masks').stat().st_size
    assert figures['bytes_ratio_8bit'] == packed / files
    assert 0 < figures['bytes_ratio_1bit'] < figures['bytes_ratio_8bit'] < 0.6
    assert details['loss']['8bit']['worst_iou'] > 0.95
    assert details['loss']['1bit']['iou'] == 1  # 500 pixels are not reduced
    speedups = details['speedups']['8bit']
    assert figures['read_speedup_over_png'] == min(speedups.values())
    assert set(speedups) >= {'warm_1', 'warm_2'} and figures['index_seconds_1_28m'] > 0
