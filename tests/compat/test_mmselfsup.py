"""The import remedies, on made-up packages that have the same faults."""

import os
import shutil
import sys
import traceback
from pathlib import Path

import pytest
from mmengine.registry import Registry
from mmengine.registry import root as root_registries

REGISTRY = """
from mmengine.registry import MODELS as ROOT_MODELS, LOOPS as ROOT_LOOPS, Registry
MODELS = Registry('model', parent=ROOT_MODELS, scope='{0}', locations=['{0}.models'])
LOOPS = Registry('loop', parent=ROOT_LOOPS, scope='{0}', locations=['{0}.engine.runner'])
"""
EXTRA_NORM = """
try:
    from mmdet.registry import MODELS
    @MODELS.register_module()
    class ResLayerExtraNorm:
        package = '{}'
except ImportError:
    pass
"""
ASSERTING = """
import mmcv
from mmengine.utils import digit_version
assert digit_version('2.0.0rc4') <= digit_version(mmcv.__version__) < digit_version('2.1.0')
{}
"""
#: mmcv 2.3, mmcls, mmselfsup, mmpretrain and mmdet, each reduced to its fault.
PACKAGES = {
    'mmcv/__init__.py': "__version__ = '2.3.6'",
    'mmcls/__init__.py': ASSERTING.format(''),
    'mmcls/registry.py': REGISTRY.format('mmcls'),
    'mmcls/models/__init__.py': '',
    'mmselfsup/__init__.py': ASSERTING.format('import mmcls'),
    'mmselfsup/registry.py': REGISTRY.format('mmselfsup'),
    'mmselfsup/engine/__init__.py': '',
    'mmselfsup/models/__init__.py': 'from .utils import res_layer_extra_norm',
    'mmselfsup/models/utils/__init__.py': '',
    'mmselfsup/models/utils/res_layer_extra_norm.py': EXTRA_NORM.format('mmselfsup'),
    'mmpretrain/__init__.py': '',
    'mmpretrain/models/__init__.py': 'from .utils import res_layer_extra_norm',
    'mmpretrain/models/utils/__init__.py': '',
    'mmpretrain/models/utils/res_layer_extra_norm.py': EXTRA_NORM.format('mmpretrain'),
    'mmdet/__init__.py': '',
    'mmdet/registry.py': (
        'from mmengine.registry import MODELS as ROOT, Registry\n'
        "MODELS = Registry('model', parent=ROOT, scope='mmdet', locations=['mmdet.models'])\n"
    ),
    'mmdet/models/__init__.py': 'import mmpretrain.models',
}
START = """
import remedies
remedies.install_import_remedies(); remedies.install_import_remedies()
assert 'mmselfsup' not in sys.modules and 'mmpretrain' not in sys.modules
"""


def forget_real_packages() -> None:
    """As if only the standard library, torch and mmengine had been imported."""
    ours = {*(name.partition('/')[0] for name in PACKAGES), 'bgaug_mm'}
    for name in [name for name in sys.modules if name.partition('.')[0] in ours]:
        del sys.modules[name]
    sys.meta_path[:] = [f for f in sys.meta_path if type(f).__name__ != '_RemedyFinder']
    for registry in vars(root_registries).values():
        if isinstance(registry, Registry):
            registry.children.clear()


@pytest.fixture
def run(tmp_path: Path, root: Path):
    """Run code in a fork of this process that finds only the made-up packages."""
    for name, text in PACKAGES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    # the file's own remedies, without the rest of bgaug_mm
    text = (root / 'bgaug_mm/compat/mmselfsup.py').read_text()
    (tmp_path / 'remedies.py').write_text(text + '\nprint_log = lambda text, **_: print(text)\n')

    def execute(code: str, start: str = START) -> tuple[int, str]:
        output = tmp_path / 'output.txt'
        pid = os.fork()
        if pid == 0:
            status = 1
            with output.open('w') as sys.stdout:
                try:
                    forget_real_packages()
                    sys.path.insert(0, str(tmp_path))
                    exec(start + code, {'sys': sys})
                    status = 0
                except BaseException:
                    traceback.print_exc(file=sys.stdout)
            os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), output.read_text()

    return execute


