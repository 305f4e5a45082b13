"""``python -m bgaug_mm train CONFIG …`` and ``python -m bgaug_mm test CONFIG CHECKPOINT …``."""

import sys

from .engine.launch import main

if __name__ == '__main__':
    sys.exit(main())
