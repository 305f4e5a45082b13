"""A project outside this repository inherits a recipe and trains.

Each installation gets a fresh virtual environment. The stack (torch, mmengine,
… 5 GB) is lent to it: a .pth file names the site-packages of the environment
that runs the tests. Python does not follow .pth files found there, so an
editable bgaug_mm of that environment stays invisible, and a bgaug_mm in the
fresh environment comes first. Only bgaug_mm itself is installed anew.
"""

import json
import os
import re
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

CONFIG = """
_base_ = 'bgaug_mm::byol_bgswap.py'

model = dict(backbone=dict(depth=18), neck=dict(in_channels=512))
train_dataloader = dict(
    batch_size=4,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(dataset=dict(data_root='my_images')))
optim_wrapper = dict(accumulative_counts=1)
train_cfg = dict(max_epochs=1)
default_hooks = dict(logger=dict(interval=1))
"""


class Install(NamedTuple):
    """A fresh environment with bgaug_mm in it."""

    python: Path
    #: Folder that `import bgaug_mm` must come from.
    home: Path
    #: Folder that `bgaug_mm::…` must resolve in.
    configs: Path
    #: As mim finds it: bgaug_mm/.mim/tools.
    tools: Path


def run(*command: object, cwd: Path) -> str:
    """Run outside the source tree; PYTHONPATH would let the source tree in again."""
    env = {key: value for key, value in os.environ.items() if key != 'PYTHONPATH'}
    env['OMP_NUM_THREADS'] = '1'
    done = subprocess.run(
        [*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, timeout=300
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    return output


def fresh_environment(folder: Path) -> tuple[Path, Path]:
    """A virtual environment that borrows the stack: its interpreter, its packages."""
    venv.create(folder, with_pip=False, symlinks=True)
    (packages,) = folder.glob('lib/python3.*/site-packages')
    lent = dict.fromkeys([sysconfig.get_path('purelib'), sysconfig.get_path('platlib')])
    (packages / 'stack.pth').write_text('\n'.join(lent) + '\n')
    # Python 3.12 has no distutils, which mmengine imports; setuptools lends its own
    # by this file, which must lie in the environment itself to be followed.
    for site in lent:
        for file in Path(site).glob('distutils-precedence.pth'):
            shutil.copy2(file, packages)
    return folder / 'bin/python', packages


@pytest.fixture(scope='module')
def from_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Install:
    folder = tmp_path_factory.mktemp('wheel-env')
    python, packages = fresh_environment(folder)
    run(python, '-m', 'pip', 'install', '--no-deps', '--no-index', wheel, cwd=folder)
    home = packages / 'bgaug_mm'
    return Install(python, home, home / '.mim/configs', home / '.mim/tools')


@pytest.fixture(scope='module')
def from_editable(source_copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Install:
    folder = tmp_path_factory.mktemp('editable-env')
    tree = folder / 'checkout'
    run('cp', '-r', source_copy, tree, cwd=folder)
    python, _ = fresh_environment(folder / 'env')
    options = ['--no-deps', '--no-index', '--no-build-isolation', '--editable']
    run(python, '-m', 'pip', 'install', *options, tree, cwd=folder)
    home = tree / 'bgaug_mm'
    return Install(python, home, tree / 'configs', home / '.mim/tools')


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Another project: a config, eight images in ImageNet's layout, their masks."""
    (tmp_path / 'my_config.py').write_text(CONFIG)
    rng = np.random.default_rng(0)
    lines = []
    for index in range(8):
        name = f'n{index % 2:08d}/{index}.png'
        mask = np.zeros((72, 80), np.uint8)
        mask[20:52, 24:60] = 255
        for folder, pixels in (
            ('train', rng.integers(0, 256, (72, 80, 3), np.uint8)),
            ('train_masks', mask),
        ):
            path = tmp_path / 'my_images' / folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
        lines.append(f'{name} {index % 2}\n')
    (tmp_path / 'my_images/meta').mkdir()
    (tmp_path / 'my_images/meta/train.txt').write_text(''.join(lines))
    return tmp_path


def losses(work_dir: Path) -> list[float]:
    (log,) = work_dir.glob('*/vis_data/scalars.json')
    return [json.loads(line)['loss'] for line in log.read_text().splitlines() if 'loss' in line]


def check_trained(work_dir: Path) -> None:
    assert len(losses(work_dir)) == 2  # 8 images, batches of 4
    assert all(np.isfinite(losses(work_dir)))
    assert (work_dir / 'epoch_1.pth').is_file()


WHERE = """
import bgaug_mm, importlib.metadata, pathlib
from mmengine.config import Config
path, _ = Config._get_cfg_path('bgaug_mm::byol_bgswap.py', 'my_config.py')
print('home=' + str(pathlib.Path(bgaug_mm.__file__).parent), 'config=' + path)
print('version=' + importlib.metadata.version('bgaug_mm'), bgaug_mm.__version__)
"""


@pytest.mark.parametrize('kind', ['from_wheel', 'from_editable'])
def test_everything_comes_from_the_installation(kind, request, project: Path, root: Path):
    install = request.getfixturevalue(kind)
    output = run(install.python, '-c', WHERE, cwd=project)
    assert f'home={install.home} ' in output
    assert f'config={install.configs / "byol_bgswap.py"}' in output
    version = re.search(r'version=(\S+) (\S+)', output)
    assert version[1] == version[2]
    assert str(root) not in output


def test_editable_install_has_the_mim_folder(from_editable: Install):
    mim = from_editable.home / '.mim'
    assert sorted(path.name for path in mim.iterdir()) == [
        'configs',
        'model-index.yml',
        'requirements',
        'tools',
    ]
    assert all(path.is_symlink() and path.exists() for path in mim.iterdir())


@pytest.mark.parametrize('kind', ['from_wheel', 'from_editable'])
def test_trains_by_module(kind, request, project: Path):
    install = request.getfixturevalue(kind)
    work_dir = project / 'out'
    run(
        install.python, '-m', 'bgaug_mm', 'train', 'my_config.py', '--work-dir', work_dir,
        cwd=project,
    )  # fmt: skip
    check_trained(work_dir)


def test_trains_by_mims_path(from_wheel: Install, project: Path):
    """`mim train bgaug_mm my_config.py` runs this file."""
    work_dir = project / 'out'
    run(
        from_wheel.python, from_wheel.tools / 'train.py', 'my_config.py', '--work-dir', work_dir,
        cwd=project,
    )  # fmt: skip
    check_trained(work_dir)


def test_environment_check_from_the_wheel(from_wheel: Install, project: Path):
    output = run(from_wheel.python, from_wheel.tools / 'check_environment.py', cwd=project)
    assert re.search(r'mmselfsup +1\.0\.0 +==1\.0\.0 +ok', output)
