"""A small world of images and masks, and runs of the tools on it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]

#: The demo's BYOL recipe on 32 images, in seconds.
CONFIG = """
_base_ = 'bgaug_mm::demo/{recipe}.py'
data_root = 'world'
train_dataloader = dict(batch_size=8, num_workers=0, persistent_workers=False)
train_dataloader['dataset'] = {dataset}
train_cfg = dict(max_epochs=2)
default_hooks = dict(logger=dict(interval=1), checkpoint=dict(max_keep_ckpts=3))
custom_hooks = []
"""


class Tools:
    """Runs tools in children of one process that has imported the stack."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name('warm_server.py'))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'},
        )
        while (line := self._server.stdout.readline()) != 'ready\n':
            assert line, 'the server did not start'

    def _ask(self, **request) -> int:
        self._server.stdin.write(json.dumps(request) + '\n')
        self._server.stdin.flush()
        return int(self._server.stdout.readline())

    def __call__(self, tool: str, *argv, cwd: Path, **env: str) -> tuple[int, str]:
        """Run ``tools/<tool>.py argv…`` in ``cwd``: exit status and output."""
        return self.wait(self.start(tool, *argv, cwd=cwd, **env), cwd=cwd)

    def start(self, tool: str, *argv, cwd: Path, **env: str) -> int:
        """Start the same without waiting for it: its process id."""
        log = cwd / 'output.txt'
        log.unlink(missing_ok=True)
        return self._ask(
            tool=str(ROOT / 'tools' / f'{tool}.py'),
            argv=[str(a) for a in argv],
            cwd=str(cwd),
            log=str(log),
            env=env,
        )

    def wait(self, pid: int, *, cwd: Path) -> tuple[int, str]:
        """Exit status (negative: killed by that signal) and output of what was started."""
        return self._ask(wait=pid), (cwd / 'output.txt').read_text()

    def close(self) -> None:
        self._server.stdin.close()
        self._server.wait(20)


@pytest.fixture(scope='session')
def tools():
    server = Tools()
    yield server
    server.close()


def make_world(folder: Path, images: int = 32) -> Path:
    """``train/<class>/*.png`` of noise, each with a square mask in ``train_masks``."""
    rng = np.random.default_rng(0)
    for i in range(images):
        name = f'{i % 4}/{i:03d}.png'
        mask = np.zeros((48, 48), np.uint8)
        mask[12:36, 8 + i % 8 : 32 + i % 8] = 255
        for part, pixels in (('train', rng.integers(0, 256, (48, 48, 3), np.uint8)),
                             ('train_masks', mask)):  # fmt: skip
            path = folder / part / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with ``world`` and the configs byol_digits.py and byol_bgswap_digits.py."""
    make_world(tmp_path / 'world')
    for recipe, dataset in (
        ('byol_digits', 'dict(data_root=data_root)'),
        ('byol_bgswap_digits', 'dict(dataset=dict(data_root=data_root))'),
    ):
        text = CONFIG.format(recipe=recipe, dataset=dataset)
        (tmp_path / f'{recipe}.py').write_text(text)
    return tmp_path


@pytest.fixture(scope='session')
def losses():
    """Reads the losses of all runs in a work dir, by iteration, as they were logged."""

    def read(work_dir: Path) -> dict[int, float]:
        logged = {}
        for log in sorted(work_dir.glob('*/vis_data/scalars.json')):
            for line in log.read_text().splitlines():
                entry = json.loads(line)
                if 'loss' in entry:
                    logged[entry['step']] = entry['loss']
        return logged

    return read
