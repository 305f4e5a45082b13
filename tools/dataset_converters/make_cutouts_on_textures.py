#!/usr/bin/env python
"""Make a world of photographic cut-outs on textures.

Takes a folder ``cutouts/<class>/*.png`` (RGBA, alpha is the object's mask) and
``textures/<class>/*.jpg``. Folds share no cut-out and no texture file: 65 % of
either train.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.datasets.worlds import (  # noqa: E402
    Cutouts,
    PooledSource,
    Textures,
    add_world_options,
    file_digest,
    make_world,
)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('source', type=Path, help='folder with cutouts/ and textures/')
    add_world_options(parser, per_class=400, test_per_class=80)
    args = parser.parse_args(argv)

    def source() -> PooledSource:
        options = {'size': args.size, 'seed': args.seed}
        return PooledSource(
            Cutouts(args.source / 'cutouts', **options),
            Textures(args.source / 'textures', **options),
        )

    make_world(
        'make_cutouts_on_textures',
        args,
        source,
        recorded=lambda made: {
            'source_sha256': file_digest([*made.objects.files, *made.plates.files])
        },
    )


if __name__ == '__main__':
    main()
