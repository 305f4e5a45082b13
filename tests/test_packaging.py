"""The wheel, the sdist, the metadata and the files that name versions."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
import yaml
from mmengine.config.utils import _get_cfg_metainfo

MIM = 'bgaug_mm/.mim/'


def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def metadata(wheel: Path):
    archive = zipfile.ZipFile(wheel)
    (name,) = [name for name in archive.namelist() if name.endswith('.dist-info/METADATA')]
    return Parser().parsestr(archive.read(name).decode())


def files(folder: Path, *patterns: str) -> set[str]:
    return {
        str(file.relative_to(folder.parent))
        for pattern in patterns
        for file in folder.rglob(pattern)
        if '__pycache__' not in file.parts and '.mim' not in file.parts
    }


def test_wheel_carries_the_package_and_mim(wheel: Path, source_copy: Path):
    found = names(wheel)
    assert files(source_copy / 'bgaug_mm', '*.py', 'py.typed') <= found
    for folder in ('configs', 'tools'):
        wanted = files(source_copy / folder, '*.py', '*.sh', '*.yml', '*.csv')
        assert wanted
        assert {MIM + name for name in wanted} <= found
    assert {MIM + 'model-index.yml', MIM + 'configs/byol_bgswap.py'} <= found
    assert MIM + 'requirements/mminstall.txt' in found


def test_wheel_carries_nothing_else(wheel: Path):
    foreign = [
        name
        for name in names(wheel)
        if not re.match(r'bgaug_mm/[^.]|bgaug_mm-[^/]+\.dist-info/', name)
        and not re.match(rf'{re.escape(MIM)}(configs/|tools/|requirements/|model-index\.yml)', name)
    ]
    assert not foreign
    assert not [name for name in names(wheel) if '__pycache__' in name or '/tests/' in name]
    assert wheel.stat().st_size < 2 << 20


def test_build_leaves_no_mim_in_the_source(wheel: Path, source_copy: Path):
    assert not (source_copy / 'bgaug_mm/.mim').exists()


def test_sdist_makes_the_same_wheel(wheel: Path, source_copy: Path, tmp_path: Path, build_wheel):
    code = 'from setuptools import build_meta as b; import sys; b.build_sdist(sys.argv[1])'
    command = [sys.executable, '-c', code, str(tmp_path)]
    subprocess.run(command, cwd=source_copy, check=True, capture_output=True)
    (sdist,) = tmp_path.glob('bgaug_mm-*.tar.gz')
    assert names(build_wheel(sdist, tmp_path)) == names(wheel)


def test_deleted_config_does_not_come_back(source_copy: Path, tmp_path: Path, build_wheel):
    """setuptools keeps build/lib between builds; .mim must not."""
    tree = shutil.copytree(source_copy, tmp_path / 'tree')
    extra = tree / 'configs/extra.py'
    extra.write_text('')
    assert MIM + 'configs/extra.py' in names(build_wheel(tree, tmp_path / 'first'))
    extra.unlink()
    assert MIM + 'configs/extra.py' not in names(build_wheel(tree, tmp_path / 'second'))


@pytest.mark.slow
@pytest.mark.parametrize('setuptools', ['65.5.1', '69.5.1', '81.0.0', ''])
def test_isolated_builds(
    wheel: Path, source_copy: Path, tmp_path, build_wheel, monkeypatch, setuptools
):
    if sys.version_info >= (3, 12) and setuptools == '65.5.1':
        pytest.skip('setuptools 65 does not import on Python 3.12')
    # Isolation downloads; without an index there is nothing to test.
    probe = [sys.executable, '-m', 'pip', 'download', '-q', '--no-deps', '-d', str(tmp_path)]
    if subprocess.run([*probe, 'setuptools==81.0.0'], capture_output=True).returncode:
        pytest.skip('no package index can be reached')
    if setuptools:
        constraint = tmp_path / 'constraint.txt'
        constraint.write_text(f'setuptools=={setuptools}\n')
        # pip < 25.3 and later ones, in this order.
        monkeypatch.setenv('PIP_CONSTRAINT', str(constraint))
        monkeypatch.setenv('PIP_BUILD_CONSTRAINT', str(constraint))
    built = build_wheel(source_copy, tmp_path / 'out', '--use-pep517')
    strip = {re.sub(r'\.dist-info/.*', '', name) for name in names(built)}
    assert strip == {re.sub(r'\.dist-info/.*', '', name) for name in names(wheel)}


def test_metadata_forces_no_engine(wheel: Path, root: Path):
    meta = metadata(wheel)
    scope: dict = {}
    exec((root / 'bgaug_mm/version.py').read_text(), scope)
    assert meta['Version'] == scope['__version__']
    assert meta['Requires-Python'] == '>=3.10'
    requires = meta.get_all('Requires-Dist')
    always = [line for line in requires if 'extra ==' not in line]
    assert not [line for line in always if re.match(r'(onedl-)?mm', line)]
    assert not [line for line in always if '==' in line]
    for extra, engine in (('current', 'onedl-mmengine'), ('classic', 'mmengine')):
        mine = [line for line in requires if re.search(f'extra == .{extra}.', line)]
        assert sum(line.startswith(f'{engine}==') for line in mine) == 1
        assert sum(line.startswith('mmselfsup==1.0.0') for line in mine) == 1


def test_model_index_is_what_mmengine_reads(wheel: Path, tmp_path: Path):
    zipfile.ZipFile(wheel).extractall(tmp_path)
    package = tmp_path / 'bgaug_mm'
    meta = _get_cfg_metainfo(str(package), 'byol_bgswap.py')
    assert meta['Config'] == 'configs/byol_bgswap.py'
    assert (package / '.mim' / meta['Config']).is_file()
    with pytest.raises(ValueError, match=r'no_such\.py'):
        _get_cfg_metainfo(str(package), 'no_such.py')


def test_model_index_lists_every_recipe(root: Path):
    index = yaml.safe_load((root / 'model-index.yml').read_text())
    models = [
        model
        for path in index['Import']
        for model in yaml.safe_load((root / path).read_text())['Models']
    ]
    recipes = [*root.glob('configs/*.py'), *root.glob('configs/mmpretrain/*.py')]
    listed = [model['Config'] for model in models]
    assert sorted(listed) == sorted(str(path.relative_to(root)) for path in recipes)
    assert len({model['Name'] for model in models}) == len(models)


def test_linters_have_one_version(root: Path):
    pins = dict(re.findall(r'^(\w+)==(\S+)', (root / 'requirements/lint.txt').read_text(), re.M))
    assert f'rev: v{pins["ruff"]}\n' in (root / '.pre-commit-config.yaml').read_text()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (
            ['10', '13', 'no-such-python'],
            r'no-such-python \(.*\) cannot be used: Python 3.10 to 3.13',
        ),
        (['90', '91'], r'No Python between 3.90 and 3.91 was found \(python3 is: '),
        (['90', '91', sys.executable], r'Python 3\.\d+\.\d+\S*\) cannot be used'),
    ],
)
def test_find_python_says_what_is_needed(root: Path, arguments, message):
    command = ['sh', str(root / 'requirements/find_python.sh'), *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, '')
    assert re.search(message, done.stderr)
    assert 'PYTHON=' in done.stderr


def test_find_python_takes_the_named_one(root: Path):
    minor = str(sys.version_info.minor)
    command = ['sh', str(root / 'requirements/find_python.sh'), minor, minor, sys.executable]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.strip() == sys.executable


@pytest.mark.skipif(shutil.which('make') is None, reason='make is not installed')
def test_make_targets(root: Path, tmp_path: Path):
    env = {key: value for key, value in os.environ.items() if not key.startswith('MAKE')}

    def run(*arguments: str) -> str:
        command = ['make', '-C', str(root), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout

    targets = re.findall(r'^([a-z-]+) {2,}', run('help'), re.M)
    assert {'env', 'test', 'test-classic', 'demo', 'bench', 'lint', 'wheel'} <= set(targets)
    # Another place by VENV=, and pip alone by INSTALLER=pip.
    plan = run('--dry-run', 'test', f'VENV={tmp_path}/env', 'INSTALLER=pip')
    assert f'{tmp_path}/env/bin/python -m pytest' in plan
    assert not (tmp_path / 'env').exists()
