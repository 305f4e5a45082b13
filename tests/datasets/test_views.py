"""with_background_op and seed_samples: upstream's dataloader, rewritten."""

import copy

import pytest

from bgaug_mm.datasets.views import seed_samples, with_background_op, with_candidate_views

OP = dict(type='bgaug_mm.BackgroundRemove', prob=0.2)


def dataloader(*views, **kwargs):
    return dict(
        batch_size=4,
        collate_fn=dict(type='default_collate', _scope_='mmselfsup'),
        dataset=dict(
            type='mmcls.ImageNet',
            data_root='somewhere',
            pipeline=[
                dict(type='LoadImageFromFile'),
                dict(type='MultiView', num_views=[1] * len(views), transforms=list(views)),
                dict(type='PackSelfSupInputs', meta_keys=['img_path']),
            ],
        ),
        **kwargs,
    )


VIEW = [
    dict(type='RandomResizedCrop', size=224, backend='pillow'),
    dict(type='mmcv.RandomFlip', prob=0.5),
    dict(type='ColorJitter', brightness=0.4),
]


def test_operation_stands_between_geometry_and_photometry():
    loader = with_background_op(dataloader(VIEW, VIEW[:1]), OP, scope='mmselfsup', fast=False)
    first, second = loader['dataset']['pipeline'][3]['transforms']
    assert [t['type'] for t in first] == [
        'bgaug_mm.RandomResizedCrop',
        'mmcv.RandomFlip',
        'bgaug_mm.BackgroundRemove',
        'ColorJitter',
    ]
    assert [t['type'] for t in second] == ['bgaug_mm.RandomResizedCrop', OP['type']]
    assert first[0] == dict(type='bgaug_mm.RandomResizedCrop', size=224, backend='pillow')


def test_dataset_is_wrapped_and_keeps_everything_else():
    loader = with_background_op(
        dataloader(VIEW, num_workers=3), OP, scope='mmselfsup', on_missing_mask='skip'
    )
    assert loader['_delete_'] and loader['batch_size'] == 4 and loader['num_workers'] == 3
    wrapper = loader['dataset']
    assert wrapper['type'] == 'bgaug_mm.SaliencyMaskDataset'
    assert wrapper['_scope_'] == 'mmselfsup' and wrapper['on_missing_mask'] == 'skip'
    assert wrapper['dataset'] == dict(type='mmcls.ImageNet', data_root='somewhere')
    assert [t['type'] for t in wrapper['pipeline']] == [
        'bgaug_mm.SeedSample',
        'LoadImageFromFile',
        'bgaug_mm.LoadSaliencyMask',
        'bgaug_mm.MultiView',
        'PackSelfSupInputs',
    ]


def test_flip_behind_the_colours_does_not_draw_the_operation_behind_them():
    """MoCo and SwAV flip last; the operation stays in front of the photometric ops."""
    view = [VIEW[0], VIEW[2], VIEW[1]]
    loader = with_background_op(dataloader(view), OP, fast=False)
    types = [t['type'] for t in loader['dataset']['pipeline'][3]['transforms'][0]]
    assert types == ['bgaug_mm.RandomResizedCrop', OP['type'], 'ColorJitter', 'mmcv.RandomFlip']


@pytest.mark.parametrize(
    ('position', 'index'), [('before_crop', 0), ('before_photometric', 2), ('after_photometric', 3)]
)
def test_position(position, index):
    loader = with_background_op(dataloader(VIEW), OP, position=position)
    types = [t['type'] for t in loader['dataset']['pipeline'][3]['transforms'][0]]
    assert types.index(OP['type']) == index and len(types) == 4


def test_operation_of_a_recipe_is_replaced():
    """A config that inherits a recipe changes the probability by the same call again."""
    recipe = with_background_op(
        dataloader(VIEW, VIEW[:1]), OP, scope='mmselfsup', mask_root='/masks', pack_masks=True
    )
    recipe['dataset']['pipeline'][2]['resize_to_image'] = True
    given = copy.deepcopy(recipe)
    other = dict(type='bgaug_mm.BackgroundSwap', prob=0.5)
    expected = with_background_op(
        dataloader(VIEW, VIEW[:1]),
        other,
        scope='mmselfsup',
        mask_root='/masks',
        on_missing_mask='skip',
        pack_masks=True,
    )
    expected['dataset']['pipeline'][2]['resize_to_image'] = True
    assert with_background_op(recipe, other, on_missing_mask='skip') == expected
    assert recipe == given


def operated(loader):
    """For each view, whether it has the operation; and its crop's size."""
    multi_view = loader['dataset']['pipeline'][3]
    counts = multi_view['num_views']
    return [
        (OP['type'] in [t['type'] for t in view], view[0].get('size', view[0].get('scale')))
        for view, count in zip(multi_view['transforms'], counts, strict=True)
        for _ in range(count)
    ]


SMALL = [dict(type='RandomResizedCrop', scale=96, crop_ratio_range=(0.05, 0.14))]


@pytest.mark.parametrize(
    ('views', 'expected'),
    [
        ('all', [True] * 5),
        ('first', [True, False, False, False, False]),
        ('large', [True, True, False, False, False]),
        ([1, 3], [False, True, False, True, False]),
    ],
)
def test_views_that_get_the_operation(views, expected):
    given = dataloader(VIEW, SMALL)
    given['dataset']['pipeline'][1]['num_views'] = [2, 3]
    found = operated(with_background_op(given, OP, views=views))
    assert [has for has, _ in found] == expected
    assert [size for _, size in found] == [224, 224, 96, 96, 96]


