"""Masks, donors and textures of every bad kind: an epoch goes on, unless the config objects."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.logging import MMLogger
from mmengine.model import BaseModel
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from bgaug_mm.datasets import SaliencyMaskDataset

SIZE = 48
IMAGES = 6


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Six images, each with an object in the middle; an annotation file; two textures."""
    rng = np.random.default_rng(0)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    cv2.circle(mask, (24, 24), 12, 255, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), 1)
    for folder in ('train', 'train_masks', 'textures'):
        (tmp_path / folder).mkdir()
    for i in range(IMAGES):
        image = rng.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f'train/{i}.png'), image)
        cv2.imwrite(str(tmp_path / f'train_masks/{i}.png'), mask)
    for i in range(2):
        cv2.imwrite(str(tmp_path / f'textures/{i}.png'), np.full((20, 20, 3), 9, np.uint8))
    data_list = [dict(img_path=f'{i}.png') for i in range(IMAGES)]
    (tmp_path / 'ann.json').write_text(json.dumps(dict(metainfo={}, data_list=data_list)))
    return tmp_path


def spoil(mask_path: Path, kind: str) -> None:
    """Put a bad mask of some kind in the place of a good one."""
    mask = cv2.imread(str(mask_path), cv2.IMREAD_UNCHANGED)
    if kind == 'missing':
        mask_path.unlink()
    elif kind == 'truncated':
        content = mask_path.read_bytes()
        mask_path.write_bytes(content[: len(content) // 2])
    elif kind == 'empty file':
        mask_path.write_bytes(b'')
    else:
        array = {
            'wrong size': mask[:-8],
            'all zero': np.zeros_like(mask),
            'all one': np.full_like(mask, 255),
            '0 and 1': mask // 255,
            '3 channels': np.dstack([mask, mask, 255 - mask]),
            '3 equal channels': np.dstack([mask] * 3),
            '16 bit': mask.astype(np.uint16) * 257,
        }[kind]
        cv2.imwrite(str(mask_path), array)


#: What the message on a mask says; None where the mask is usable.
PROBLEMS = {
    'missing': 'it does not exist',
    'truncated': 'it cannot be decoded',
    'empty file': 'it cannot be decoded',
    'wrong size': 'it is 48x40 but the image 48x48',
    '0 and 1': 'its values are 0 and 1',
    '3 channels': r'it must have one channel \(or three equal ones\), but has 3',
    '16 bit': 'it must have 8 bits a pixel, but has uint16',
    'all zero': None,
    'all one': None,
    '3 equal channels': None,
}
BAD = [kind for kind, problem in PROBLEMS.items() if problem is not None]
SOURCES = {
    'donor': dict(type='bgaug_mm.DonorBackground'),
    'recent': dict(type='bgaug_mm.RecentBackground', every=1),
    'folder': dict(type='bgaug_mm.FolderBackground', root='textures'),
}


def dataset_of(world: Path, source: str = 'donor', **options) -> SaliencyMaskDataset:
    """The world with a swap of every view's background."""
    background = dict(SOURCES[source])
    if 'root' in background:
        background['root'] = str(world / background['root'])
    view = [
        dict(type='bgaug_mm.RandomResizedCrop', size=32, scale=(0.8, 1.0), min_foreground=0.2),
        dict(type='mmcv.RandomFlip', prob=0.5),
        dict(type='bgaug_mm.BackgroundSwap', prob=1.0, background=background),
    ]
    pipeline = [
        dict(type='bgaug_mm.SeedSample'),
        dict(type='mmcv.LoadImageFromFile'),
        dict(type='bgaug_mm.LoadSaliencyMask'),
        dict(type='bgaug_mm.MultiView', transforms=[view], num_views=2),
        dict(
            type='bgaug_mm.PackSaliencyInputs',
            with_mask=True,
            meta_keys=('sample_idx', 'background_op', 'background_params'),
        ),
    ]
    inner = BaseDataset('ann.json', data_root=str(world), data_prefix=dict(img_path='train'))
    return SaliencyMaskDataset(inner, pipeline=pipeline, **{'check': 'none', **options})


def epoch(dataset: SaliencyMaskDataset) -> list[tuple[int, list[str | None]]]:
    """Index and background ops of each sample of an epoch, through a DataLoader."""
    np.random.seed(0)
    samples = []
    for batch in DataLoader(dataset, batch_size=2, collate_fn=pseudo_collate):
        assert all(view.shape == (4, 32, 32) for views in batch['inputs'] for view in views)
        samples += [(s.sample_idx, s.background_op) for s in batch['data_samples']]
    return samples


@pytest.fixture
def warnings(monkeypatch) -> list[str]:
    """Every text that is logged as a warning."""
    said = []

    def keep(self, record) -> None:
        if record.levelno >= 30:
            said.append(record.getMessage())

    monkeypatch.setattr(MMLogger, 'callHandlers', keep)
    MMLogger.get_instance('bad_input')  # 'current' logs to the latest instance
    return said


@pytest.mark.parametrize('source', SOURCES)
@pytest.mark.parametrize('kind', PROBLEMS)
def test_no_background_op_where_the_mask_is_of_no_use(world, kind, source, warnings) -> None:
    spoil(world / 'train_masks/2.png', kind)
    options = dict(on_missing_mask='no_background_op', on_bad_mask='no_background_op')
    dataset = dataset_of(world, source, **options)
    for _ in range(2):
        ops = dict(epoch(dataset))
        assert list(ops) == list(range(IMAGES))
        changed = {index for index, names in ops.items() if names == ['BackgroundSwap'] * 2}
        wanted = set(range(1 if source == 'recent' else 0, IMAGES))  # the first has none yet
        assert changed >= wanted - {2} and (2 in changed) == (kind == '3 equal channels')
        assert ops[2] in ([None, None], ['BackgroundSwap'] * 2)
    about_it = [text for text in warnings if 'train_masks/2.png' in text]
    if PROBLEMS[kind] is None:
        assert not about_it
    else:
        loaded = [text for text in about_it if 'of image' in text]
        assert len(loaded) == 1 and loaded[0].endswith('-> no_background_op')


@pytest.mark.parametrize('kind', BAD)
def test_another_sample_is_taken_where_the_config_says_skip(world, kind) -> None:
    spoil(world / 'train_masks/2.png', kind)
    dataset = dataset_of(world, on_missing_mask='skip', on_bad_mask='skip')
    samples = epoch(dataset)
    assert len(samples) == IMAGES and 2 not in dict(samples)


@pytest.mark.parametrize('kind', BAD)
@pytest.mark.parametrize('check', ['none', 'header'])
def test_an_error_names_file_and_key(world, kind, check) -> None:
    spoil(world / 'train_masks/2.png', kind)
    key = 'on_missing_mask' if kind == 'missing' else 'on_bad_mask'
    with pytest.raises(ValueError, match=r'(?s)train_masks/2\.png') as caught:
        epoch(dataset_of(world, check=check, on_bad_mask='error'))
    assert key in str(caught.value)


@pytest.mark.parametrize('kind', ['wrong size', '16 bit', 'empty file', 'missing'])
def test_headers_tell_before_training(world, kind) -> None:
    spoil(world / 'train_masks/2.png', kind)
    with pytest.raises(ValueError, match=r'(?s)train_masks/2\.png'):
        dataset_of(world, check='header')


def test_a_folder_of_textures_with_a_broken_file(world, warnings) -> None:
    (world / 'textures/0.png').write_bytes((world / 'textures/0.png').read_bytes()[:30])
    (world / 'textures/2.png').write_bytes(b'')
    ops = dict(epoch(dataset_of(world, 'folder')))
    assert list(ops.values()) == [['BackgroundSwap'] * 2] * IMAGES
    assert len(warnings) == len(set(warnings)) <= 2  # each broken file once
    assert all('cannot be read -> the next file' in text for text in warnings) and warnings


def test_a_folder_of_textures_that_is_empty_or_absent(world) -> None:
    for texture in (world / 'textures').iterdir():
        texture.unlink()
    with pytest.raises(ValueError, match=r"`root` must be .* '.*textures' holds no file"):
        dataset_of(world, 'folder')
    (world / 'textures').rmdir()
    with pytest.raises(ValueError, match=r"there is no folder '.*textures'"):
        dataset_of(world, 'folder')


@pytest.mark.parametrize('source', ['donor', 'recent'])
def test_donors_without_any_background(world, source, warnings) -> None:
    for i in range(1, IMAGES):  # their objects fill the frame
        cv2.imwrite(str(world / f'train_masks/{i}.png'), np.full((SIZE, SIZE), 240, np.uint8))
    ops = dict(epoch(dataset_of(world, source)))
    # image 0 has no donor, and is the donor of views that are all foreground (240 of 255)
    assert ops[0] == [None, None]
    assert len(ops) == IMAGES
    assert len(warnings) == (source == 'donor')


class Mean(BaseModel):
    """A loss of the views' mean."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.losses: list[float] = []

    def forward(self, inputs, data_samples=None, mode='tensor'):
        views = torch.stack([view for views in inputs for view in views]).float()
        self.losses.append(float(views.mean()))
        return dict(loss=self.weight * views.mean())


@pytest.mark.parametrize('workers', [0, 2])
def test_a_training_with_everything_spoilt_ends(world, tmp_path, workers) -> None:
    kinds = ['truncated', 'wrong size', '16 bit', 'all one', 'missing']
    for i, kind in enumerate(kinds, start=1):
        spoil(world / f'train_masks/{i}.png', kind)
    (world / 'textures/1.png').write_text('broken')
    dataset = dataset_of(
        world, on_missing_mask='no_background_op', on_bad_mask='no_background_op', check='exists'
    )
    init_default_scope('mmengine')
    runner = Runner(
        model=Mean(),
        work_dir=str(tmp_path / 'work'),
        train_dataloader=dict(
            batch_size=2,
            num_workers=workers,
            dataset=dataset,
            sampler=dict(type='DefaultSampler', shuffle=True),
            collate_fn=dict(type='pseudo_collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(
            sampler_seed=dict(type='bgaug_mm.SampleSeedHook'), logger=None, checkpoint=None
        ),
        randomness=dict(seed=0),
        experiment_name=f'bad-input-{workers}',
    )
    runner.train()
    assert len(runner.model.losses) == IMAGES and runner.epoch == 2