def test_without_the_remedies_nothing_works(run):
    status, output = run('import mmselfsup', start='')
    assert status and 'AssertionError' in output


def test_all_three(run):
    status, output = run("""
import mmcv, mmselfsup
assert mmcv.__version__ == '2.3.6', 'restored'
from mmselfsup.registry import LOOPS, MODELS
from mmengine.runner import EpochBasedTrainLoop
assert LOOPS.get('EpochBasedTrainLoop') is EpochBasedTrainLoop
assert MODELS._locations == ['mmselfsup.models'], 'what exists is kept'
MODELS.import_from_location()
import mmselfsup.models, mmdet.registry, mmpretrain.models
assert mmdet.registry.MODELS.get('ResLayerExtraNorm').package == 'mmselfsup'
remedies.install_import_remedies()
print('finders', sum(type(f).__name__ == '_RemedyFinder' for f in sys.meta_path))
""")
    assert status == 0, output
    assert 'finders 1' in output
    for said in (
        'mmcv 2.3.6 reports 2.0.1 while mmselfsup is imported',
        'mmselfsup.engine.runner, where mmselfsup.registry looks for LOOPS, does not exist',
        'ResLayerExtraNorm is registered in mmdet by mmpretrain and by mmselfsup',
    ):
        assert output.count(said) == 1, output


def test_mmpretrain_after_mmselfsup_and_mmdet(run):
    """The other order: mmpretrain's registration is the second one."""
    status, output = run("""
import mmselfsup.models
import mmdet.registry
for name in [n for n in sys.modules if n.startswith('mmpretrain')]: del sys.modules[name]
import mmpretrain.models
assert mmdet.registry.MODELS.get('ResLayerExtraNorm').package == 'mmpretrain'
""")
    assert status == 0, output


def test_no_cause_no_remedy(run, tmp_path: Path):
    (tmp_path / 'mmcv/__init__.py').write_text("__version__ = '2.0.1'")
    for name in ('mmcls', 'mmselfsup'):
        (tmp_path / name / 'engine').mkdir(exist_ok=True)
        for file in ('__init__', 'runner'):
            (tmp_path / name / f'engine/{file}.py').touch()
    (tmp_path / 'mmdet/registry.py').unlink()
    status, output = run("""
import mmselfsup.models
from mmselfsup.registry import LOOPS
assert LOOPS._locations == ['mmselfsup.engine.runner']
""")
    assert status == 0, output
    assert 'bgaug_mm' not in output


def test_version_is_restored_after_an_error(run, tmp_path: Path):
    (tmp_path / 'mmselfsup/__init__.py').write_text('raise RuntimeError("broken")')
    status, output = run("""
import mmcv
try:
    import mmselfsup
except RuntimeError as error:
    assert str(error) == 'broken'
    assert mmcv.__version__ == '2.3.6'
    print('restored')
""")
    assert status == 0 and 'restored' in output, output


def test_imported_before_us(run, tmp_path: Path):
    """On an old mmcv mmselfsup may come first: its registries are repaired afterwards."""
    (tmp_path / 'mmcv/__init__.py').write_text("__version__ = '2.0.1'")
    status, output = run(
        "from mmselfsup.registry import LOOPS\nassert LOOPS._locations == ['mmselfsup.registry']",
        start='import mmselfsup.registry' + START.rpartition('assert')[0],
    )
    assert status == 0, output


def test_an_absent_package_stays_absent(run, tmp_path: Path):
    shutil.rmtree(tmp_path / 'mmdet')
    status, output = run("""
from importlib.util import find_spec
assert find_spec('mmdet') is None
import mmselfsup.models
assert find_spec('mmselfsup').loader.get_source('mmselfsup')
""")
    assert status == 0, output


def test_the_real_package():
    """In this environment: mmselfsup and what it registers."""
    import mmcv
    import mmselfsup
    from mmengine.registry import LOOPS as ROOT
    from mmselfsup.registry import LOOPS, MODELS

    assert mmselfsup.__version__ == '1.0.0'
    assert mmcv.__version__ == mmcv.version.__version__
    assert LOOPS.get('EpochBasedTrainLoop') is ROOT.get('EpochBasedTrainLoop')
    assert MODELS.get('BYOL').__module__ == 'mmselfsup.models.algorithms.byol'
