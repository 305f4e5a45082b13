"""Our transforms between those of mmselfsup, mmcls and mmpretrain."""

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

import bgaug_mm  # noqa: F401  (makes mmselfsup importable)
from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM

_JITTER = dict(
    type='RandomApply',
    transforms=[dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1)],
    prob=0.8,
)
_GREY = dict(
    type='RandomGrayscale', prob=0.5, keep_channels=True, channel_weights=(0.114, 0.587, 0.2989)
)
PHOTOMETRIC = {
    'mmselfsup': [
        _JITTER,
        _GREY,
        dict(type='RandomGaussianBlur', sigma_min=0.1, sigma_max=2.0, prob=0.5),
        dict(type='RandomSolarize', prob=0.5),
    ],
    'mmcls': [
        dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.2),
        dict(type='mmcv.RandomGrayscale', **{k: v for k, v in _GREY.items() if k != 'type'}),
        dict(type='RandomErasing', erase_prob=0.5),
    ],
    'mmpretrain': [
        _JITTER,
        _GREY,
        dict(type='GaussianBlur', magnitude_range=(0.1, 2.0), magnitude_std='inf', prob=0.5),
        dict(type='Solarize', thr=128, prob=0.5),
    ],
}
PACK = {
    'mmselfsup': dict(type='PackSelfSupInputs', meta_keys=['img_path']),
    'mmcls': dict(type='bgaug_mm.PackSaliencyInputs', with_mask=True),
    'mmpretrain': dict(type='PackInputs'),
}


def _pipeline(library: str, backend: str, background_op: dict) -> Compose:
    size = dict(size=32) if library == 'mmselfsup' else dict(scale=32)
    view = [
        dict(type='bgaug_mm.RandomResizedCrop', **size, backend=backend, interpolation='bicubic'),
        dict(type='RandomFlip', prob=0.5),
        background_op,
        *PHOTOMETRIC[library],
    ]
    multi_view = dict(
        type='bgaug_mm.MultiView',
        transforms=[view, view],
        num_views=[1, 1],
    )
    with DefaultScope.overwrite_default_scope(library):
        return Compose([dict(type='bgaug_mm.SeedSample'), multi_view, PACK[library]])


def _sample(idx: int) -> dict:
    rng = np.random.default_rng(idx)
    mask = np.zeros((50, 60), np.uint8)
    mask[10:40, 15:45] = 255
    return {
        'img': rng.integers(0, 256, (50, 60, 3), np.uint8),
        'img_shape': (50, 60),
        'gt_seg_map': mask,
        'sample_idx': idx,
        'img_path': f'{idx}.jpg',
    }


@pytest.mark.parametrize('library', PHOTOMETRIC)
@pytest.mark.parametrize('backend', ['cv2', 'pillow'])
@pytest.mark.parametrize('op', ['BackgroundSwap', 'BackgroundRemove'])
def test_trains_on_views(library: str, backend: str, op: str, stream) -> None:
    SAMPLE_STREAM.set(seed=0, epoch=0)
    channels = 4 if library == 'mmcls' else 3
    runs = []
    for _ in range(2):
        pipeline = _pipeline(library, backend, dict(type=f'bgaug_mm.{op}', prob=0.7))
        runs.append([pipeline(_sample(idx)) for idx in range(8)])
    for first, second in zip(*runs, strict=True):
        assert len(first['inputs']) == 2
        for view, again in zip(first['inputs'], second['inputs'], strict=True):
            assert view.shape == (channels, 32, 32) and view.dtype == torch.uint8
            assert torch.equal(view, again)  # a function of seed, epoch and sample
        assert not torch.equal(*first['inputs'])
        assert first['data_samples'].img_path == second['data_samples'].img_path
