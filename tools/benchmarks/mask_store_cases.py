"""Packed mask stores against PNG files: the store's part of bench_masks.py.

Masks are generated, soft, 500×375 or 375×500: half of them smooth as a network's, half of
them constant on ragged cells as those of estimators on superpixels. They are written by
``write_mask`` under names like ImageNet's, packed with the defaults in both forms, and read
in random order, in turn from all of them.

    python tools/benchmarks/mask_store_cases.py --json out.json     # 100,000 masks
    python tools/benchmarks/mask_store_cases.py --quick             # 500

"Read" goes from the key to the decoded array, with the record's checksum. A packed mask has
a reduced size then; ``full_size`` also enlarges it to what the PNG file gives, as training
does. "Cold" means that all caches of the system were dropped, which takes root's rights on
Linux. Without them only the files' pages are (``posix_fadvise``): folders and inodes stay
cached, in favour of the PNG files. ``details`` says which it was.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from bgaug_mm.datasets.mask_codec import decode_mask  # noqa: E402
from bgaug_mm.datasets.mask_packing import Index, Record, pack_masks  # noqa: E402
from bgaug_mm.datasets.mask_store import read_mask, write_mask  # noqa: E402
from bgaug_mm.datasets.packed_format import Header  # noqa: E402
from bgaug_mm.datasets.packed_masks import PackedMasks  # noqa: E402
from bgaug_mm.files import write_json  # noqa: E402
from bgaug_mm.saliency.progress import Progress  # noqa: E402

IMAGENET = 1_281_167
ROUNDS = 5
FORMS = {'8bit': 8, '1bit': 1}


def make_mask(number: int) -> NDArray[np.uint8]:
    """A soft mask, (375, 500) or (500, 375) uint8; another for each number."""
    rng = np.random.default_rng(number)
    height, width = (500, 375) if number % 5 == 0 else (375, 500)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    centre, axes = rng.uniform(0.35, 0.65, 2), rng.uniform(0.15, 0.35, 2)
    radius = np.hypot((y / height - centre[0]) / axes[0], (x / width - centre[1]) / axes[1])
    angle = np.arctan2(y - centre[0] * height, x - centre[1] * width)
    for wave in range(2, 7):
        radius += rng.uniform(0, 0.25 / wave) * np.sin(wave * angle + rng.uniform(0, 6.3))
    inside = 1 / (1 + np.exp((radius - 1) / 0.04))
    if number % 2:  # a network at 320 pixels: smooth, never quite 0 or 1
        noise = rng.normal(0, 1, (20, 20)).astype(np.float32)
        noise = cv2.resize(noise, (320, 320), interpolation=cv2.INTER_CUBIC)
        small = cv2.resize(inside.astype(np.float32), (320, 320), interpolation=cv2.INTER_AREA)
        small = np.clip(small * (0.97 + 0.02 * noise) + 0.01 * np.abs(noise), 0, 1)
        values = cv2.resize(small, (width, height))
    else:  # cells of about 17 pixels with ragged borders, a value each
        shift = rng.normal(0, 60, (2, height, width)).astype(np.float32)
        shift = np.stack([cv2.GaussianBlur(plane, (0, 0), 4) for plane in shift])
        rows = ((y + shift[0]) // 17).astype(int) + 2
        columns = ((x + shift[1]) // 17).astype(int) + 2
        cells = np.unique(rows * 1000 + columns, return_inverse=True)[1].reshape(height, width)
        mean = np.bincount(cells.ravel(), inside.ravel()) / np.bincount(cells.ravel())
        mean = mean * 0.85 + rng.uniform(0, 0.15, len(mean)) * (rng.random(len(mean)) < 0.5)
        values = mean[cells]
    return np.rint(255 * np.clip(values, 0, 1)).astype(np.uint8)


def mask_name(number: int) -> str:
    """A key as ImageNet's: 1,300 images a class."""
    group = 1440764 + 13_007 * (number // 1300)
    return f'n{group:08d}/n{group:08d}_{number}'


def write_masks(folder: Path, *, records: int, distinct: int) -> int:
    """Write PNG files, repeating a few masks; bytes of all."""
    contents: list[bytes] = []
    total = 0
    for number in range(records):
        path = folder / f'{mask_name(number)}.png'
        if number < distinct:
            write_mask(str(path), make_mask(number))
            contents.append(path.read_bytes())
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents[number % distinct])
        total += len(contents[number % distinct])
    return total


