"""Images per second and core of the saliency estimators; mask stores against PNG files.

    python tools/benchmarks/bench_masks.py --json out.json
    python tools/benchmarks/bench_masks.py --quick

The pictures are photos that scikit-image ships, reduced to 400 pixels on the longest side.

- Estimators: in this process with one thread, pictures in memory. A round gives every
  estimator all pictures, one by one and in turns, forwards and backwards; figures are
  medians over rounds, beside them the seconds of CPU. Those that need a file of the user's
  (a checkpoint, an ONNX file) are named with what they lack.
- Two processes: files in, mask files out, as generate_masks.py works with RBD, with one and
  with two processes by turns; between the first and the last results of a run.
- Stores: see mask_store_cases.py.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import scipy
import skimage
import torch
from mask_store_cases import measure_stores
from mmengine.utils import track_iter_progress
from threadpoolctl import threadpool_limits

from bgaug_mm.files import write_image, write_json
from bgaug_mm.registry import SALIENCY_ESTIMATORS
from bgaug_mm.saliency import SaliencyEstimator, build_estimator
from bgaug_mm.saliency.base import Image, fit
from bgaug_mm.saliency.mask_maker import MaskMaker, Task
from bgaug_mm.saliency.reading import read_image
from bgaug_mm.saliency.worker_pool import run_tasks

PHOTOS = ('astronaut.png', 'chelsea.png', 'coffee.png', 'motorcycle_left.png', 'rocket.jpg')

STORE_FIGURES = (
    'read_speedup_over_png',
    'bytes_ratio_8bit',
    'bytes_ratio_1bit',
    'index_seconds_1_28m',
)


def photos(size: int) -> dict[str, Image]:
    """scikit-image's photos by file name, at most ``size`` pixels long."""
    folder = Path(skimage.__file__).with_name('data')
    return {name: fit(read_image(str(folder / name)), size) for name in PHOTOS}


def estimators(names: Sequence[str] | None) -> tuple[dict[str, SaliencyEstimator], dict[str, str]]:
    """Those that can be built by their name alone, and why the others cannot."""
    SALIENCY_ESTIMATORS.import_from_location()
    known = sorted(name for name in SALIENCY_ESTIMATORS.module_dict if name.islower())
    built, lacking = {}, {}
    for name in names or known:
        try:
            built[name] = build_estimator(name)
        except (ImportError, ValueError, OSError) as error:
            if names:
                sys.exit(f'bench_masks: {error}')
            lacking[name] = str(error).splitlines()[0]
    return built, lacking


