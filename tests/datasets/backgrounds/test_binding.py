from mmcv.transforms import Compose, RandomApply, RandomChoice

from bgaug_mm.datasets.backgrounds import MixtureBackground
from bgaug_mm.datasets.backgrounds.binding import bind_sources
from bgaug_mm.datasets.transforms import BackgroundRemove, BackgroundSwap, MultiView


def _swap() -> BackgroundSwap:
    donor = dict(type='bgaug_mm.DonorBackground')
    return BackgroundSwap(background=MixtureBackground(backgrounds=[donor]))


def test_finds_the_sources_at_any_depth() -> None:
    swaps = [_swap() for _ in range(5)]
    pipeline = Compose(
        [
            swaps[0],
            MultiView([[BackgroundRemove(), swaps[1]], [swaps[2]]], [2, 1]),
            RandomApply([swaps[3]]),
            RandomChoice([[swaps[4]], [lambda results: results]]),
        ]
    )
    dataset = object()
    bind_sources(pipeline, dataset)
    assert all(swap.background.backgrounds[0]._dataset is dataset for swap in swaps)


def test_nothing_to_bind() -> None:
    bind_sources(None, object())
    bind_sources([lambda results: results, BackgroundRemove()], object())
