"""bgaug_mm:: paths, from the source tree (test_downstream.py has wheel and editable)."""

import shutil
from pathlib import Path

import mmengine.hub
import pytest
from mmengine.config import Config

from bgaug_mm.compat import config_path, config_paths, install


@pytest.mark.parametrize('name', ['byol_bgswap.py', 'demo/byol_digits.py'])
def test_with_and_without_a_folder(root: Path, name: str):
    assert config_path(name) == config_path(f'bgaug_mm::{name}') == str(root / 'configs' / name)


def test_near_names():
    with pytest.raises(FileNotFoundError) as error:
        config_path('bgaug_mm::demo/byol_digit.py')
    assert 'bgaug_mm::demo/byol_digit.py does not exist' in str(error.value)
    assert 'Did you mean demo/byol_digits.py' in str(error.value)


def test_near():
    assert config_paths.near('abcd', ['abce', 'xyz']) == ' Did you mean abce?'
    assert config_paths.near('abcd', {'abce': 'shown', 'abcf': 'shown'}) == ' Did you mean shown?'
    assert config_paths.near('abcd', ['xyz']) == ''


def test_base_in_a_config(tmp_path: Path):
    (tmp_path / 'mine.py').write_text(
        "_base_ = 'bgaug_mm::byol_bgswap.py'\ntrain_cfg = dict(max_epochs=7)\n"
    )
    cfg = Config.fromfile(tmp_path / 'mine.py')
    base = Config.fromfile(config_path('byol_bgswap.py'))
    assert cfg.train_cfg.max_epochs == 7
    assert cfg.model == base.model
    assert cfg.train_dataloader == base.train_dataloader  # nothing is written into it


def test_other_packages_and_local_paths_are_upstreams():
    path, scope = Config._get_cfg_path('mmselfsup::selfsup/_base_/models/byol.py', 'x.py')
    assert path.endswith('mmselfsup/.mim/configs/selfsup/_base_/models/byol.py')
    assert scope == 'mmselfsup'
    assert Config._get_cfg_path('b.py', 'folder/a.py') == ('folder/b.py', None)


def test_mmselfsups_classification_configs_keep_their_own_scope():
    name = 'benchmarks/classification/imagenet/resnet50_linear-8xb32-steplr-100e_in1k.py'
    path, scope = Config._get_cfg_path(f'mmselfsup::{name}', 'x.py')
    assert path.endswith(f'mmselfsup/.mim/configs/{name}') and scope is None
    cfg = Config.fromfile(config_path('benchmarks/linear_resnet50_sgd_100e.py'))
    assert cfg.default_scope == 'mmcls'
    assert '_scope_' not in cfg.model and '_scope_' not in cfg.train_dataloader.collate_fn


def test_mmengine_hub():
    cfg = mmengine.hub.get_config('bgaug_mm::byol_bgswap.py')
    assert cfg.filename == config_path('byol_bgswap.py')
    with pytest.raises(ValueError, match='no published weights'):
        mmengine.hub.get_config('bgaug_mm::byol_bgswap.py', pretrained=True)


def test_installing_twice_changes_nothing():
    before = Config._get_cfg_path, mmengine.hub.get_config
    install()
    assert (Config._get_cfg_path, mmengine.hub.get_config) == before


@pytest.mark.parametrize('source_tree', [True, False])
def test_where_the_configs_are(tmp_path: Path, monkeypatch, source_tree: bool):
    """A ``configs`` folder of somebody else beside an installed package does not count."""
    package = tmp_path / 'bgaug_mm'
    for folder in (tmp_path / 'configs', package / '.mim/configs'):
        folder.mkdir(parents=True)
    if source_tree:
        (tmp_path / 'setup.py').touch()
    monkeypatch.setattr(config_paths, '_PACKAGE', package)
    found = config_paths.config_root()
    assert found == (tmp_path / 'configs' if source_tree else package / '.mim/configs')
    shutil.rmtree(tmp_path)
