"""What every transform promises: its documented keys, nothing else, no writing."""

import re

import numpy as np
import pytest

from bgaug_mm.datasets import transforms
from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM
from bgaug_mm.datasets.transforms import (
    BackgroundRemove,
    BackgroundSwap,
    ColorJitter,
    CropBorder,
    GammaDistortion,
    GaussianBlur,
    LoadSaliencyMask,
    MultiView,
    PackSaliencyInputs,
    PatchShuffle,
    RandomBlockMask,
    RandomGaussianBlur,
    RandomGrayscale,
    RandomResizedCrop,
    RandomSolarize,
    SeedSample,
    Solarize,
)

GREY = dict(type='bgaug_mm.GreyBackground')
CASES = {
    'SeedSample': SeedSample,
    'LoadSaliencyMask': LoadSaliencyMask,
    'RandomResizedCrop': lambda: RandomResizedCrop(size=16, min_foreground=0.1),
    'BackgroundRemove': lambda: BackgroundRemove(prob=1.0),
    'BackgroundSwap': lambda: BackgroundSwap(prob=1.0, background=GREY),
    'MultiView': lambda: MultiView(
        [[RandomResizedCrop(size=16), BackgroundRemove(prob=1.0, min_foreground=0)]], 2
    ),
    'PackSaliencyInputs': lambda: PackSaliencyInputs(with_mask=True),
    'RandomBlockMask': lambda: RandomBlockMask(patch_size=4),
    'ColorJitter': lambda: ColorJitter(brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1),
    'CropBorder': CropBorder,
    'RandomGrayscale': lambda: RandomGrayscale(prob=1.0, keep_channels=True),
    'GaussianBlur': lambda: GaussianBlur(radius=1.0, prob=1.0),
    'RandomGaussianBlur': lambda: RandomGaussianBlur(0.5, 2.0, prob=1.0),
    'Solarize': lambda: Solarize(thr=100, prob=1.0),
    'GammaDistortion': lambda: GammaDistortion(2.0),
    'PatchShuffle': lambda: PatchShuffle(4),
    'RandomSolarize': lambda: RandomSolarize(prob=1.0),
}


def _arrays() -> dict:
    rng = np.random.default_rng(0)
    arrays = {
        'img': rng.integers(0, 256, (24, 32, 3), np.uint8),
        'gt_seg_map': rng.integers(0, 256, (24, 32), np.uint8),
    }
    for array in arrays.values():
        array.flags.writeable = False
    return arrays


def _results(name: str) -> dict:
    results = {
        **_arrays(),
        'img_shape': (24, 32),
        'sample_idx': 3,
        'img_path': 'x.jpg',
        'saliency_mask_path': None,
        # what is not ours: it must come out as the same objects
        'sentinel': object(),
        'gt_label': np.array(3),
        'mask': np.zeros(4),
        'img_fields': ['img'],
    }
    if name == 'LoadSaliencyMask':
        del results['gt_seg_map']
    return results


def _documented(transform: object) -> dict[str, dict[str, bool]]:
    """Keys by section of the docstring; True where they are optional."""
    sections: dict[str, dict[str, bool]] = {'Required': {}, 'Modified': {}, 'Added': {}}
    for name, block in re.findall(
        r'(Required|Modified|Added) Keys:\n\n((?: *- .*\n)+)', type(transform).__doc__ or ''
    ):
        for line in block.splitlines():
            key = line.strip().removeprefix('- ')
            if key not in ('(none)', '``*meta_keys``'):
                sections[name][key.removesuffix(' (optional)')] = key.endswith(' (optional)')
    return sections


@pytest.fixture(autouse=True)
def _driven(stream) -> None:
    SAMPLE_STREAM.set(seed=0, epoch=0)


def test_every_transform_has_a_case() -> None:
    assert set(CASES) == set(transforms.__all__) - {'BackgroundOp'}


@pytest.mark.parametrize('name', CASES)
def test_documented_keys_are_what_happens(name: str) -> None:
    transform = CASES[name]()
    documented = _documented(transform)
    assert documented['Required'], 'no keys documented'
    before = _results(name)
    after = transform(dict(before))
    changed = {key for key in before if key in after and after[key] is not before[key]}
    added = set(after) - set(before)
    assert changed <= set(documented['Modified'])
    assert {key for key, optional in documented['Modified'].items() if not optional} <= changed
    assert added <= set(documented['Added']) | set(documented['Modified'])
    assert {key for key, optional in documented['Added'].items() if not optional} <= added


@pytest.mark.parametrize('name', CASES)
def test_required_keys_are_enough_and_needed(name: str) -> None:
    transform = CASES[name]()
    required = _documented(transform)['Required']
    full = _results(name)
    if name == 'PackSaliencyInputs':
        required = {**required, 'img_path': False, 'gt_seg_map': False}
        del required['block_mask']  # with `with_block_mask` alone, see test_packing.py
    elif name == 'MultiView':
        required = {**required, 'gt_seg_map': False}  # of the view's own transforms
    transform({key: full[key] for key in required})
    transform({key: full[key] for key, optional in required.items() if not optional})
    for key in (key for key, optional in required.items() if not optional):
        with pytest.raises((ValueError, KeyError), match=key):
            transform({other: full[other] for other in full if other != key})


@pytest.mark.parametrize('name', CASES)
def test_other_keys_and_the_arrays_are_left_alone(name: str) -> None:
    before = _results(name)
    after = CASES[name]()(dict(before))
    expected = _results(name)
    for key in ('img', 'gt_seg_map'):
        if key in before:
            np.testing.assert_array_equal(before[key], expected[key])
    if name != 'PackSaliencyInputs':
        for key in ('sentinel', 'gt_label', 'mask', 'img_fields', 'img_path', 'sample_idx'):
            assert after[key] is before[key]
    assert before['img_fields'] == ['img']


@pytest.mark.parametrize('name', CASES)
def test_has_a_repr(name: str) -> None:
    assert repr(CASES[name]()).startswith(f'{name}(')
