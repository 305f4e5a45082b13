import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import BaseDataElement

from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM
from bgaug_mm.visualization import SampleViews, View, has_device_op, with_device_views

NORMALISATION = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])


def config(prob, **more):
    return Config(
        dict(
            model=dict(
                data_preprocessor=dict(
                    type='bgaug_mm.BackgroundDataPreprocessor',
                    background_op=dict(
                        type='bgaug_mm.BackgroundRemove', prob=prob, fill='random_grey'
                    ),
                    **{'bgr_to_rgb': True, **NORMALISATION, **more},
                )
            )
        )
    )


def samples(epochs=1):
    """Four images of noise with a square each, in two views; the last has no mask."""
    rng = np.random.default_rng(0)
    made = []
    for i in range(4):
        views, packed = [], []
        for _ in range(epochs):
            inputs = []
            for side in (24, 16):
                image = rng.integers(0, 256, (side, side, 3), np.uint8)
                mask = np.full((side, side), 255 if i == 3 else 0, np.uint8)
                mask[4:12, 4:12] = 255
                views.append(View(image, mask, (0, 0, 9, 9), ''))
                both = np.dstack([image[..., ::-1], mask])  # packed views are BGR
                inputs.append(torch.from_numpy(both.transpose(2, 0, 1).copy()))
            packed.append({'inputs': inputs, 'data_samples': BaseDataElement()})
        made.append(SampleViews(f'{i}', views[0].image, None, views, packed))
    return made


def test_which_configs_have_one():
    assert has_device_op(config(0.5))
    assert not has_device_op(Config(dict(model=dict(data_preprocessor=dict(mean=1)))))
    assert not has_device_op(Config(dict(model=None)))
    without = config(0.5)
    without.model.data_preprocessor.background_op = None
    assert not has_device_op(without)


@pytest.mark.parametrize(
    'more', [{}, dict(bgr_to_rgb=False), dict(mean=None, std=None), dict(append_masks=True)]
)
def test_pictures_are_those_of_the_model(more):
    before = samples(epochs=2)
    after = with_device_views(config(1.0, **more), before, seed=3, progress=0.5)
    levels = set()
    for sample, treated in zip(before, after, strict=True):
        assert treated[:3] == sample[:3]
        assert len(treated.views) == 4
        for old, new in zip(sample.views, treated.views, strict=True):
            assert new.image.dtype == np.uint8
            assert new.image.shape == old.image.shape
            assert new[1:4] == old[1:4]
            inside = old.mask == 255
            assert (new.image[inside] == old.image[inside]).all()  # RGB again
            if sample.path == '3':
                assert new.background_op is None
                assert (new.image == old.image).all()
                continue
            assert new.background_op == 'BackgroundRemove'
            (level,) = np.unique(new.image[~inside])
            levels.add(level)
    assert len(levels) > 4


def test_repeatable_and_without_traces():
    SAMPLE_STREAM.set(seed=-1, epoch=0)
    state = torch.get_rng_state()
    first, again = (with_device_views(config(0.5), samples(), seed=1) for _ in range(2))
    for a, b in zip(first, again, strict=True):
        assert all((x.image == y.image).all() for x, y in zip(a.views, b.views, strict=True))
    changed = [view.background_op for sample in first for view in sample.views]
    assert None in changed[:6]
    assert 'BackgroundRemove' in changed
    assert (torch.get_rng_state() == state).all()
    assert (SAMPLE_STREAM.seed, SAMPLE_STREAM.progress) == (-1, 0.0)


def test_views_packed_without_masks_stay():
    bare = samples()
    for sample in bare:
        sample.packed[0]['inputs'] = [view[:3] for view in sample.packed[0]['inputs']]
    after = with_device_views(config(1.0), bare)
    for old, new in zip(bare, after, strict=True):
        assert [view.background_op for view in new.views] == [None, None]
        assert all((a.image == b.image).all() for a, b in zip(old.views, new.views, strict=True))


def test_errors_restore():
    SAMPLE_STREAM.set(seed=-1, epoch=0)
    broken = samples()
    broken[1].packed[0]['inputs'][0] = torch.zeros(4, 8, 8, dtype=torch.uint8)
    with pytest.raises(RuntimeError):
        with_device_views(config(0.5), broken, seed=7)
    assert SAMPLE_STREAM.seed == -1
