#!/usr/bin/env python
"""Learn a saliency network from a folder of images, without any label.

Handcrafted cues, a small network for each of them that is refined against the moving
average of its own predictions, one more network on what they agree on, and its export:
OUT/saliency.onnx for --estimator onnx, and the checkpoint in OUT/fused for
--estimator learned. Run the same command again after an interruption: it goes on where
it was.

    python tools/saliency/learn_saliency.py data/train work_dirs/saliency
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.engine.launch_errors import explain  # noqa: E402
from bgaug_mm.environment import require_saliency  # noqa: E402
from bgaug_mm.saliency.export import export_onnx  # noqa: E402
from bgaug_mm.saliency.learned import load_learner  # noqa: E402
from bgaug_mm.saliency.learning import learn_saliency, usable_cores  # noqa: E402
from bgaug_mm.saliency.learning_config import Recipe  # noqa: E402
from bgaug_mm.saliency.refine import REFINERS  # noqa: E402
from bgaug_mm.saliency.worker_pool import WorkError  # noqa: E402


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add('images', type=Path, help='folder of images, searched to any depth')
    add('out', type=Path, metavar='OUT', help='folder of the results, made here')
    add('--cues', nargs='+', default=['rbd', 'mbplus', 'gs'], metavar='NAME',
        help='estimators, the best one first (default: rbd mbplus gs)')  # fmt: skip
    add('--rounds', type=int, default=2, metavar='N', help='trainings of each cue (default 2)')
    add('--size', type=int, help="side the networks see, in pixels (default: the configs', 128)")
    add('--epochs', type=int, nargs=2, metavar=('CUE', 'FUSED'),
        help="epochs of a cue's round and of the last network (default: the configs')")  # fmt: skip
    add('--refine', choices=REFINERS, default='grabcut',
        help='sharpen what the cues agree on by the image (default: grabcut)')  # fmt: skip
    add('--init', metavar='CHECKPOINT',
        help='self-supervised checkpoint whose backbone is a bgaug_mm.SaliencyEncoder '
        '(default: random weights)')  # fmt: skip
    add('--cue-config', default=Recipe().cue_config, metavar='CONFIG')
    add('--fused-config', default=Recipe().fused_config, metavar='CONFIG')
    add('--seed', type=int, help="of all trainings (default: the configs', 0)")
    add('--jobs', type=int, help='trainings at once (default: the cores, 3 at most)')
    add('--quick', action='store_true', help='one round, one epoch each, 64 px: to try it out')
    add('--debug', action='store_true', help='show tracebacks of all errors')
    args = parser.parse_args(argv)
    if args.quick:
        args.rounds, args.epochs, args.size = 1, (1, 1), 64
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    started = time.time()
    cue_epochs, fused_epochs = args.epochs or (None, None)
    cores = usable_cores()
    try:
        require_saliency('onnx', 'onnxruntime')  # now, not in twenty minutes
        checkpoint = learn_saliency(
            args.images,
            args.out,
            cues=args.cues,
            rounds=args.rounds,
            recipe=Recipe(
                args.cue_config, args.fused_config, cue_epochs, fused_epochs,
                args.size, args.init, args.seed,
            ),
            refine_with=args.refine,
            jobs=min(3, cores) if args.jobs is None else args.jobs,
            cores=cores,
            tool=ROOT / 'tools/train.py',
        )  # fmt: skip
        model, size = load_learner(checkpoint)
        file = args.out / 'saliency.onnx'
        difference = export_onnx(model.network, file, size=size or 128)
    except KeyboardInterrupt:
        sys.exit('learn_saliency: interrupted; the same command goes on from here')
    except Exception as error:
        text = str(error) if isinstance(error, (WorkError, OSError, RuntimeError)) else None
        text = text or explain(error)
        if text is None or args.debug:
            raise
        sys.exit(f'learn_saliency: {text}')
    print(
        f'{file}: as torch within {difference:.1g}; --estimator onnx '
        f'--cfg-options path={file} stretch=False'
    )
    print(f'{checkpoint}: --estimator learned --cfg-options checkpoint={checkpoint}')
    print(f'{time.time() - started:.0f} s in all')


if __name__ == '__main__':
    warnings.filterwarnings('ignore', module='mmcv')  # about options nobody here set
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that trainings end as well
    main()
