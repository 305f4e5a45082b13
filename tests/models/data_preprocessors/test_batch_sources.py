import cv2
import numpy as np
import pytest
import torch

from bgaug_mm.datasets.backgrounds import (
    DonorBackground,
    FolderBackground,
    GreyBackground,
    MeanBackground,
    MixtureBackground,
    NoiseBackground,
    RecentBackground,
)
from bgaug_mm.datasets.backgrounds.base import Window, cut_window
from bgaug_mm.datasets.transforms.infill import infill
from bgaug_mm.models.data_preprocessors.batch_source import Views, batch_source


@pytest.fixture
def few(batches):
    """Pixels, masks and views of one batch of 24."""
    pixels, masks, images, tensors = next(batches(turns=1, count=24, smallest=30))
    return pixels, masks, Views(images, tensors)


def drawn(source, chosen, batch=24, bank_size=8):
    torch.manual_seed(0)
    return source.draw(torch.as_tensor(chosen), batch)


def test_grey_levels(few):
    source = batch_source(GreyBackground(), 1)
    levels = drawn(source, range(4000))
    assert levels.min() == 0 and levels.max() == 255 and abs(levels.float().mean() - 127.5) < 4
    background, usable = source.render(torch.tensor([9, 250]), torch.tensor([1, 0]), few[2])
    assert background.flatten().tolist() == [9, 250] and background.dim() == 4 and usable.all()
    assert drawn(batch_source(GreyBackground(level=7), 1), range(3)).tolist() == [7, 7, 7]


def test_mean_is_each_views_own_or_the_given_colour(few):
    _, masks, views = few
    chosen = torch.arange(24)
    source = batch_source(MeanBackground(), 1)
    means, usable = source.render(drawn(source, chosen), chosen, views)
    single = MeanBackground()
    for i, mask in enumerate(masks):
        params = single.draw(few[0][i], mask, None)
        assert bool(usable[i]) == (params is not None)
        if params is not None:
            expected = single.render(params, 1, 1).flatten()
            assert np.abs(means[i].flatten().numpy() - expected).max() <= 1
    source = batch_source(MeanBackground(mean=(1, 2.6, 255)), 1)
    colour, _ = source.render(drawn(source, chosen), chosen, views)
    assert colour.flatten().tolist() == [1, 3, 255]
    reversed_views = views._replace(reversed=True)
    colour, _ = source.render(drawn(source, chosen), chosen, reversed_views)
    assert colour.flatten().tolist() == [255, 3, 1]


def test_noise_is_uniform_and_follows_the_seed(few):
    source = batch_source(NoiseBackground(), 1)
    chosen = torch.arange(20)
    torch.manual_seed(5)
    noise, usable = source.render(source.draw(chosen, 24), chosen, few[2])
    assert noise.shape == (20, *few[2].images.shape[1:]) and usable.all()
    assert noise.min() == 0 and noise.max() == 255
    assert abs(noise.mean() - 127.5) < 2 and abs(noise.std() - 73.9) < 2
    torch.manual_seed(5)
    assert torch.equal(source.render(source.draw(chosen, 24), chosen, few[2])[0], noise)


@pytest.mark.parametrize('kind', [DonorBackground, RecentBackground])
def test_donors_are_a_circle_without_fixed_points(kind):
    source = batch_source(kind(), 1)
    firsts = set()
    for seed in range(60):
        torch.manual_seed(seed)
        indices = source.draw(torch.arange(5), 5).indices
        assert sorted(indices.tolist()) == list(range(5))
        at, steps = 0, 0
        while True:  # one circle through all of them
            at, steps = int(indices[at]), steps + 1
            if at == 0:
                break
        assert steps == 5
        firsts.add(int(indices[0]))
    assert firsts == {1, 2, 3, 4}


@pytest.mark.parametrize('method', ['tile_strip', 'tile_rectangle', 'mean'])
def test_donors_are_filled_and_cut_like_single_ones(few, method):
    pixels, masks, views = few
    options = dict(infill=method, threshold=30, min_strip=0.1, scale=(0.2, 0.9))
    source = batch_source(RecentBackground(**options), 1)
    chosen = torch.tensor([3, 0, 17, 20, 21])
    params = drawn(source, chosen)
    background, usable = source.render(params, chosen, views)
    height, width = masks.shape[1:]
    for i, (donor, window) in enumerate(
        zip(params.indices.tolist(), params.windows.tolist(), strict=True)
    ):
        filled = infill(pixels[donor], masks[donor], method, threshold=30, min_strip=0.1)
        assert bool(usable[i]) == (filled is not None)
        if filled is not None:
            expected = cut_window(filled, Window(*window[:3], bool(window[3])), height, width)
            got = background[i].permute(1, 2, 0).numpy()
            assert np.abs(got - expected).max() <= 1


def test_alone_in_its_batch_an_image_has_no_donor(few):
    views = few[2].of(torch.tensor([0]))
    source = batch_source(DonorBackground(), 1)
    chosen = torch.tensor([0])
    assert not source.render(drawn(source, chosen, batch=1), chosen, views)[1].any()


def test_inpainting_is_refused_by_name():
    with pytest.raises(ValueError, match="`infill` must be one of .* on the device, but got 'inp"):
        batch_source(DonorBackground(infill='inpaint'), 1)


def test_folder_backgrounds_are_cut_like_single_ones(few, tmp_path):
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (h, w, 3), np.uint8) for h, w in [(40, 90), (120, 33), (9, 9)]]
    for i, image in enumerate(images):
        cv2.imwrite(str(tmp_path / f'{i}.png'), image)
    source = batch_source(FolderBackground(str(tmp_path)), 8)
    chosen = torch.arange(24)
    params = drawn(source, chosen)
    assert set(params.indices.tolist()) == {0, 1, 2}
    background, usable = source.render(params, chosen, few[2])
    swapped, _ = source.render(params, chosen, few[2]._replace(reversed=True))
    assert usable.all() and torch.equal(swapped, background.flip(1))
    for i, (index, window) in enumerate(
        zip(params.indices.tolist(), params.windows.tolist(), strict=True)
    ):
        expected = cut_window(
            images[index], Window(*window[:3], bool(window[3])), *few[1].shape[1:]
        )
        assert np.abs(background[i].permute(1, 2, 0).numpy() - expected).max() <= 1


def test_a_mixture_takes_its_sources_by_weight_and_each_renders_its_own(few):
    levels = [10, 20, 30]
    source = batch_source(
        MixtureBackground(
            backgrounds=[GreyBackground(level=level) for level in levels], weights=[3, 0, 1]
        ),
        1,
    )
    parts = drawn(source, torch.zeros(4000, dtype=torch.int64))
    assert parts[1] is None and abs(len(parts[0].at) / 4000 - 0.75) < 0.03
    chosen = torch.arange(20)
    parts = drawn(source, chosen)
    background, usable = source.render(parts, chosen, few[2])
    assert background.shape == (20, *few[2].images.shape[1:]) and usable.all()
    assert (background[parts[0].at] == 10).all() and (background[parts[2].at] == 30).all()
    assert sorted([*parts[0].at.tolist(), *parts[2].at.tolist()]) == list(range(20))


def test_in_a_mixture_a_donor_without_background_is_told(few):
    views = Views(few[2].images, torch.full_like(few[2].masks, 255))
    mixture = MixtureBackground(backgrounds=[GreyBackground(level=1), RecentBackground()])
    source = batch_source(mixture, 1)
    chosen = torch.arange(20)
    parts = drawn(source, chosen)
    usable = source.render(parts, chosen, views)[1]
    assert usable[parts[0].at].all() and not usable[parts[1].at].any()
