import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset

from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM
from bgaug_mm.datasets.transforms import MultiView, PackSaliencyInputs
from bgaug_mm.visualization import View, build_training_dataset, find_images, sample_views


class Load:
    """An image whose blue value is the index; with a mask for every index but 0."""

    def __init__(self, log):
        self.log = log

    def __call__(self, results):
        index = results['sample_idx']
        self.log.append((SAMPLE_STREAM.seed, SAMPLE_STREAM.epoch, SAMPLE_STREAM.progress, index))
        results['img'] = np.zeros((2, 3, 3), np.uint8)
        results['img'][..., 0] = index
        results['gt_seg_map'] = np.full((2, 3), 10 * index or 255, np.uint8)
        return results


class Crop:
    def __call__(self, results):
        results['img'] = results['img'][:, :2]
        results['gt_seg_map'] = results['gt_seg_map'][:, :2]
        results['crop_bbox'] = (0, 0, 2, 2)
        results['flip'], results['flip_direction'] = results['sample_idx'] > 5, 'vertical'
        results['background_op'] = 'Op' if results['sample_idx'] else None
        results['background_params'] = f'level {np.random.randint(256)}'
        return results


class Keep:
    def __call__(self, results):
        results['background_op'] = None
        return results


class Images(BaseDataset):
    def load_data_list(self):
        return [{'img_path': f'{self.data_root}/{i}.png'} for i in range(10)]


def images(*transforms, **options):
    return Images(pipeline=list(transforms), serialize_data=False, **options)


@pytest.fixture
def dataset():
    log = []
    made = images(Load(log), MultiView([[Crop()], [Keep()]], [1, 1]), PackSaliencyInputs())
    made.log = log
    return made


def test_pictures_and_parameters(dataset):
    seven, zero = sample_views(dataset, [7, 0], epochs=2, seed=5, progress=0.5, warm_up=3)
    assert seven.path.endswith('7.png')
    assert (seven.original == (0, 0, 7)).all()  # RGB of a blue BGR image
    assert seven.original.shape == (2, 3, 3)
    assert (seven.mask == 70).all()
    assert zero.mask is None  # full: an image without a mask
    assert len(seven.views) == 4
    assert len(seven.packed) == 2
    crop, keep = seven.views[:2]
    assert crop.image.shape == (2, 2, 3)
    assert crop.image.dtype == np.uint8
    assert (crop.image == (0, 0, 7)).all()
    assert (crop.mask == 70).all()
    assert crop.crop_bbox == (0, 0, 2, 2)
    assert (crop.flip, crop.background_op) == ('vertical', 'Op')
    assert crop.background_params.startswith('level ')
    assert keep[2:] == (None, None, None, None, 'view', '')
    assert keep.image.shape == (2, 3, 3)
    assert zero.views[0].mask is None
    assert zero.views[0].flip == ''
    for epoch in (0, 1):
        drawn = [entry for entry in dataset.log if entry[1] == epoch]
        assert [index for *_, index in drawn] == [0, 3, 6, 7, 0]  # three to warm up
        assert {entry[:3] for entry in drawn} == {(5, epoch, 0.5)}


def test_a_mask_that_does_not_move_along_is_left_out():
    class CropImage:
        def __call__(self, results):
            results['img'] = results['img'][:1]
            return results

    made = images(Load([]), MultiView([[CropImage()]], 1), PackSaliencyInputs())
    (sample,) = sample_views(made, [4], warm_up=0)
    assert sample.mask is not None
    assert sample.views[0].mask is None


def test_a_fourth_channel_is_no_colour(dataset):
    dataset.pipeline.transforms[-1] = PackSaliencyInputs(with_mask=True)
    (sample,) = sample_views(dataset, [3], warm_up=0)
    assert sample.packed[0]['inputs'][0].shape == (4, 2, 2)
    assert sample.views[0].image.shape == (2, 2, 3)
    assert (sample.views[0].image == (0, 0, 3)).all()


def test_progress_is_reported(dataset):
    calls = []
    sample_views(dataset, [1, 2], epochs=2, warm_up=3, advance=lambda: calls.append(1))
    assert len(calls) == 2 * (3 + 2)


def test_random_states_are_left_as_they_were(dataset):
    np.random.seed(0)
    SAMPLE_STREAM.set(seed=9, epoch=4, progress=0.25)
    before, state = np.random.get_state()[1].copy(), torch.get_rng_state()
    sample_views(dataset, [1])
    assert (np.random.get_state()[1] == before).all()
    assert (torch.get_rng_state() == state).all()
    stream = SAMPLE_STREAM.seed, SAMPLE_STREAM.epoch, SAMPLE_STREAM.progress
    SAMPLE_STREAM.set(seed=-1, epoch=0)
    assert stream == (9, 4, 0.25)


def test_errors_restore_as_well(dataset):
    pipeline = list(dataset.pipeline.transforms)
    with pytest.raises(IndexError):
        sample_views(dataset, [99])
    assert SAMPLE_STREAM.seed == -1
    assert dataset.pipeline.transforms == pipeline


def test_the_same_images_elsewhere():
    there, other = images(Load([]), data_root='a'), images(Load([]), data_root='b')
    reordered = images(Load([]), data_root='a', indices=[5, 3, 1])
    paths = ['a/3.png', 'a/5.png']
    assert find_images(there, paths, [3, 5]) == [3, 5]
    assert find_images(reordered, paths, [3, 5]) == [1, 0]
    with pytest.raises(ValueError, match=r'does not have the image a/3\.png'):
        find_images(other, paths, [3, 5])


def test_a_view_without_anything_drawn():
    assert View(np.zeros((1, 1, 3), np.uint8))[1:] == (*(None,) * 5, 'view', '')


def test_building(tmp_path):
    from mmengine.config import Config
    from mmengine.registry import DATASETS

    DATASETS.register_module(name='BrowsedImages', module=Images, force=True)
    config = Config({'train_dataloader': {'dataset': {'type': 'BrowsedImages'}}})
    assert len(build_training_dataset(config)) == 10
