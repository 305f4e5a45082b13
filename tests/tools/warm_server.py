"""Runs tools/train.py and tools/test.py many times for the price of one import.

Imports the stack once, then forks a child for each run, which is as fresh as a new
process as far as the tools can tell. Reads a JSON object a line from stdin:
``{"tool", "argv", "cwd", "log", "env"}`` starts a run and prints its process id,
``{"wait": pid}`` prints the status it ended with (negative: killed by that signal).
"""

import importlib
import json
import os
import runpy
import signal
import sys
import traceback


def preload() -> None:
    for name in (
        'bgaug_mm.engine.launch',  # first: it makes mmselfsup importable
        'bgaug_mm.engine.hooks',
        'bgaug_mm.datasets.transforms',
        'mmselfsup.datasets',
        'mmselfsup.engine',
        'mmselfsup.models',
        'mmselfsup.visualization',
        'matplotlib.backends.backend_agg',
        'matplotlib.figure',
        'matplotlib.pyplot',
    ):
        importlib.import_module(name)
    sys.modules['torch'].set_num_threads(1)


def run(request: dict) -> int:
    log = os.open(request['log'], os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(request['cwd'])
    # a shell that starts the tests in the background makes them, and their children, ignore it
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(request['env'])
    sys.path.insert(0, request['cwd'])
    sys.modules['numpy'].random.seed()  # the fork inherited the state of one parent
    sys.argv = [request['tool'], *request['argv']]
    try:
        runpy.run_path(request['tool'], run_name='__main__')
    except SystemExit as stop:
        if isinstance(stop.code, str):  # as Python itself does
            print(stop.code, file=sys.stderr)
            return 1
        return int(stop.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def main() -> None:
    preload()
    print('ready', flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        if 'wait' in request:
            _, status = os.waitpid(request['wait'], 0)
            print(os.waitstatus_to_exitcode(status), flush=True)
            continue
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                code = run(request)
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)
        print(pid, flush=True)


if __name__ == '__main__':
    main()
