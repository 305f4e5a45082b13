#!/usr/bin/env python
"""Make a small world, handwritten digits on photos, without any download.

Digits and photos come from files inside the scikit-learn and scikit-image
wheels. Digits are drawn with light strokes; each digit has a photo it mostly
appears on (option ``--rho``). Folds share no digit and no part of a photo:
65 % of the digits and the left 62 % of each photo train.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.datasets.worlds import (  # noqa: E402
    Digits,
    Photos,
    PooledSource,
    add_world_options,
    make_world,
)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_world_options(parser, per_class=320, test_per_class=64)
    args = parser.parse_args(argv)
    make_world(
        'make_digits_on_photos',
        args,
        lambda: PooledSource(Digits(size=args.size, seed=args.seed), Photos(size=args.size)),
    )


if __name__ == '__main__':
    main()
