"""The train command: upstream's configs build their models, options do what they say."""

import gc
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from mmengine.config import Config

from bgaug_mm.engine import launch, launch_config
from bgaug_mm.engine.launch_config import LaunchError

FAMILIES = {
    'byol': 'BYOL',
    'mocov1': 'MoCo',
    'mocov2': 'MoCo',
    'mocov3': 'MoCoV3',
    'swav': 'SwAV',
    'simsiam': 'SimSiam',
    'simclr': 'SimCLR',
}
UPSTREAM = Path(find_spec('mmselfsup').submodule_search_locations[0]) / '.mim/configs'
SHIPPED = sorted(
    path.relative_to(UPSTREAM).as_posix()
    for family in FAMILIES
    for path in (UPSTREAM / 'selfsup' / family).glob('*.py')
)


def config(*argv: str) -> Config:
    return launch.train_config(launch.train_parser().parse_args([str(a) for a in argv]))


def test_upstream_ships_what_is_tested():
    assert len(SHIPPED) == 22
    assert {name.split('/')[1] for name in SHIPPED} == set(FAMILIES)


@pytest.mark.parametrize('name', SHIPPED)
def test_upstreams_configs_build_their_model(tmp_path, name):
    cfg = config(f'mmselfsup::{name}', '--work-dir', tmp_path)
    runner = launch.build_runner(cfg)
    assert type(runner.model).__name__ == FAMILIES[name.split('/')[1]]
    assert sum(p.numel() for p in runner.model.parameters()) > 2e7
    del runner
    gc.collect()


@pytest.fixture
def base(tmp_path: Path) -> str:
    path = tmp_path / 'my_config.py'
    path.write_text("""
default_scope = 'mmselfsup'
train_dataloader = dict(num_workers=2, batch_size=4, dataset=dict(
    type='bgaug_mm.SaliencyMaskDataset', dataset=dict(
        type='mmengine.ConcatDataset', datasets=[
            dict(type='mmcls.CustomDataset', data_root='a', data_prefix='train'),
            dict(type='mmcls.CustomDataset', data_root='b')])))
val_dataloader = dict(dataset=dict(type='mmcls.CustomDataset', data_root='c'))
val_evaluator = dict(type='Accuracy')
val_cfg = dict()
train_cfg = dict(max_epochs=3)
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='SGD', lr=0.1))
auto_scale_lr = dict(base_batch_size=256)
""")
    return str(path)


def test_work_dir(base, tmp_path):
    assert config(base).work_dir == 'work_dirs/my_config'
    assert config('bgaug_mm::byol_bgswap.py').work_dir == 'work_dirs/byol_bgswap'
    assert config(base, '--cfg-options', 'work_dir=x').work_dir == 'x'
    assert config(base, '--cfg-options', 'work_dir=x', '--work-dir', 'y').work_dir == 'y'


def test_data_reaches_every_dataset(base, tmp_path):
    cfg = config(base, '--data', tmp_path)
    inner = cfg.train_dataloader.dataset.dataset.datasets
    assert [d.data_root for d in inner] == [str(tmp_path)] * 2
    assert cfg.val_dataloader.dataset.data_root == str(tmp_path)
    assert 'data_root' not in cfg.train_dataloader.dataset
    keys = [key for key, _ in launch_config._datasets(cfg, launch_config.LOADERS)]
    assert keys == [
        'train_dataloader.dataset.dataset.datasets.0',
        'train_dataloader.dataset.dataset.datasets.1',
        'val_dataloader.dataset',
    ]


def test_small_options(base):
    cfg = config(base)
    assert cfg.val_cfg is not None and cfg.launcher == 'none' and not cfg.get('resume')
    cfg = config(base, '--no-validate', '--auto-scale-lr', '--launcher', 'pytorch')
    assert cfg.val_cfg is cfg.val_dataloader is cfg.val_evaluator is None
    assert cfg.auto_scale_lr.enable and cfg.launcher == 'pytorch'
    cfg = config(base, '--cfg-options', 'train_dataloader.dataset.dataset.datasets.0.data_root=z')
    assert cfg.train_dataloader.dataset.dataset.datasets[0].data_root == 'z'


def test_resume(base, tmp_path):
    cfg = config(base, '--resume', 'x.pth')
    assert cfg.resume and cfg.load_from == 'x.pth'
    cfg = config(base, '--resume', '--work-dir', tmp_path)  # nothing there: start
    assert not cfg.resume and cfg.load_from is None


@pytest.mark.parametrize('spelling', ['--local_rank', '--local-rank'])
def test_local_rank(base, monkeypatch, spelling):
    monkeypatch.delenv('LOCAL_RANK', raising=False)
    launch._parse(launch.train_parser(), [base, spelling, '3'])
    assert os.environ.pop('LOCAL_RANK') == '3'


@pytest.mark.parametrize('device', ['cuda', 'cpu'])
def test_amp(base, monkeypatch, device):
    monkeypatch.setattr(launch_config, 'get_device', lambda: device)
    wrapper = config(base, '--amp').optim_wrapper
    if device == 'cuda':
        assert (wrapper.type, wrapper.loss_scale) == ('AmpOptimWrapper', 'dynamic')
    else:
        assert wrapper.type == 'OptimWrapper' and 'loss_scale' not in wrapper
    with pytest.raises(LaunchError, match="--amp does not go with optim_wrapper.type='Mine'"):
        config(base, '--amp', '--cfg-options', 'optim_wrapper.type=Mine')


def test_loaders(base):
    persistent = 'train_dataloader.persistent_workers=True'
    loader = config(base, '--cfg-options', persistent).train_dataloader
    assert loader.persistent_workers and 'collate_fn' not in loader
    cfg = config(base, '--no-pin-memory', '--no-persistent-workers', '--cfg-options', persistent)
    assert not cfg.train_dataloader.pin_memory and not cfg.train_dataloader.persistent_workers
    # torch refuses persistent workers where there are none
    cfg = config(base, '--cfg-options', persistent, 'train_dataloader.num_workers=0')
    assert not cfg.train_dataloader.persistent_workers
    # what mmpretrain's configs leave to its launcher
    loader = config(base, '--cfg-options', 'default_scope=mmpretrain').train_dataloader
    assert loader.persistent_workers and loader.collate_fn == dict(type='default_collate')


def test_missing_package_is_named_with_its_command(base, monkeypatch):
    monkeypatch.setattr(launch_config.environment.util, 'find_spec', lambda name: None)
    with pytest.raises(ImportError, match=r'mmcls and mmselfsup are not installed; run:') as error:
        config(base)
    assert "install 'mmcls==1.0.0rc6' 'mmselfsup==1.0.0'" in str(error.value)
    assert launch.explain(error.value) == str(error.value)


def test_help_without_a_stack_names_what_is_missing(root: Path):
    """The tool itself, in an interpreter without any package."""
    done = subprocess.run(
        [sys.executable, '-I', '-S', str(root / 'tools/train.py'), 'x.py'],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith('error: ') and 'Traceback' not in done.stderr
    assert 'torch' in done.stderr and 'pip install' in done.stderr


def test_module_command(capsys):
    assert launch.main([]) == 2
    assert 'usage: python -m bgaug_mm {train,test} CONFIG' in capsys.readouterr().err
    assert launch.main(['--help']) == 0
    with pytest.raises(SystemExit) as stop:
        launch.main(['train', '--help'])
    assert stop.value.code == 0
    assert '--auto-scale-lr' in capsys.readouterr().out
