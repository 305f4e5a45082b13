import copy

import pytest

from bgaug_mm.datasets.fast_transforms import PHOTOMETRIC, fast_transforms
from bgaug_mm.registry import TRANSFORMS

JITTER = dict(type='ColorJitter', brightness=0.4)
CROP = dict(type='bgaug_mm.RandomResizedCrop', size=8, backend='pillow')


def _types(pipeline) -> list[str]:
    return [step['type'] for step in fast_transforms(pipeline)]


def test_only_the_type_changes() -> None:
    for name in PHOTOMETRIC:
        for scope in ('', 'mmcv.', 'mmcls.', 'mmselfsup.', 'mmpretrain.'):
            config = dict(type=scope + name, prob=0.3, other=1)
            assert fast_transforms([config]) == [{**config, 'type': f'bgaug_mm.{name}'}]


def test_all_of_the_mapping_exist() -> None:
    import bgaug_mm.datasets  # noqa: F401

    assert all(TRANSFORMS.get(name) for name in PHOTOMETRIC.values())


def test_goes_into_what_is_nested_and_leaves_its_argument() -> None:
    pipeline = [
        dict(type='RandomApply', transforms=[JITTER], prob=0.8),
        dict(type='RandomApply', transforms=JITTER),
        dict(type='MultiView', num_views=[1, 1], transforms=[[JITTER], [CROP, JITTER]]),
    ]
    before = copy.deepcopy(pipeline)
    applied, single, multi_view = fast_transforms(pipeline)
    assert pipeline == before
    assert applied == dict(
        type='RandomApply', transforms=[{**JITTER, 'type': 'bgaug_mm.ColorJitter'}], prob=0.8
    )
    assert single['transforms']['type'] == 'bgaug_mm.ColorJitter'
    assert multi_view['transforms'][1][0]['backend'] == 'torch'
    assert multi_view['transforms'][1][1]['type'] == 'bgaug_mm.ColorJitter'


@pytest.mark.parametrize(
    'config',
    [
        dict(type='ColorJitter', backend='cv2'),
        dict(type='RandomGrayscale', color_format='hsv'),
        dict(type='mmdet.ColorJitter'),
        dict(type='torchvision/ColorJitter'),
        dict(type='RandomFlip'),
        dict(type='RandomResizedCrop', backend='pillow'),
        {**CROP, 'backend': 'cv2'},
        {**CROP, 'interpolation': 'lanczos'},
        dict(type='bgaug_mm.RandomResizedCrop', size=8),
    ],
)
def test_what_ours_do_not_offer_stays(config) -> None:
    assert fast_transforms([config]) == [config]


def test_the_crop_takes_torch_for_pillow() -> None:
    assert fast_transforms([{**CROP, 'interpolation': 'bicubic'}])[0]['backend'] == 'torch'
    assert _types([JITTER, CROP]) == ['bgaug_mm.ColorJitter', 'bgaug_mm.RandomResizedCrop']