def measure(
    built: dict[str, SaliencyEstimator], pictures: Sequence[Image], rounds: int
) -> dict[str, list[tuple[float, float]]]:
    """Seconds per image, by the clock and of CPU, one pair a round (after a warm-up round)."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in built}
    for turn in track_iter_progress(list(range(rounds + 1)), file=sys.stderr):
        for name in list(built) if turn % 2 else list(built)[::-1]:
            start = time.perf_counter(), time.process_time()
            for picture in pictures:
                built[name](picture)
            end = time.perf_counter(), time.process_time()
            clock, cpu = ((b - a) / len(pictures) for a, b in zip(start, end, strict=True))
            seconds[name].append((clock, cpu))
    return {name: values[1:] for name, values in seconds.items()}


def images_per_s(tasks: Sequence[Task], processes: int) -> float:
    """Masks written a second while all processes of ``rbd`` are at work."""
    finished = []
    make = partial(MaskMaker, dict(type='rbd'))
    batches = [[task] for task in tasks]
    for _ in run_tasks(make, batches, workers=processes, preload=['bgaug_mm.saliency.mask_maker']):
        finished.append(time.perf_counter())
    steady = finished[2 * processes - 1 : len(finished) - processes + 1]
    return (len(steady) - 1) / (steady[-1] - steady[0])


def measure_speedup(
    folder: Path, pictures: dict[str, Image], images: int, rounds: int
) -> dict[str, Any]:
    """Images per second of RBD with one and two processes, and the ratio's median."""
    for name, picture in pictures.items():
        write_image(folder / f'{name}.png', picture)
    files = [str(folder / f'{name}.png') for name in pictures]
    tasks = [
        Task(f'{i}', files[i % len(files)], str(folder / f'masks/{i}.png')) for i in range(images)
    ]
    rates: dict[int, list[float]] = {1: [], 2: []}
    for turn in track_iter_progress(list(range(rounds)), file=sys.stderr):
        for processes in (1, 2) if turn % 2 else (2, 1):
            rates[processes].append(images_per_s(tasks, processes))
    return dict(
        two_process_speedup=round(
            statistics.median(two / one for one, two in zip(rates[1], rates[2], strict=True)), 3
        ),
        generation_images_per_s={
            str(processes): round(statistics.median(values), 2)
            for processes, values in rates.items()
        },
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Run the benchmark, print a table, write the JSON file."""
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog=__doc__.split('\n\n', 1)[1],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--json', metavar='FILE', help='write the figures to this file')
    parser.add_argument('--quick', action='store_true', help='a small run, to see that it works')
    parser.add_argument('--rounds', type=int, help='rounds (default: 7; --quick: 1)')
    parser.add_argument(
        '--records', type=int, help='masks in a store (default: 100000; --quick: 2000)'
    )
    parser.add_argument('--size', type=int, default=400, help='longest side (default: 400)')
    parser.add_argument(
        '--estimators', nargs='+', metavar='NAME', help='(default: all that need no file)'
    )
    parser.add_argument(
        '--parts',
        nargs='+',
        choices=('estimators', 'processes', 'stores'),
        default=('estimators', 'processes', 'stores'),
        help='(default: all)',
    )
    parser.add_argument('--folder', help='where the stores are made (default: a temporary one)')
    args = parser.parse_args(argv)
    rounds = args.rounds or (1 if args.quick else 7)
    records = args.records or (2000 if args.quick else 100_000)

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    pictures = photos(args.size)
    result: dict[str, Any] = {}
    with threadpool_limits(1), tempfile.TemporaryDirectory(dir=args.folder) as temporary:
        folder = Path(temporary)
        if 'estimators' in args.parts:
            result.update(measure_estimators(args.estimators, list(pictures.values()), rounds))
        if 'processes' in args.parts:
            images = 12 if args.quick else 60
            result.update(measure_speedup(folder, pictures, images, rounds))
            print(f'rbd, two processes over one: {result["two_process_speedup"]:.2f} x')
        if 'stores' in args.parts:
            small = dict(distinct=60, sample=400, index=50_000) if args.quick else {}
            (folder / 'stores').mkdir()
            stores = measure_stores(folder / 'stores', records=records, **small)
            result.update(stores)
            for name in STORE_FIGURES:
                print(f'{name}: {stores[name]:.3g}')
    result['settings'] = dict(size=args.size, rounds=rounds, records=records, photos=PHOTOS)
    result['versions'] = dict(
        python=platform.python_version(),
        numpy=np.__version__,
        scipy=scipy.__version__,
        skimage=skimage.__version__,
        cv2=cv2.__version__,
    )
    if args.json:
        write_json(Path(args.json), result)


def measure_estimators(
    names: Sequence[str] | None, pictures: Sequence[Image], rounds: int
) -> dict[str, Any]:
    """Images per second, a line each, and the figures of the JSON file."""
    built, lacking = estimators(names)
    seconds = measure(built, pictures, rounds)
    rows = []
    for name, values in seconds.items():
        clock, cpu = (1e3 * statistics.median(column) for column in zip(*values, strict=True))
        rate = round(1e3 / clock, 2)
        rows.append(
            dict(estimator=name, images_per_s=rate, ms=round(clock, 2), cpu_ms=round(cpu, 2))
        )
    rows.sort(key=lambda row: row['ms'])
    for row in rows:
        print(
            f'{row["estimator"]:>18}: {row["images_per_s"]:8.2f} images/s, '
            f'{row["ms"]:8.2f} ms an image ({row["cpu_ms"]:.2f} ms of CPU)'
        )
    for name, reason in lacking.items():
        print(f'{name:>18}: not measured, {reason}')
    rates = {row['estimator']: row['images_per_s'] for row in rows}
    figures: dict[str, Any] = {
        f'{name}_images_per_s': rates[name] for name in ('rbd', 'mbplus') if name in rates
    }
    return figures | dict(estimators=rows, not_measured=lacking)


if __name__ == '__main__':
    main()