def quality(masks: Sequence[NDArray[np.uint8]], store: PackedMasks) -> dict[str, float]:
    """What packing loses, after enlarging: mean absolute error, IoU at one half."""
    errors, overlaps = [], []
    for number, mask in enumerate(masks):
        found = store.read(mask_name(number))
        errors.append(float(cv2.absdiff(mask, found).mean()) / 255)
        both = np.count_nonzero((mask >= 128) & (found >= 128))
        either = np.count_nonzero((mask >= 128) | (found >= 128))
        overlaps.append(both / either if either else 1.0)
    return dict(mae=statistics.mean(errors), iou=statistics.mean(overlaps), worst_iou=min(overlaps))


def drop_caches(paths: Sequence[Path]) -> str | None:
    """Drop all caches, or these files' pages; what was dropped, None where nothing can be."""
    try:
        Path('/proc/sys/vm/drop_caches').write_text('3')
        return 'all caches'
    except OSError:
        pass
    if not hasattr(os, 'posix_fadvise'):
        return None
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)
    return "the files' pages"


def _seconds(read: Callable[[str], Any], keys: Sequence[str]) -> float:
    start = time.perf_counter()
    for key in keys:
        read(key)
    return time.perf_counter() - start


def _timed(reads: dict[str, Callable[[str], Any]], name: str, keys: list[str], pool: Any) -> float:
    """Seconds for all keys: here, or halves of them in two processes at once."""
    if pool is None:
        return _seconds(reads[name], keys)
    halves = [(name, keys[::2]), (name, keys[1::2])]
    return max(pool.starmap(_in_worker, halves, chunksize=1))


_READS: dict[str, Callable[[str], Any]] = {}


def _in_worker(name: str, keys: list[str]) -> float:
    return _seconds(_READS[name], keys)


def measure_reads(
    png: Path, stores: dict[str, Path], *, records: int, sample: int
) -> dict[str, dict[str, float]]:
    """Microseconds a mask, by ``cold|warm_<processes>`` and by what is read."""

    def read_png(key: str) -> NDArray[np.uint8]:
        with open(f'{png}/{key}.png', 'rb') as file:
            return decode_mask(file.read())

    def stored(path: Path) -> Callable[[str], Any]:
        masks = PackedMasks(str(path))
        return lambda key: masks.read(key, full_size=False)

    def full(path: Path) -> Callable[[str], Any]:
        return lambda key: read_mask(f'{path}#{key}')

    _READS.clear()  # for the forked workers
    _READS['png'] = read_png
    for name, path in stores.items():
        _READS[name] = stored(path)
        _READS[f'{name}_full_size'] = full(path)
    rng = np.random.default_rng(0)
    times: dict[str, dict[str, list[float]]] = {}
    os.sync()  # dirty pages cannot be dropped
    with multiprocessing.get_context('fork').Pool(2) as pool:
        for processes in (1, 2):
            for _ in range(ROUNDS):
                for state in ('cold', 'warm'):
                    # the same masks for all in a round
                    if state == 'cold':
                        keys = [mask_name(int(i)) for i in rng.integers(records, size=sample)]
                    case = times.setdefault(f'{state}_{processes}', {})
                    for name in _READS:
                        if state == 'cold':
                            files = [png / f'{key}.png' for key in keys]
                            store = stores.get(name.removesuffix('_full_size'))
                            if drop_caches(files if store is None else [store]) is None:
                                continue
                        workers = None if processes == 1 else pool
                        if state == 'warm':
                            _timed(_READS, name, keys, workers)
                        seconds = _timed(_READS, name, keys, workers)
                        case.setdefault(name, []).append(1e6 * seconds / sample)
    return {
        case: {name: statistics.median(values) for name, values in by_name.items()}
        for case, by_name in times.items()
        if by_name
    }


def index_seconds(path: Path) -> float:
    """Open a store whose pages are not cached, find a mask, check the whole index."""
    os.sync()
    drop_caches([path])
    start = time.perf_counter()
    store = PackedMasks(str(path))
    if mask_name(0) not in store or not store.index_is_sound():
        raise ValueError(f"'{path}' is damaged")
    return time.perf_counter() - start


