"""Build script: metadata, and ``bgaug_mm/.mim`` with configs, tools and index."""

import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
# What mim and `bgaug_mm::…` config paths look up in an installed package;
# requirements serve the environment check.
MIM_FILES = ('configs', 'tools', 'requirements', 'model-index.yml')
IGNORED = shutil.ignore_patterns('__pycache__', '.*', 'find_python.sh', 'mmcv_with_ops.sh')


def read_version() -> str:
    """The version, without importing the package (its imports may be missing)."""
    scope: dict = {}
    exec((ROOT / 'bgaug_mm/version.py').read_text(encoding='utf-8'), scope)
    return scope['__version__']


def read_requirements(name: str) -> list:
    lines = (ROOT / 'requirements' / name).read_text(encoding='utf-8').splitlines()
    return [line for line in map(str.strip, lines) if line and not line.startswith('#')]


class BuildWithMim(build_py):
    """Put ``.mim`` into the build, never copies of it into the source tree.

    A copy beside the sources would go stale and shadow them. An editable
    install therefore gets links; where they cannot be made, bgaug_mm.compat
    resolves configs from the source tree all the same.
    """

    def run(self) -> None:
        super().run()
        if getattr(self, 'editable_mode', False):
            self._link(ROOT / 'bgaug_mm/.mim')
        else:
            self._copy(Path(self.build_lib) / 'bgaug_mm/.mim')

    def _link(self, mim: Path) -> None:
        mim.mkdir(exist_ok=True)
        for name in MIM_FILES:
            link = mim / name
            if link.is_symlink():
                link.unlink()
            try:
                link.symlink_to(Path('../..') / name, target_is_directory=(ROOT / name).is_dir())
            except OSError as error:
                self.warn(f'no link {link}: {error}')

    def _copy(self, mim: Path) -> None:
        shutil.rmtree(mim, ignore_errors=True)  # a former build's, perhaps with deleted files
        mim.mkdir(parents=True)
        for name in MIM_FILES:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, mim / name, ignore=IGNORED)
            else:
                shutil.copy2(ROOT / name, mim / name)


setup(
    name='bgaug_mm',
    version=read_version(),
    description='Background augmentations, saliency masks and hard views for OpenMMLab',
    long_description=(
        (ROOT / 'README.md').read_text(encoding='utf-8') if (ROOT / 'README.md').exists() else ''
    ),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    keywords=['self-supervised learning', 'background augmentation', 'saliency', 'OpenMMLab'],
    classifiers=[
        'Development Status :: 4 - Beta',
        'Programming Language :: Python :: 3',
        'Programming Language :: Python :: 3.10',
        'Programming Language :: Python :: 3.11',
        'Programming Language :: Python :: 3.12',
        'Programming Language :: Python :: 3.13',
        'Topic :: Scientific/Engineering :: Artificial Intelligence',
    ],
    python_requires='>=3.10',
    packages=find_packages(include=['bgaug_mm', 'bgaug_mm.*']),
    package_data={'bgaug_mm': ['py.typed']},
    install_requires=read_requirements('runtime.txt'),
    extras_require={
        'current': read_requirements('mminstall.txt'),
        'classic': read_requirements('classic.txt'),
        'evaluation': read_requirements('evaluation.txt'),
        'tests': read_requirements('tests.txt'),
    },
    cmdclass={'build_py': BuildWithMim},
    zip_safe=False,
)
