"""Print each package of the stack: found, tested, and what repairs it.

Works without any of them. Exit status 1 if something is missing or installed
twice; another version than the tested one is only shown.
"""

import argparse
import importlib.util
import sys
from pathlib import Path

TOOL = Path(__file__).resolve()


def load_environment():
    """bgaug_mm/environment.py by itself: importing bgaug_mm needs mmengine."""
    # In the source tree this file is tools/…, in a wheel bgaug_mm/.mim/tools/….
    places = [TOOL.parents[1] / 'bgaug_mm', TOOL.parents[2]]
    path = next(p / 'environment.py' for p in places if (p / 'environment.py').is_file())
    spec = importlib.util.spec_from_file_location('bgaug_mm_environment', path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up there
    spec.loader.exec_module(module)
    return module


def main() -> int:
    environment = load_environment()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--stack', choices=list(environment.STACKS), help='default: the installed one'
    )
    stack = parser.parse_args().stack or environment.stack_name()
    print(f'{stack} stack, {sys.executable}\n{environment.table(environment.rows(stack))}')
    try:
        environment.check(stack)
    except ImportError as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())
