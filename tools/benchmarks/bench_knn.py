"""Time and memory of k-NN as the bank grows: JSON.

    python tools/benchmarks/bench_knn.py --json out.json
    python tools/benchmarks/bench_knn.py --json out.json --quick

Random features are written to a file, chunk by chunk, and memory-mapped; banks are its first
rows. The banks are searched from the smallest to the largest, so that the peak of the
process' memory after each one is that of this one or less. It holds everything: Python,
torch and the queries, too.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.evaluation import knn_predict  # noqa: E402
from bgaug_mm.files import write_json  # noqa: E402

GIB = 1024**3
#: What issue and documentation promise for 200,000 x 2048 and 10,000 queries.
LIMIT_GIB = 4
QUICK = {'sizes': [250, 500, 1000], 'dim': 64, 'queries': 200}


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--json', required=True, help='JSON file')
    parser.add_argument('--quick', action='store_true', help='small banks, in seconds')
    parser.add_argument('--sizes', type=int, nargs='+', default=[25000, 50000, 100000, 200000])
    parser.add_argument('--dim', type=int, default=2048)
    parser.add_argument('--queries', type=int, default=10000)
    parser.add_argument('--k', type=int, nargs='+', default=[20, 200])
    parser.add_argument('--dtype', choices=['float32', 'float16'], default='float32')
    parser.add_argument('--folder', help='for the file of features; by default a temporary one')
    parser.add_argument('--device', default='cpu', help='cpu, cuda, …')
    args = parser.parse_args(argv)
    if args.quick:
        vars(args).update(QUICK)
    if min([*args.sizes, args.dim, args.queries, *args.k]) < 1:
        parser.error('--sizes, --dim, --queries and --k must be at least 1')
    return args


def write_features(path: Path, rows: int, dim: int, dtype: str, chunk: int = 4096) -> None:
    """An .npy file of random features, never more than a chunk of it in memory."""
    rng = np.random.default_rng(0)
    with open(path, 'wb') as file:
        header = {'descr': np.dtype(dtype).str, 'fortran_order': False, 'shape': (rows, dim)}
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, rows, chunk):
            some = rng.standard_normal((min(chunk, rows - start), dim), dtype=np.float32)
            file.write(some.astype(dtype).tobytes())


def peak_gib() -> float:
    """Largest memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / GIB if sys.platform == 'darwin' else 1024 * peak / GIB


def growth(rows: list[dict[str, Any]]) -> float | None:
    """Exponent e of seconds ~ bank^e between the smallest and the largest bank."""
    first, last = rows[0], rows[-1]
    if first['bank'] == last['bank']:
        return None
    return math.log(last['seconds'] / first['seconds']) / math.log(last['bank'] / first['bank'])


def measure(args: argparse.Namespace, path: Path) -> list[dict[str, Any]]:
    """A row for each size of the bank."""
    rng = np.random.default_rng(1)
    queries = rng.standard_normal((args.queries, args.dim), dtype=np.float32)
    features = np.load(path, mmap_mode='r')
    rows = []
    for size in sorted(args.sizes):
        labels = np.arange(size) % 1000
        start = time.perf_counter()
        knn_predict(features[:size], labels, queries, k=args.k, device=args.device)
        seconds = time.perf_counter() - start
        rows.append(
            {
                'bank': size,
                'bank_gib': size * args.dim * features.itemsize / GIB,
                'seconds': seconds,
                'microseconds_per_query': 1e6 * seconds / args.queries,
                'gflops': 2 * size * args.queries * args.dim / seconds / 1e9,
                'peak_rss_gib': peak_gib(),
            }
        )
        print(
            f'bank {size:>8,} ({rows[-1]["bank_gib"]:.2f} GiB): {seconds:8.2f} s, '
            f'peak {rows[-1]["peak_rss_gib"]:.2f} GiB',
            flush=True,
        )
    return rows


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        path = Path(folder) / 'features.npy'
        try:
            write_features(path, max(args.sizes), args.dim, args.dtype)
        except OSError as error:
            sys.exit(f'bench_knn: the features cannot be written: {error}')
        before = peak_gib()
        rows = measure(args, path)
    result = {
        'dim': args.dim, 'queries': args.queries, 'k': args.k, 'dtype': args.dtype,
        'device': args.device, 'peak_rss_gib_before': before, 'rows': rows,
        'growth_exponent': growth(rows), 'limit_gib': LIMIT_GIB,
        'under_limit': rows[-1]['peak_rss_gib'] < LIMIT_GIB,
        'threads': torch.get_num_threads(), 'cores': os.cpu_count(),
        'python': platform.python_version(), 'torch': torch.__version__,
    }  # fmt: skip
    write_json(Path(args.json), result)
    print(args.json)


if __name__ == '__main__':
    main()
