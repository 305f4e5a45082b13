"""Every shipped config builds its dataset, model and hooks on generated data."""

import copy
import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.logging import MessageHub
from mmengine.model import revert_sync_batchnorm
from mmengine.optim import OptimWrapper, build_optim_wrapper
from mmengine.registry import DATASETS, HOOKS, MODELS, VISUALIZERS, init_default_scope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

import bgaug_mm  # noqa: F401
from bgaug_mm.compat.config_paths import config_root
from bgaug_mm.engine.hooks import HardViewSelectionHook
from bgaug_mm.engine.launch import build_runner, train_config, train_parser
from bgaug_mm.models import SaliencyEncoder
from bgaug_mm.saliency.learning_config import Recipe, require_encoder, training_config

CONFIGS = sorted(
    path.relative_to(config_root()).as_posix()
    for path in config_root().rglob('*.py')
    if '_base_' not in path.parts
)
#: Those of saliency learn masks, or an encoder for it; the others views.
SALIENCY = [name for name in CONFIGS if name.startswith('saliency/')]

#: Those of benchmarks train on labels: tests/test_benchmark_configs.py.
BENCHMARKS = [name for name in CONFIGS if name.startswith('benchmarks/')]

#: Those of detection train on boxes: tests/detection/test_configs.py.
DETECTION = [name for name in CONFIGS if name.startswith('detection/')]
#: Those that train on views.
VIEWS = [name for name in CONFIGS if name not in SALIENCY + BENCHMARKS + DETECTION]

#: Views of a step, by what the recipe's name begins with; 2 otherwise.
MULTI_CROP = {'swav': 8, 'dino': 10, 'ibot': 10}


def write_pair(root: Path, folder: str, name: str, size: tuple[int, int], rng) -> None:
    """A noise image and a disc mask in mirrored trees."""
    image = rng.integers(0, 256, (*size, 3), dtype=np.uint8)
    mask = np.zeros(size, np.uint8)
    cv2.circle(mask, (size[1] // 2, size[0] // 2), min(size) // 4, 255, -1)
    stem = name.rpartition('.')[0]
    for path, array in ((f'{folder}/{name}', image), (f'{folder}_masks/{stem}.png', mask)):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(root / path), array)


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    """A folder with data/ as every config expects it below the working directory."""
    root = tmp_path_factory.mktemp('work')
    rng = np.random.default_rng(0)
    names = [f'n0000000{i % 2}/{i}.JPEG' for i in range(8)]
    for name in names:
        write_pair(root, 'data/imagenet/train', name, (60, 80), rng)
    (root / 'data/imagenet/meta').mkdir()
    listing = '\n'.join(f'{name} {name[8]}' for name in names)
    (root / 'data/imagenet/meta/train.txt').write_text(listing)
    for world in ('digits_on_photos', 'cutouts_on_textures'):
        for subset in ('train', 'original', 'mixed_same', 'mixed_rand'):
            for i in range(8):
                write_pair(root, f'data/{world}/{subset}', f'{i % 2}/{i}.png', (48, 48), rng)
    train = root / 'data/digits_on_photos/train'
    shutil.copytree(f'{train}_masks', f'{train}_cue')
    for i in range(8):
        write_pair(root, 'data/saliency/images', f'{i % 2}/{i}.png', (60, 80), rng)
    return root


def shrink_crops(transforms):
    """224 to 64 px, 128 and 96 to 32 px: the shapes stay apart, a step takes a moment."""
    for step in transforms:
        for views in [step['transforms']] if step['type'].endswith('MultiView') else []:
            for view in views:
                shrink_crops(view)
        for key in ('size', 'scale') if step['type'].endswith('RandomResizedCrop') else ():
            if isinstance(step.get(key), int):
                step[key] = {224: 64, 128: 32, 96: 32}.get(step[key], step[key])


def select_hard_views(hook, model, dataset, batch):
    """Run HardViewSelectionHook on a batch, as in the first iteration."""
    runner = SimpleNamespace(
        model=model,
        train_dataloader=DataLoader(dataset, batch_size=4),
        iter=0,
        seed=0,
        optim_wrapper=OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.1)),
        message_hub=MessageHub.get_instance('test_configs'),
    )
    hook.before_train(runner)
    hook.before_train_iter(runner, 0, batch)


