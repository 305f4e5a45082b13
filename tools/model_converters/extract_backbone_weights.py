#!/usr/bin/env python
"""Take one backbone out of a checkpoint, for OpenMMLab or under another library's names.

IN is a checkpoint of mmselfsup, mmpretrain or bgaug_mm, whatever the algorithm: MoCo, BYOL, DINO,
…; from one process or several, with EMAHook or SWA, or already extracted. OUT is written by its
ending, .pth or .safetensors, whole or not at all, with where it comes from.

    python tools/model_converters/extract_backbone_weights.py work_dirs/dino/epoch_100.pth \\
        dino_teacher.pth --which teacher
    python tools/model_converters/extract_backbone_weights.py work_dirs/byol/epoch_200.pth \\
        byol_r50.safetensors --to timm
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.checkpoints import find_networks, read_checkpoint  # noqa: E402
from bgaug_mm.checkpoints.extracting import LAYOUTS, MM, extract_backbone  # noqa: E402
from bgaug_mm.compat import CheckpointError  # noqa: E402

#: How a file is read there: {0} is its name, {1} the weights in it.
USES = {
    'mm': '  checkpoint={0} in the configs of configs/detection, or in any config\n'
    "  backbone.init_cfg=dict(type='Pretrained', checkpoint={0!r})",
    'torchvision': '  model.load_state_dict({1}, strict=False)  # its classifier alone is missing',
    'timm': '  timm.create_model(NAME, num_classes=0, checkpoint_path={0!r})',
    'detectron2': '  MODEL.WEIGHTS: {0}\n'
    '  MODEL.RESNETS.STRIDE_IN_1X1: False  # as trained here; R-50.pkl of its zoo: True\n'
    "  MODEL.RESNETS.NORM: 'SyncBN'  # its default, FrozenBN, is for R-50.pkl\n"
    '  MODEL.BACKBONE.FREEZE_AT: 0\n'
    "  INPUT.FORMAT: 'RGB'  # its default is BGR, with the deviations in the weights\n"
    '  MODEL.PIXEL_MEAN: [123.675, 116.28, 103.53]\n'
    '  MODEL.PIXEL_STD: [58.395, 57.12, 57.375]  # or what `input` above says',
}


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('source', metavar='IN', help='checkpoint, .pth or .safetensors')
    parser.add_argument(
        'target', metavar='OUT', nargs='?', help='file to write; without it IN is only looked into'
    )
    parser.add_argument(
        '--which',
        default='auto',
        help='which network: auto (the one named backbone; where EMAHook ran, its average), online '
        '(query, student), teacher (target, momentum, key), ema, or a dotted name in the file',
    )
    parser.add_argument(
        '--to', choices=LAYOUTS, default=MM, help="whose names OUT has (default: OpenMMLab's)"
    )
    parser.add_argument(
        '--from', dest='names', choices=LAYOUTS, default=MM, help='whose names IN has'
    )
    return parser.parse_args(argv)


def parts_table(weights: Mapping[str, Tensor]) -> str:
    """Tensors and numbers in them by part, e.g. ``layer1``."""
    rows: dict[str, list[Tensor]] = {}
    for key, value in weights.items():
        rows.setdefault(key.partition('.')[0], []).append(value)
    rows['all'] = list(weights.values())
    width = max(map(len, rows))
    return '\n'.join(
        f'  {part:{width}}  {len(some):4} tensors  {sum(v.numel() for v in some):>12,} values'
        for part, some in rows.items()
    )


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    try:
        if args.target is None:
            print(f'{args.source} holds')
            for network in find_networks(read_checkpoint(args.source)):
                print(f'{network}\n{parts_table(network.weights)}')
            return
        network, provenance = extract_backbone(
            args.source, args.target, which=args.which, to=args.to, names=args.names
        )
    except (ValueError, OSError, CheckpointError) as error:
        sys.exit(f'extract_backbone_weights: {error}')
    print(parts_table(network.weights))
    for key, value in provenance.items():
        print(f'{key}: {value}')
    loaded = f"torch.load({args.target!r})['state_dict']"
    if args.target.endswith('.safetensors'):
        loaded = f'safetensors.torch.load_file({args.target!r})'
    print(f'{args.target}, to be read with\n{USES[args.to].format(args.target, loaded)}')


if __name__ == '__main__':
    main()
