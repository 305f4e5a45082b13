"""The configs of learning saliency without labels: the shipped ones, changed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from mmengine.config import Config

from bgaug_mm.checkpoints import read_checkpoint
from bgaug_mm.engine.launch_config import load_config
from bgaug_mm.models.saliency import SaliencyEncoder


class Recipe(NamedTuple):
    """How the networks are trained; changes to the two configs.

    Attributes:
        cue_config: Config of a round of one cue.
        fused_config: Config of the network that is kept.
        cue_epochs: Epochs of a round; None: the config's.
        fused_epochs: The same of the last network.
        size: Side in pixels of what the networks see; None: the configs'.
        init: Checkpoint whose ``backbone`` is a SaliencyEncoder trained without labels; None:
            random weights.
        seed: Of all trainings; None: the configs'.
    """

    cue_config: str = 'bgaug_mm::saliency/learn_cue.py'
    fused_config: str = 'bgaug_mm::saliency/learn_fused.py'
    cue_epochs: int | None = None
    fused_epochs: int | None = None
    size: int | None = None
    init: str | None = None
    seed: int | None = None


def training_config(
    base: str,
    images: Path,
    masks: Path,
    recipe: Recipe,
    *,
    epochs: int | None = None,
    start: Path | None = None,
) -> Config:
    """A config with the data and the recipe's changes; the base stays."""
    config = load_config(base)
    dataset = config.train_dataloader.dataset
    dataset.mask_root = str(masks)
    dataset.dataset.update(data_root=str(images), data_prefix='')
    dataset.on_missing_mask = 'skip'  # an image that could not be read has none
    if epochs is not None:
        stretch_schedule(config, epochs)
    if recipe.size is not None:
        set_size(config, recipe.size)
    if recipe.seed is not None:
        config.randomness = dict(seed=recipe.seed)
    if start is not None:
        config.load_from = str(start)
    elif recipe.init is not None:
        config.model.network.encoder.init_cfg = dict(
            type='Pretrained', checkpoint=recipe.init, prefix='backbone.'
        )
    return config


def require_encoder(checkpoint: str) -> None:
    """Raise unless a checkpoint's ``backbone`` is a SaliencyEncoder of the default widths."""
    content = read_checkpoint(checkpoint)
    found = content.get('state_dict', content)
    for name, value in SaliencyEncoder().state_dict().items():
        there = found.get(f'backbone.{name}')
        if there is None or there.shape != value.shape:
            raise ValueError(
                f'{checkpoint} has no backbone.{name} of shape {tuple(value.shape)}: its backbone '
                "must be dict(type='bgaug_mm.SaliencyEncoder'), "
                'pre-trained with out_indices=(4, )'
            )


def stretch_schedule(config: Config, epochs: int) -> None:
    """Another number of epochs: what ends with the training ends with it still."""
    if epochs < 1:
        raise ValueError(f'the number of epochs must be at least 1, but got {epochs}')
    before = config.train_cfg.max_epochs
    for scheduler in config.param_scheduler:
        if scheduler.end == before:
            scheduler.end = epochs
            if 'T_max' in scheduler:
                scheduler.T_max += epochs - before
    # in a training as short as the warm-up nothing comes behind it
    config.param_scheduler = [s for s in config.param_scheduler if s.begin < min(s.end, epochs)]
    config.train_cfg.max_epochs = epochs


def set_size(config: Config, size: int) -> None:
    """The side of the crops and of what the averages are made of."""
    if size < 1:
        raise ValueError(f'`size` must be at least 1, but got {size}')
    for step in config.train_dataloader.dataset.pipeline:
        if step['type'].endswith('RandomResizedCrop'):
            step['size'] = size
    for hook in config.get('custom_hooks', []):
        if hook['type'].endswith('AveragePredictionsHook'):
            hook['size'] = size