@pytest.mark.parametrize('name', VIEWS)
def test_config_builds_and_takes_a_step(name, data, monkeypatch):
    """Dataset, model and hooks; and one batch of it gives a loss with gradients."""
    monkeypatch.chdir(data)
    cfg = Config.fromfile(str(config_root() / name))
    init_default_scope(cfg.default_scope)
    shrink_crops(cfg.train_dataloader.dataset.pipeline)

    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert len(dataset) == 8
    batch = default_collate([dataset[i] for i in range(4)])
    preprocessor = cfg.get('data_preprocessor')
    if 'data_preprocessor' not in cfg.model:  # as the Runner does
        cfg.model['data_preprocessor'] = preprocessor
    ours = cfg.model.data_preprocessor.get('type') == 'bgaug_mm.BackgroundDataPreprocessor'
    masked = cfg.model.type == 'bgaug_mm.IBOT'  # block masks on the global views
    assert {view.shape[1] for view in batch['inputs']} == {4 if ours else 3, *([4] * masked)}
    model = revert_sync_batchnorm(MODELS.build(cfg.model))

    # mmpretrain's visualization hook asks for it
    VISUALIZERS.build({'name': name, **cfg.visualizer})
    hooks = [*cfg.default_hooks.values(), *cfg.get('custom_hooks', [])]
    built = [HOOKS.build({key: hook[key] for key in hook if key != 'priority'}) for hook in hooks]
    assert 'SampleSeedHook' in [type(hook).__name__ for hook in built]
    selecting = [hook for hook in built if isinstance(hook, HardViewSelectionHook)]
    assert len(selecting) == ('_hvs' in name)
    for hook in selecting:
        select_hard_views(hook, model, dataset, batch)
    sizes = [tuple(view.shape[2:]) for view in batch['inputs']]
    if not name.startswith('demo/'):
        algorithm = re.split(r'[_.]', Path(name).name)[0]
        assert len(sizes) == MULTI_CROP.get(algorithm, 2)
    large = max(sizes)
    assert sizes == [large] * 2 + [min(sizes)] * (len(sizes) - 2)

    losses = model._run_forward(model.data_preprocessor(batch, True), mode='loss')
    loss, logged = model.parse_losses(losses)
    loss.backward()
    assert torch.isfinite(loss)
    assert ('loss_matched_negatives' in logged) == ('mocov2_bgswap' in name)
    gradient = next(p.grad for p in model.backbone.parameters() if p.requires_grad)
    assert gradient is not None and torch.isfinite(gradient).all()


@pytest.mark.parametrize('name', SALIENCY)
def test_saliency_config_takes_an_optimizer_step(name, data, monkeypatch, tmp_path):
    """As it stands, with smaller crops and batches; and what `--init` takes of it."""
    monkeypatch.chdir(data)
    cfg = Config.fromfile(str(config_root() / name))
    init_default_scope(cfg.default_scope)
    shrink_crops(cfg.train_dataloader.dataset.pipeline)
    cfg.train_dataloader.update(batch_size=4, num_workers=0, persistent_workers=False)
    loader = Runner.build_dataloader(cfg.train_dataloader, seed=0)
    assert len(loader.dataset) == 8
    VISUALIZERS.build({'name': name, **cfg.visualizer})  # as above
    hooks = [*cfg.default_hooks.values(), *cfg.get('custom_hooks', [])]
    assert 'SampleSeedHook' in [type(HOOKS.build(hook)).__name__ for hook in hooks]

    model = MODELS.build(cfg.model)
    pretrains = hasattr(model, 'backbone')
    before = copy.deepcopy(model)
    losses = model.train_step(next(iter(loader)), build_optim_wrapper(model, cfg.optim_wrapper))
    assert all(torch.isfinite(loss) for loss in losses.values())
    assert set(losses) == ({'loss'} if pretrains else {'loss', 'loss_f_beta', 'loss_bce'})
    encoder = model.backbone if pretrains else model.network.encoder
    assert isinstance(encoder, SaliencyEncoder)
    for (key, old), new in zip(before.named_parameters(), model.parameters(), strict=True):
        assert torch.equal(old, new) == key.startswith('target_net'), key

    if pretrains:
        torch.save({'state_dict': model.state_dict()}, tmp_path / 'x.pth')
        require_encoder(str(tmp_path / 'x.pth'))
        recipe = Recipe(init=str(tmp_path / 'x.pth'))
        learner = MODELS.build(training_config(recipe.cue_config, data, data, recipe).model)
        learner.init_weights()
        for key, value in learner.network.encoder.state_dict().items():
            assert torch.equal(value, encoder.state_dict()[key]), key


@pytest.mark.parametrize('name', CONFIGS)
def test_config_survives_being_saved(name):
    """What the runner writes into the work_dir and the checkpoint is the same config."""
    if name in DETECTION and not find_spec('mmdet'):
        pytest.skip('its base is in mmdet: make detection')
    cfg = Config.fromfile(str(config_root() / name))
    assert Config.fromstring(cfg.pretty_text, '.py').to_dict() == cfg.to_dict()


def test_every_config_has_a_first_line_that_says_what_it_is():
    for name in CONFIGS:
        assert (config_root() / name).read_text().startswith('# '), name


@pytest.mark.parametrize('name', ['byol_bgswap.py', 'mmpretrain/byol_bgswap.py'])
def test_imagenet_recipe_takes_two_optimizer_steps(name, data, monkeypatch, tmp_path):
    """ResNet-50 at 224 px on the CPU; two steps of the accumulated recipe."""
    monkeypatch.chdir(data)
    options = [
        'train_dataloader.batch_size=2',
        'train_dataloader.num_workers=0',
        'train_cfg.max_epochs=1',
        'default_hooks.logger.interval=1',
    ]
    path = str(config_root() / name)
    args = [path, '--work-dir', str(tmp_path), '--cfg-options', *options]
    runner = build_runner(train_config(train_parser().parse_args(args)))
    changed = []

    def step(wrapper, **kwargs):
        weight = runner.model.backbone.layer4[0].conv1.weight
        before = weight.detach().clone()
        upstream_step(wrapper, **kwargs)
        changed.append(not torch.equal(before, weight))

    upstream_step = OptimWrapper.step
    monkeypatch.setattr(OptimWrapper, 'step', step)
    runner.train()
    assert runner.iter == 4  # 8 images, batch 2
    assert changed == [True, True]  # gradients accumulated over 2 iterations
    losses = runner.message_hub.get_scalar('train/loss').data[0]
    assert len(losses) == 4 and np.isfinite(losses).all()
