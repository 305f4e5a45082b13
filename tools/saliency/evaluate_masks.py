#!/usr/bin/env python
"""Compare saliency estimators, and masks made before, with true masks.

    python tools/saliency/evaluate_masks.py world/original --estimators rbd mbplus u2netp
    python tools/saliency/evaluate_masks.py world/original --estimators \\
        rbd 'mine=onnx:path=net.onnx' made_before=world/original_rbd

Writes results.md (also printed), results.json, summary.csv, per_image.csv, scores.png
and samples.png (best, median and worst image of each).
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.environment import require_saliency  # noqa: E402
from bgaug_mm.evaluation.masks.evaluator import (  # noqa: E402
    Evaluation,
    SourceError,
    evaluate_source,
    list_pairs,
    read_pair,
)
from bgaug_mm.evaluation.masks.report import (  # noqa: E402
    summary_of,
    write_pictures,
    write_tables,
)
from bgaug_mm.evaluation.masks.sources import MaskSource, SourceSpec  # noqa: E402
from bgaug_mm.failures import one_line  # noqa: E402
from bgaug_mm.registry import SALIENCY_ESTIMATORS  # noqa: E402
from bgaug_mm.saliency.progress import Progress  # noqa: E402


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('data', help='folder of images')
    parser.add_argument(
        '--truth', help='folder or packed store of the true masks, by default DATA_masks'
    )
    parser.add_argument(
        '--estimators',
        nargs='+',
        metavar='SPEC',
        help='[NAME=]ESTIMATOR[:KEY=VALUE,…], or NAME=FOLDER (or packed store) of masks '
        'made before; by default '
        'every estimator',
    )
    parser.add_argument('--limit', type=int, help='take so many images, evenly spaced')
    parser.add_argument(
        '--size', type=int, help='reduce images and true masks to this longest side first'
    )
    parser.add_argument(
        '--against',
        metavar='NAME',
        help='also tell by how much this one exceeds each other, with paired intervals',
    )
    parser.add_argument('--out-dir', type=Path, default=Path('work_dirs/evaluate_masks'))
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    results: dict[str, Evaluation] = {}
    sources: dict[str, MaskSource] = {}
    skipped: dict[str, str] = {}

    def skip(name: str, error: Exception) -> None:
        skipped[name] = one_line(error)
        print(f'{name} is skipped: {skipped[name]}', flush=True)

    try:
        require_saliency('py_sod_metrics')
        if args.size is not None and args.size < 1:
            raise ValueError(f'`--size` must be at least 1, but got {args.size}')
        SALIENCY_ESTIMATORS.import_from_location()
        names = sorted(name for name in SALIENCY_ESTIMATORS.module_dict if name.islower())
        specs = [SourceSpec.parse(text) for text in args.estimators or names]
        doubled = {spec.name for spec in specs if sum(o.name == spec.name for o in specs) > 1}
        if doubled:
            raise ValueError(f'two estimators are named {min(doubled)}; write NAME=… before one')
        if args.against is not None and args.against not in {spec.name for spec in specs}:
            raise ValueError(f'`--against {args.against}` is none of the estimators')
        pairs = list_pairs(args.data, args.truth, limit=args.limit)
        read_pair(pairs[0], args.size)
    except (ValueError, OSError, ImportError) as error:
        sys.exit(f'evaluate_masks: {error}')

    for spec in specs:
        try:
            sources[spec.name] = source = spec.build(args.data)
        except (ValueError, ImportError, OSError) as error:
            skip(spec.name, error)
            continue
        progress = Progress(len(pairs), name=spec.name, unit='images')
        try:
            results[spec.name] = evaluate_source(
                source, pairs, size=args.size, advance=partial(progress.advance, 1)
            )
            progress.close()
        except SourceError as error:
            skip(spec.name, error)
        except KeyboardInterrupt:  # what there is may be hours of work
            skip(spec.name, RuntimeError('interrupted, and the estimators after it'))
            break
        except (ValueError, OSError) as error:  # an image or a true mask
            sys.exit(f'evaluate_masks: {error}')
    if not results:
        sys.exit('evaluate_masks: nothing was evaluated')

    settings = {'images': len(pairs), 'of': args.data, 'longest side': args.size}
    summary = summary_of(results)
    text = write_tables(
        args.out_dir,
        summary,
        results,
        pairs,
        settings=settings,
        skipped=skipped,
        against=args.against if args.against in results else None,
    )
    write_pictures(args.out_dir, summary, results, sources, pairs, size=args.size)
    print(f'\n{text}\n{args.out_dir}/')


if __name__ == '__main__':
    main()
