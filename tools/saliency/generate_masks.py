#!/usr/bin/env python
"""Estimate saliency masks for images: a folder, a list file or a config's dataset.

OUT gets an 8-bit PNG for each image, in a tree like that of the images (``mask_root`` of
SaliencyMaskDataset), and OUT/_report the settings, failures.csv, the shares of foreground
as CSV, summary and histogram, and a sheet of samples. Run the same command again after
an interruption: it goes on where it was, and tries images that failed again.

    python tools/saliency/generate_masks.py data/train data/train_masks --estimator rbd
    python tools/saliency/generate_masks.py configs/byol_bgswap.py masks --estimator u2netp
    torchrun --nproc-per-node 1 --nnodes 4 … tools/saliency/generate_masks.py IN OUT
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from mmengine.config import DictAction  # noqa: E402

from bgaug_mm.datasets.mask_names import REPORT_FOLDER as REPORT  # noqa: E402
from bgaug_mm.engine.launch_errors import explain  # noqa: E402
from bgaug_mm.saliency.generation import generate_masks  # noqa: E402
from bgaug_mm.saliency.image_list import list_images  # noqa: E402
from bgaug_mm.saliency.journal import FAILURES  # noqa: E402
from bgaug_mm.saliency.mask_report import summary_text  # noqa: E402
from bgaug_mm.saliency.worker_pool import WorkError  # noqa: E402


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'images', metavar='IN', help='folder, list of images (a path a line), or config (.py, a::b)'
    )
    parser.add_argument('out', metavar='OUT', help='folder of the masks, made here')
    parser.add_argument(
        '--estimator', default='rbd', metavar='NAME',
        help='rbd (default), gs, mbplus, u2netp, …; an unknown name lists them',
    )  # fmt: skip
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
        help="the estimator's options",
    )  # fmt: skip
    parser.add_argument(
        '--size', type=int, help="longest side in pixels the estimator works at (its option 'size')"
    )
    parser.add_argument(
        '--data', metavar='DIR',
        help="folder the list's paths are relative to (default: its own), or data_root of the "
        "config's datasets",
    )  # fmt: skip
    parser.add_argument(
        '--dataloader', default='train_dataloader', metavar='KEY',
        help="whose dataset of the config (default train_dataloader)",
    )  # fmt: skip
    parser.add_argument(
        '--workers', type=int, default=default_workers(), metavar='N',
        help='processes, of one thread each (default: the cores, here %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--batch-size', type=int, default=1, metavar='B',
        help='images an estimator gets at once; helps networks on a GPU (default 1)',
    )  # fmt: skip
    parser.add_argument(
        '--shard', metavar='i/n', type=shard,
        help='do part i of n, counted from 0 (default: RANK and WORLD_SIZE as torchrun sets them)',
    )  # fmt: skip
    parser.add_argument(
        '--threshold', type=float, metavar='T',
        help='masks of 0 and 255 alone: 255 from this saliency on, in (0, 1) (default: soft)',
    )  # fmt: skip
    parser.add_argument(
        '--name-rule', default='{dir}/{stem}.png', metavar='RULE',
        help='path of a mask, as name_rule of SaliencyMaskDataset (default %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--overwrite',
        action='store_true',
        help='delete the masks that are there first; leave it out to go on after an interruption',
    )
    parser.add_argument('--debug', action='store_true', help='show tracebacks of all errors')
    args = parser.parse_args(argv)
    if args.size is not None:
        args.cfg_options['size'] = args.size
    if args.shard is None:
        args.shard = int(os.environ.get('RANK', 0)), int(os.environ.get('WORLD_SIZE', 1))
    return args


def default_workers() -> int:
    """The cores this process may use, shared with the other ranks of a launcher."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    return max(1, (cores or 1) // int(os.environ.get('LOCAL_WORLD_SIZE', 1)))


def shard(text: str) -> tuple[int, int]:
    """'i/n' as two numbers."""
    number, _, count = text.partition('/')
    return int(number), int(count)


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    for stream in (sys.stdout, sys.stderr):  # names of files need not be valid UTF-8
        if hasattr(stream, 'reconfigure'):
            stream.reconfigure(errors='backslashreplace')
    hint = ' (without --overwrite, which would begin anew)' if args.overwrite else ''
    try:
        summary = generate_masks(
            list_images(args.images, data=args.data, dataloader=args.dataloader, masks=args.out),
            args.out,
            estimator={'type': args.estimator, **args.cfg_options},
            workers=args.workers,
            batch_size=args.batch_size,
            shard=args.shard,
            threshold=args.threshold,
            name_rule=args.name_rule,
            overwrite=args.overwrite,
        )
    except KeyboardInterrupt:
        print(f'\ninterrupted; run the same command again to go on{hint}', file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        text = str(error) if isinstance(error, (WorkError, OSError)) else explain(error)
        if text is None or args.debug:
            raise
        sys.exit(f'generate_masks: {text}{hint if "command again" in text else ""}')
    if summary is None:
        i, n = args.shard
        print(f'shard {i}/{n} is done; the shard that ends last writes {args.out}/{REPORT}')
        return
    print(summary_text(summary))
    print(f'{args.out}, {args.out}/{REPORT}')
    if summary['failures']:
        print(f'failures: {args.out}/{REPORT}/{FAILURES}')
    if not summary['masks']:
        sys.exit(f'generate_masks: no image gave a mask; see {args.out}/{REPORT}/{FAILURES}')


if __name__ == '__main__':
    main()
