import pytest
from mmengine.config import Config

from bgaug_mm.engine.launch_config import LaunchError
from bgaug_mm.visualization import RECIPE_HEAD, read_recipe
from bgaug_mm.visualization.view_recipe import (
    force_probability,
    operations,
    probability_text,
    read_class_folders,
)


def op(prob=0.2, **more):
    return dict(type='bgaug_mm.BackgroundSwap', prob=prob, **more)


def config(dataset, **more):
    return Config(dict(train_dataloader=dict(dataset=dataset), **more))


def masked(*views, **dataset):
    pipeline = [dict(type='LoadImageFromFile'), dict(type='MultiView', transforms=[*views])]
    inner = dict(type='mmcls.ImageNet', data_root='d', ann_file='meta/train.txt', **dataset)
    return dict(type='bgaug_mm.SaliencyMaskDataset', dataset=inner, pipeline=pipeline)


def test_operations_are_found_with_their_places():
    source = dict(type='bgaug_mm.GreyBackground')  # a source is no operation
    remove = dict(type='bgaug_mm.BackgroundRemove', fill='mean')
    on_device = dict(type='bgaug_mm.BackgroundDataPreprocessor', background_op=op(0.4))
    found = operations(
        config(masked([op(background=source)], [remove]), model=dict(data_preprocessor=on_device))
    )
    assert [(o.name, o.prob) for o in found] == [
        ('BackgroundSwap (GreyBackground)', '0.2'),
        ('BackgroundRemove (mean)', "the operation's default"),
        ('BackgroundSwap', '0.4'),
    ]
    assert found[0].key == 'train_dataloader.dataset.pipeline.1.transforms.0.0'
    assert found[2].key == 'model.data_preprocessor.background_op'
    assert operations(config(masked([]), model=dict(data_preprocessor=None))) == []


@pytest.mark.parametrize(
    ('prob', 'text'),
    [
        (None, "the operation's default"),
        (0.30, '0.3'),
        (1, '1'),
        (dict(type='constant', start=0.1), '0.1'),
        (dict(type='linear', start=0.2, end=0.2), '0.2'),
        (
            dict(type='linear', start=0.0, end=0.3),
            'linear from 0 to 0.3 between 0% and 100% of the training',
        ),
        (
            dict(type='cosine', start=0.5, end=0, begin=0.1, until=0.5),
            'cosine from 0.5 to 0 between 10% and 50% of the training',
        ),
    ],
)
def test_probabilities_in_words(prob, text):
    assert probability_text(prob) == text


def test_forcing():
    forced = config(masked([op(dict(type='linear', start=0, end=1))], [op()]))
    force_probability(forced, 1.0)
    assert [o.config.prob for o in operations(forced)] == [1.0, 1.0]


def test_lists_that_do_not_exist_give_way_to_folders(tmp_path):
    read = config(masked(data_prefix='train', metainfo={}))
    assert read_class_folders(read) == ['d/meta/train.txt']
    assert read.train_dataloader.dataset.dataset == dict(
        type='mmcls.CustomDataset', data_root='d', data_prefix='train'
    )
    (tmp_path / 'meta').mkdir()
    (tmp_path / 'meta/train.txt').write_text('')
    read = config(masked())
    read.train_dataloader.dataset.dataset.data_root = str(tmp_path)
    assert read_class_folders(read) == []
    assert read.train_dataloader.dataset.dataset.type == 'mmcls.ImageNet'


def test_splits_of_mmpretrain():
    read = config(dict(type='ImageNet', data_root='d', split='train'), default_scope='mmpretrain')
    assert read_class_folders(read) == ['d/meta/train.txt']
    assert read.train_dataloader.dataset == dict(
        type='mmpretrain.CustomDataset', data_root='d', data_prefix='train'
    )


def test_own_images_and_masks():
    read = config(dict(type='ConcatDataset', datasets=[masked(), masked()]))
    assert read_class_folders(read, 'mine/', 'cut') == []
    for dataset in read.train_dataloader.dataset.datasets:
        assert dataset.mask_root == 'cut'
        assert dataset.dataset == dict(type='mmcls.CustomDataset', data_root='', data_prefix='mine')


@pytest.fixture
def recipe(tmp_path):
    (tmp_path / 'train').mkdir()
    path = tmp_path / 'r.py'
    path.write_text(
        "train_dataloader = dict(dataset=dict(type='mmcls.CustomDataset', data_root='nowhere/', "
        "data_prefix='train', pipeline=[dict(type='bgaug_mm.BackgroundRemove', prob=0.25)]))"
    )
    return path


def test_reading(recipe, tmp_path):
    read = read_recipe(str(recipe), 'r', data=str(tmp_path))
    assert read.heading == 'r (p 0.25)'
    assert dict(zip(RECIPE_HEAD, read.row, strict=True)) == {
        'recipe': 'r',
        'background operation': 'BackgroundRemove',
        'probability': '0.25',
        'here': '0.25',
        'built on': '',
        'config': str(recipe),
    }
    forced = read_recipe(
        str(recipe), 'r', data=str(tmp_path), op_prob=1.0, options={'work_dir': 'w'}
    )
    assert forced.heading == 'r (p 0.25, here 1)'
    assert forced.row[2:4] == ['0.25', '1 (forced)']
    assert forced.config.train_dataloader.dataset.pipeline[0].prob == 1.0
    assert forced.config.work_dir == 'w'


def test_a_recipe_without_an_operation(recipe, tmp_path):
    recipe.write_text(
        recipe.read_text().replace("dict(type='bgaug_mm.BackgroundRemove', ", 'dict(')
    )
    read = read_recipe(str(recipe), 'r', images=str(tmp_path), op_prob=1.0)
    assert (read.operation, read.heading) == ('none', 'r')
    assert read.config.train_dataloader.dataset.data_prefix == str(tmp_path)


def test_bad_input(recipe, tmp_path):
    with pytest.raises(LaunchError, match=r'nowhere/ \(train_dataloader\.dataset\.data_root\)'):
        read_recipe(str(recipe), 'r')
    with pytest.raises(LaunchError, match='--images elsewhere: there is no such folder'):
        read_recipe(str(recipe), 'r', images='elsewhere')
    (tmp_path / 'train').rename(tmp_path / 'other')
    with pytest.raises(LaunchError, match=f'holds other, r.py; class .* --images {tmp_path}'):
        read_recipe(str(recipe), 'r', data=str(tmp_path))
    recipe.write_text('model = dict()')
    with pytest.raises(LaunchError, match='has no train_dataloader: there are no views'):
        read_recipe(str(recipe), 'r')
