"""on_device and background_preprocessor: a recipe moves from the workers to the device."""

import copy

import pytest

from bgaug_mm.datasets.device_views import background_preprocessor, on_device
from bgaug_mm.datasets.views import with_background_op

from .test_views import OP, SMALL, VIEW, dataloader

NORMALISATION = dict(mean=(1.0, 2.0, 3.0), std=(4.0, 5.0, 6.0))


def recipe(*views, model=None, **kwargs):
    loader = with_background_op(dataloader(*views), OP, scope='mmselfsup', **kwargs)
    loader.pop('_delete_')
    return dict(
        train_dataloader=loader,
        model=model or dict(type='BYOL', data_preprocessor=dict(NORMALISATION, bgr_to_rgb=True)),
    )


def types(loader):
    multi_view = loader['dataset']['pipeline'][3]
    return [step['type'] for view in multi_view['transforms'] for step in view]


def test_operation_moves_into_the_data_preprocessor():
    base = recipe(VIEW)
    before = copy.deepcopy(base)
    loader, model = on_device(base)
    assert base == before
    assert OP['type'] in types(base['train_dataloader']) and OP['type'] not in types(loader)
    assert loader['dataset']['pipeline'][-1]['with_mask'] and loader['_delete_']
    assert loader['dataset']['_scope_'] == 'mmselfsup'
    assert model == dict(
        data_preprocessor=dict(
            _delete_=True,
            type='bgaug_mm.BackgroundDataPreprocessor',
            bgr_to_rgb=True,
            background_op=OP,
            views='all',
            **NORMALISATION,
        )
    )


def test_views_of_the_recipe_are_kept():
    assert on_device(recipe(VIEW, SMALL, views='large'))[1]['data_preprocessor']['views'] == [0]


def test_preprocessor_of_the_top_level_serves():
    """mmpretrain's configs have it beside the model."""
    base = dict(
        model=dict(type='MoCo'),
        data_preprocessor=dict(type='SelfSupDataPreprocessor', to_rgb=True, **NORMALISATION),
    )
    assert background_preprocessor(base, append_masks=True) == dict(
        type='bgaug_mm.BackgroundDataPreprocessor',
        to_rgb=True,
        append_masks=True,
        **NORMALISATION,
    )


def test_options_of_a_recipe_with_packed_masks_survive():
    base = recipe(VIEW, pack_masks=True)
    base['model'] = dict(data_preprocessor=background_preprocessor(base, append_masks=True))
    assert on_device(base)[1]['data_preprocessor']['append_masks']


def test_a_recipe_on_the_device_stays_there():
    base = recipe(VIEW)
    base['train_dataloader'], base['model'] = on_device(base)
    with pytest.raises(ValueError, match='on the device already'):
        on_device(base)


def test_errors_name_what_was_found():
    base = recipe(VIEW)
    with pytest.raises(ValueError, match="SelfSupDataPreprocessor, but is 'CAEDataPreprocessor'"):
        background_preprocessor(
            dict(model=dict(data_preprocessor=dict(type='CAEDataPreprocessor')))
        )
    with pytest.raises(ValueError, match='neither `model.data_preprocessor` nor'):
        background_preprocessor(dict(model=dict(type='BYOL')))
    multi_view = base['train_dataloader']['dataset']['pipeline'][3]
    multi_view['transforms'][0] = [
        step for step in multi_view['transforms'][0] if step['type'] != OP['type']
    ]
    with pytest.raises(ValueError, match=r'need one background op.*\[\[\]\]'):
        on_device(base)
