#!/usr/bin/env python
"""Write a learned saliency network as ONNX, checked against torch.

python tools/saliency/export_saliency.py work_dirs/saliency/fused/epoch_12.pth saliency.onnx
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.engine.launch_config import LaunchError, load_config  # noqa: E402
from bgaug_mm.saliency.export import export_onnx  # noqa: E402
from bgaug_mm.saliency.learned import load_learner  # noqa: E402


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint', help='of a bgaug_mm.SaliencyLearner')
    parser.add_argument('out', type=Path, help='the .onnx file')
    parser.add_argument('--config', help='its config (default: the one in the checkpoint)')
    parser.add_argument(
        '--size', type=int, help='side of the input in pixels (default: that of training)'
    )
    args = parser.parse_args(argv)
    try:
        config = None if args.config is None else load_config(args.config)
        model, trained = load_learner(args.checkpoint, config)
        size = (trained or 128) if args.size is None else args.size
        difference = export_onnx(model.network, args.out, size=size)
    except (ValueError, OSError, ImportError, RuntimeError, LaunchError) as error:
        sys.exit(f'export_saliency: {error}')
    print(f'{args.out}: as torch within {difference:.1g}')


if __name__ == '__main__':
    main()