def write_index(path: Path, records: int) -> None:
    """A store that is nothing but an index."""
    index, keys_size = Index(), 0
    record = Record(b'', (375, 500, 192, 256), 0)
    for number in range(records):
        index.add(mask_name(number), record, 0)
        keys_size += len(mask_name(number))
    empty = Header(8, records, keys_size, 0, 256, 64, 0)
    with open(path, 'wb') as file:
        index.write(file, empty._replace(file_size=empty.records_at))


def measure_stores(
    folder: Path, *, records: int, distinct: int = 300, sample: int = 2000, index: int = IMAGENET
) -> dict[str, Any]:
    """Measure everything.

    Args:
        folder: For the files, about 30 kB a mask; must not hold any yet.
        records: How many masks.
        distinct: How many of them differ.
        sample: How many are read in a round.
        index: Keys of the index whose opening is timed.

    Returns:
        ``read_speedup_over_png`` (as stored, 8 bits) and ``…_full_size``, ``…_1bit``,
        ``…_1bit_full_size``: each the smallest over cold and warm, one and two processes;
        ``bytes_ratio_8bit``, ``bytes_ratio_1bit``, ``index_seconds_1_28m``, ``details``.
    """
    cv2.setNumThreads(1)
    png = folder / 'masks'
    distinct = min(distinct, records)
    png_bytes = write_masks(png, records=records, distinct=distinct)
    stores, packing, losses = {}, {}, {}
    originals = [make_mask(number) for number in range(min(distinct, 100))]
    for name, bits in FORMS.items():
        stores[name] = folder / f'{name}.masks'
        start = time.perf_counter()
        progress = Progress(records, name=f'packing {name}', unit='masks')
        pack_masks(str(png), str(stores[name]), bits=bits, progress=progress)
        packing[name] = records / (time.perf_counter() - start)
        losses[name] = quality(originals, PackedMasks(str(stores[name])))
    micros = measure_reads(png, stores, records=records, sample=min(sample, records))
    speedups = {
        name: {case: values['png'] / values[name] for case, values in micros.items()}
        for name in ('8bit', '8bit_full_size', '1bit', '1bit_full_size')
    }
    smallest = {name: min(by_case.values()) for name, by_case in speedups.items()}
    sizes = {name: path.stat().st_size for name, path in stores.items()}
    write_index(folder / 'index.masks', index)
    seconds = statistics.median(index_seconds(folder / 'index.masks') for _ in range(3))
    return {
        'read_speedup_over_png': smallest['8bit'],
        'read_speedup_over_png_full_size': smallest['8bit_full_size'],
        'read_speedup_over_png_1bit': smallest['1bit'],
        'read_speedup_over_png_1bit_full_size': smallest['1bit_full_size'],
        'bytes_ratio_8bit': sizes['8bit'] / png_bytes,
        'bytes_ratio_1bit': sizes['1bit'] / png_bytes,
        'index_seconds_1_28m': seconds * IMAGENET / index,
        'details': {
            'records': records,
            'distinct_masks': distinct,
            'dropped_when_cold': drop_caches([]),
            'png_bytes_a_mask': png_bytes / records,
            'gigabytes_at_1_28m': {
                name: size / records * IMAGENET / 1e9
                for name, size in {'png': png_bytes, **sizes}.items()
            },
            'microseconds_a_mask': micros,
            'speedups': speedups,
            'packed_masks_a_second': packing,
            'loss': losses,
            'index_keys_timed': index,
            'index_megabytes': (folder / 'index.masks').stat().st_size / 1e6,
        },
    }


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--records', type=int, default=100_000)
    parser.add_argument('--quick', action='store_true', help='500 masks, an index of 200,000 keys')
    parser.add_argument('--folder', type=Path, help='where the files are made and removed')
    parser.add_argument('--json', type=Path, help='write the figures there')
    args = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix='mask_stores_', dir=args.folder))
    quick = dict(records=500, distinct=50, sample=200, index=200_000)
    try:
        figures = measure_stores(folder, **(quick if args.quick else dict(records=args.records)))
    finally:
        shutil.rmtree(folder)
    for name, value in figures.items():
        if name != 'details':
            print(f'{name}: {value:.3g}')
    for case, values in figures['details']['microseconds_a_mask'].items():
        print(f'{case}: ' + ', '.join(f'{name} {value:.0f} µs' for name, value in values.items()))
    if args.json is not None:
        write_json(args.json, figures)


if __name__ == '__main__':
    main()