def test_one_number_of_views_is_split_for_the_first():
    given = dataloader(VIEW)
    given['dataset']['pipeline'][1]['num_views'] = 2
    assert [has for has, _ in operated(with_background_op(given, OP, views='first'))] == [
        True,
        False,
    ]


@pytest.mark.parametrize('views', ['second', [2], [], [-1], 5])
def test_unknown_views(views):
    with pytest.raises(ValueError, match=r"`views` must be 'all'.*\(0 to 0\)"):
        with_background_op(dataloader(VIEW), OP, views=views)


def test_options_for_the_crop_of_the_treated_views():
    given = dataloader(VIEW, SMALL)
    loader = with_background_op(given, OP, views='large', crop=dict(min_foreground=0.2))
    large, small = loader['dataset']['pipeline'][3]['transforms']
    assert large[0]['min_foreground'] == 0.2 and 'min_foreground' not in small[0]
    assert 'min_foreground' not in given['dataset']['pipeline'][1]['transforms'][0][0]


def test_unknown_position():
    with pytest.raises(ValueError, match="`position` must be one of .* but got 'last'"):
        with_background_op(dataloader(VIEW), OP, position='last')


def test_photometric_transforms_become_the_fast_ones():
    view = [VIEW[0], dict(type='RandomApply', transforms=[VIEW[2]], prob=0.8)]
    fast, plain = (
        with_background_op(dataloader(view), OP, fast=fast)['dataset']['pipeline'][3]
        for fast in (True, False)
    )
    jitter = fast['transforms'][0][2]
    assert jitter['type'] == 'RandomApply' and jitter['prob'] == 0.8
    assert jitter['transforms'] == [dict(type='bgaug_mm.ColorJitter', brightness=0.4)]
    assert plain['transforms'][0][2] == view[1]


def test_masks_are_packed_for_the_model():
    loader = with_background_op(dataloader(VIEW), OP, pack_masks=True)
    assert loader['dataset']['pipeline'][-1] == dict(
        type='bgaug_mm.PackSaliencyInputs', with_mask=True, meta_keys=['img_path']
    )


def test_candidates_are_shared_out_among_the_view_pipelines():
    loader = with_candidate_views(dataloader(VIEW, VIEW[:1]), 4, scope='mmselfsup')
    assert loader['_delete_'] and loader['dataset']['_scope_'] == 'mmselfsup'
    multi_view, pack = loader['dataset']['pipeline'][-2:]
    assert multi_view['type'] == 'bgaug_mm.MultiView' and multi_view['num_views'] == [2, 2]
    assert multi_view['transforms'][0][0]['type'] == 'bgaug_mm.RandomResizedCrop'
    assert pack == dict(
        type='bgaug_mm.PackSaliencyInputs', with_mask=False, meta_keys=['img_path', 'crop_bbox']
    )
    uneven = with_candidate_views(dataloader(VIEW, SMALL), [4, 16])
    assert uneven['dataset']['pipeline'][-2]['num_views'] == [4, 16]


def test_candidates_of_a_recipe_with_a_background_op():
    recipe = with_background_op(dataloader(VIEW), OP, scope='mmselfsup', pack_masks=True)
    dataset = with_candidate_views(recipe, 4)['dataset']
    assert dataset['type'] == 'bgaug_mm.SaliencyMaskDataset' and dataset['_scope_'] == 'mmselfsup'
    types = [t['type'] for t in dataset['pipeline']]
    assert types.count('bgaug_mm.SeedSample') == 1
    assert OP['type'] in [t['type'] for t in dataset['pipeline'][3]['transforms'][0]]
    assert dataset['pipeline'][-1]['with_mask']


@pytest.mark.parametrize('num_views', [3, 0, [2], [2, 0], [1, 1, 1]])
def test_numbers_of_candidates_that_do_not_fit(num_views):
    with pytest.raises(ValueError, match='`num_views` must be a multiple of 2 or 2 positive'):
        with_candidate_views(dataloader(VIEW, VIEW), num_views)


def test_callers_config_is_untouched_and_result_shares_nothing():
    given = dataloader(VIEW)
    before = copy.deepcopy(given)
    loader = with_background_op(given, OP)
    assert given == before
    loader['dataset']['pipeline'][3]['transforms'][0][0]['size'] = 1
    loader['dataset']['pipeline'][3]['transforms'][0][2]['prob'] = 1.0
    assert given == before and OP['prob'] == 0.2


def test_stray_scope_is_dropped_from_collate_fn():
    assert seed_samples(dataloader(VIEW))['collate_fn'] == dict(type='bgaug_mm.default_collate')
    own = dataloader(VIEW)
    own['collate_fn'] = dict(type='pseudo_collate')
    assert seed_samples(own)['collate_fn'] == dict(type='pseudo_collate')


def test_seed_sample_is_put_first_once():
    once = seed_samples(dataloader(VIEW))
    types = [t['type'] for t in seed_samples(once)['dataset']['pipeline']]
    assert types.count('bgaug_mm.SeedSample') == 1 and types[0] == 'bgaug_mm.SeedSample'


def test_errors_name_what_was_found():
    loader = dataloader([dict(type='Resize', scale=4)])
    with pytest.raises(ValueError, match=r"needs a `RandomResizedCrop`, but got \['Resize'\]"):
        with_background_op(loader, OP)
    loader['dataset']['pipeline'].pop(1)
    with pytest.raises(ValueError, match='needs a `MultiView`'):
        with_background_op(loader, OP)
    loader['dataset'].pop('pipeline')
    with pytest.raises(ValueError, match='`dataset.pipeline` is missing'):
        seed_samples(loader)
