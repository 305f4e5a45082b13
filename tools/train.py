"""Train a model by its config; ``--help`` lists the options."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

if __name__ == '__main__':
    try:
        from bgaug_mm.engine.launch import main
    except ImportError as error:
        print(f'error: {error}', file=sys.stderr)
        sys.exit(2)
    sys.exit(main(['train', *sys.argv[1:]]))
