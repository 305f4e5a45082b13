#!/usr/bin/env python
"""Pack a folder of saliency masks into one file, check it, unpack it.

    python tools/saliency/pack_masks.py pack imagenet/train_masks imagenet/train.masks
    python tools/saliency/pack_masks.py verify imagenet/train.masks
    python tools/saliency/pack_masks.py unpack imagenet/train.masks imagenet/train_masks_again

Training reads the file by one line, ``mask_root='train.masks'`` of SaliencyMaskDataset (or
of ``with_background_op``), or ``--cfg-options train_dataloader.dataset.mask_root=train.masks``.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.datasets.mask_packing import list_masks, pack_masks  # noqa: E402
from bgaug_mm.datasets.mask_unpacking import unpack_store, verify_store  # noqa: E402
from bgaug_mm.datasets.packed_masks import PackedMasks  # noqa: E402
from bgaug_mm.saliency.progress import Progress  # noqa: E402


def pack(args: argparse.Namespace) -> int:
    """Pack a folder; 1 when masks were left out."""
    keys = list_masks(args.masks, suffix=args.suffix)
    progress = Progress(len(keys), name='pack_masks', unit='masks')
    done = pack_masks(
        args.masks,
        args.store,
        bits=args.bits,
        max_side=args.max_side,
        levels=args.levels,
        suffix=args.suffix,
        skip_bad=args.skip_bad,
        overwrite=args.overwrite,
        threads=args.threads,
        progress=progress,
    )
    progress.close()
    for name, problem in done.skipped.items():
        print(f'left out: {name}: {problem}')
    print(
        f'{done.masks} masks in {args.store}: {done.store_bytes / 1e6:.1f} MB, '
        f'{done.store_bytes / max(done.source_bytes, 1):.2f} of the '
        f'{done.source_bytes / 1e6:.1f} MB of their files'
    )
    return 1 if done.skipped else 0


def verify(args: argparse.Namespace) -> int:
    """Check every record; 1 when some are damaged."""
    store = PackedMasks(args.store)
    header = store.header
    progress = Progress(len(store), name='verify', unit='masks')
    problems = verify_store(args.store, progress=progress)
    progress.close()
    for key, problem in problems.items():
        print(f'damaged: {key}: {problem}')
    form = '1 bit' if header.bits == 1 else f'8 bits, {header.levels} levels'
    side = f'longest side at most {header.max_side}' if header.max_side else 'not reduced'
    print(f'{args.store}: {len(store)} masks ({form}, {side}), {len(problems)} damaged')
    return 1 if problems else 0


def unpack(args: argparse.Namespace) -> int:
    """Write a folder of PNG files; 1 when some masks are damaged."""
    progress = Progress(len(PackedMasks(args.store)), name='unpack', unit='masks')
    problems = unpack_store(args.store, args.folder, full_size=args.full_size, progress=progress)
    progress.close()
    for key, problem in problems.items():
        print(f'left out: {key}: {problem}')
    print(f'{progress.done - len(problems)} masks in {args.folder}')
    return 1 if problems else 0


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest='command', required=True)
    command = commands.add_parser('pack', help='make a store of a folder')
    command.add_argument('masks', help='folder that mirrors the image folder')
    command.add_argument('store', help="the file to make, '….masks'")
    command.add_argument(
        '--bits', type=int, choices=(8, 1), default=8, help='8: soft masks; 1: cut at 128'
    )
    command.add_argument(
        '--max-side',
        type=int,
        help="longest side in pixels, 0 for the masks' own; by default 224 for 8 bits, 512 for 1",
    )
    command.add_argument(
        '--levels', type=int, default=32, help='values a soft mask may have, 256 keeps all'
    )
    command.add_argument('--suffix', default='.png', help='ending of the mask files')
    command.add_argument('--skip-bad', action='store_true', help='leave out unusable masks')
    command.add_argument('--overwrite', action='store_true', help='replace a store that exists')
    command.add_argument('--threads', type=int, help='by default one a core')
    command.set_defaults(run=pack)
    command = commands.add_parser('verify', help='check every record')
    command.add_argument('store')
    command.set_defaults(run=verify)
    command = commands.add_parser('unpack', help='make a folder of PNG files again')
    command.add_argument('store')
    command.add_argument('folder')
    command.add_argument(
        '--full-size', action='store_true', help='enlarge reduced masks to the size they had'
    )
    command.set_defaults(run=unpack)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    args = parse_args(argv)
    try:
        return args.run(args)
    except (ValueError, OSError) as error:
        sys.exit(f'pack_masks: {error}')


if __name__ == '__main__':
    sys.exit(main())
