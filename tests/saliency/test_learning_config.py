"""What the recipe's options make of the shipped configs."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, init_default_scope

import bgaug_mm  # noqa: F401
from bgaug_mm.models import SaliencyEncoder
from bgaug_mm.saliency.learned import training_size
from bgaug_mm.saliency.learning_config import (
    Recipe,
    require_encoder,
    stretch_schedule,
    training_config,
)


def test_only_what_is_asked_for_changes(tmp_path) -> None:
    recipe = Recipe()
    config = training_config(recipe.cue_config, tmp_path / 'i', tmp_path / 'm', recipe)
    dataset = config.train_dataloader.dataset
    assert dataset.mask_root == str(tmp_path / 'm')
    assert (dataset.dataset.data_root, dataset.dataset.data_prefix) == (str(tmp_path / 'i'), '')
    assert training_size(config) == config.custom_hooks[0].size == 128
    assert config.train_cfg.max_epochs == 6 and config.load_from is None
    # what tools/train.py reads is the same
    assert Config.fromstring(config.pretty_text, '.py').to_dict() == config.to_dict()


def test_size_epochs_seed_and_start(tmp_path) -> None:
    recipe = Recipe(size=64, seed=3)
    config = training_config(
        recipe.cue_config, tmp_path, tmp_path, recipe, epochs=9, start=tmp_path / 'x.pth'
    )
    assert training_size(config) == config.custom_hooks[0].size == 64
    assert config.randomness == dict(seed=3)
    assert config.load_from == str(tmp_path / 'x.pth')
    warm_up, cosine = config.param_scheduler
    assert (warm_up.begin, warm_up.end) == (0, 1)
    assert (cosine.begin, cosine.end, cosine.T_max) == (1, 9, 8)
    assert config.train_cfg.max_epochs == 9


def test_a_training_as_short_as_the_warm_up(tmp_path) -> None:
    recipe = Recipe()
    config = training_config(recipe.fused_config, tmp_path, tmp_path, recipe, epochs=1)
    (warm_up,) = config.param_scheduler
    assert (warm_up.type, warm_up.end) == ('LinearLR', 1)
    with pytest.raises(ValueError, match='must be at least 1, but got 0'):
        stretch_schedule(config, 0)


def test_starts_from_a_pre_trained_encoder(tmp_path) -> None:
    init_default_scope('mmpretrain')
    trained, path = SaliencyEncoder(out_indices=(4,)), str(tmp_path / 'x.pth')
    state = {f'backbone.{name}': value for name, value in trained.state_dict().items()}
    torch.save({'state_dict': state}, path)
    require_encoder(path)
    recipe = Recipe(init=path)
    config = training_config(recipe.cue_config, tmp_path, tmp_path, recipe)
    model = MODELS.build(config.model)
    model.init_weights()
    for name, value in model.network.encoder.state_dict().items():
        assert torch.equal(value, trained.state_dict()[name]), name


def test_refuses_another_backbone(tmp_path) -> None:
    torch.save({'state_dict': {'backbone.conv1.weight': torch.zeros(3)}}, tmp_path / 'x.pth')
    with pytest.raises(ValueError, match=r'has no backbone.stages.0.reduce.0.weight of shape'):
        require_encoder(str(tmp_path / 'x.pth'))
