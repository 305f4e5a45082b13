"""What the pipeline made: recipes, sizes, the choice without scores, preprocessing."""

from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset

from bgaug_mm.datasets.transforms import MultiView
from bgaug_mm.engine.hard_views.candidates import (
    as_views,
    count_views,
    first_views,
    num_globals,
    prepare,
    view_recipes,
)
from bgaug_mm.models import BackgroundDataPreprocessor


class Images(BaseDataset):
    def load_data_list(self):
        return [dict()]


def views(*sizes, samples=2):
    return [torch.full((samples, 3, size, size), i, dtype=torch.uint8) for i, size in
            enumerate(sizes)]  # fmt: skip


def test_recipes_from_the_pipeline():
    transform = MultiView(transforms=[[], [], []], num_views=[2, 1, 3])
    dataset = Images(pipeline=[transform])
    assert view_recipes(dataset) == [0, 0, 1, 2, 2, 2]
    assert view_recipes(RepeatDataset(dataset, times=2)) == [0, 0, 1, 2, 2, 2]
    assert view_recipes(ConcatDataset([dataset, dataset])) == [0, 0, 1, 2, 2, 2]
    assert view_recipes(SimpleNamespace(dataset=dataset, pipeline=None)) == [0, 0, 1, 2, 2, 2]
    assert view_recipes(Images(pipeline=[])) is None
    assert view_recipes([1, 2]) is None


def test_globals_are_the_first_of_the_largest_size():
    assert num_globals(views(8, 8)) == 2
    assert num_globals(views(8, 8, 8, 4, 4)) == 3
    for sizes in [(4, 8), (8, 8, 4, 2), (8, 4, 8)]:
        with pytest.raises(ValueError, match='then local ones of one smaller size, but have'):
            num_globals(views(*sizes))


def test_counts():
    assert count_views(views(8, 8, 8), 2, None) == (3, 0)
    assert count_views(views(8, 8, 4, 4, 4), 4, [0, 0, 1, 1, 1]) == (2, 2)
    with pytest.raises(ValueError, match='`num_views_out` is 4, but the pipeline makes only 2'):
        count_views(views(8, 8), 4, None)
    with pytest.raises(ValueError, match=r'`recipes` must be 2 numbers, .* got \[0\]'):
        count_views(views(8, 8), 2, [0])
    for sizes, out, found in [((8, 8, 8), 3, '3 and 0'), ((8, 4, 4), 2, '1 and 2')]:
        with pytest.raises(ValueError, match=f'but the pipeline makes {found}'):
            count_views(views(*sizes), out, None)


def test_first_views():
    assert first_views(4, 0, None) == [0, 1]
    assert first_views(4, 0, [0, 0, 0, 0]) == [0, 1]
    assert first_views(4, 0, [0, 0, 1, 1]) == [0, 2]
    assert first_views(4, 3, [0, 0, 1, 1, 2, 2, 2, 2]) == [0, 2, 4, 5, 6]


def test_prepare_as_outside_training_then_resized():
    model = SimpleNamespace(
        data_preprocessor=BackgroundDataPreprocessor(
            background_op=dict(type='BackgroundRemove', prob=1.0),
            append_masks=True, mean=[1.0, 2.0, 3.0], std=[2.0, 2.0, 2.0],
        )
    )  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    given = [
        torch.randint(0, 256, (2, 4, size, size), generator=generator, dtype=torch.uint8)
        for size in (16, 16, 8)
    ]
    plain = [(v[:, :3].float() - torch.tensor([1.0, 2, 3]).view(3, 1, 1)) / 2 for v in given]
    for got, expected in zip(prepare(model, given, None), plain, strict=True):
        torch.testing.assert_close(got, expected)  # no background op, no masks
    half = prepare(model, given, 8)
    assert [tuple(view.shape) for view in half] == [(2, 3, 8, 8), (2, 3, 8, 8), (2, 3, 4, 4)]
    # halving bilinearly without antialiasing is the mean of 2 × 2
    torch.testing.assert_close(half[0], F.avg_pool2d(plain[0], 2))
    assert prepare(model, given, 32)[0].shape[-1] == 16, 'never enlarged'


def test_prepare_with_a_preprocessor_that_returns_a_tuple():
    model = SimpleNamespace(
        data_preprocessor=lambda data, training: ([v.float() for v in data['inputs']], None)
    )
    assert prepare(model, views(8, 8), None)[1].dtype == torch.float32


def test_views_of_a_batch():
    stacked = as_views(dict(inputs=views(8, 8)))
    pseudo = as_views(dict(inputs=[list(view) for view in views(8, 8)]))
    assert all(map(torch.equal, stacked, pseudo))
    for batch in (dict(inputs=torch.zeros(2, 3, 8, 8)), dict(images=[]), [1], dict(inputs=[])):
        with pytest.raises(ValueError, match='`inputs` is a list of views'):
            as_views(batch)
