import numpy as np
import pytest
import torch
from torch import nn

from bgaug_mm.datasets.transforms.gamma import distort_gamma
from bgaug_mm.datasets.transforms.patch_shuffle import apply_order, shuffle_order
from bgaug_mm.evaluation import structure_scores

BRIGHT = torch.tensor([[-1.0], [1.0]])


class _Brightness(nn.Module):
    """Mean intensity."""

    def forward(self, images):
        return images.mean((1, 2, 3))[:, None]


class _UpperHalf(nn.Module):
    """How much brighter the upper half is than the lower one."""

    def forward(self, images):
        half = images.shape[2] // 2
        return (images[:, :, :half].mean((1, 2, 3)) - images[:, :, half:].mean((1, 2, 3)))[:, None]


@pytest.fixture
def images():
    """Even numbers: upper half light; odd ones: lower half light."""
    images = torch.full((40, 3, 8, 8), 60, dtype=torch.uint8)
    images[::2, :, :4] = 200
    images[1::2, :, 4:] = 200
    return images


def test_a_mean_survives_shuffling_and_not_gamma(images, linear_classifier):
    # class 0 below 128, and all images have a mean of 130
    model = linear_classifier(BRIGHT, torch.tensor([128.0, -128.0]), _Brightness())
    scores = structure_scores(model, images, torch.ones(40, dtype=torch.long))
    shares = {name: right.double().mean().item() for name, right in scores.items()}
    assert list(shares)[:2] == ['clean', 'gamma_0.2'] and len(shares) == 1 + 4 + 6
    assert shares['clean'] == 1
    assert all(share == 1 for name, share in shares.items() if name.startswith('p'))
    assert shares['gamma_0.2'] == shares['gamma_0.5'] == 1  # lighter
    assert shares['gamma_2'] == shares['gamma_5'] == 0


def test_a_layout_survives_local_shuffling_and_gamma_alone(images, linear_classifier):
    model = linear_classifier(-BRIGHT, torch.zeros(2), _UpperHalf())
    labels = torch.arange(40) % 2
    scores = structure_scores(model, images, labels)
    for name, right in scores.items():
        share = right.double().mean().item()
        assert share < 0.9 if name.startswith('patches') else share == 1, name


def test_against_one_image_at_a_time(linear_classifier):
    torch.manual_seed(0)
    images = torch.randint(0, 256, (7, 3, 9, 8), dtype=torch.uint8)
    model = linear_classifier(torch.randn(3, 4), torch.zeros(3), nn.Conv2d(3, 4, 3))
    labels = torch.arange(7) % 3
    options = dict(gammas=(3.0,), grids=(2, 4), seed=5)
    scores = structure_scores(model, images, labels, batch_size=4, **options)

    def answer(image: np.ndarray) -> int:
        return int(model(torch.from_numpy(image.copy()).permute(2, 0, 1)[None]).argmax())

    for i, tensor in enumerate(images):
        image = tensor.permute(1, 2, 0).numpy()
        assert bool(scores['clean'][i]) == (answer(image) == labels[i])
        assert bool(scores['gamma_3'][i]) == (answer(distort_gamma(image, 3.0)) == labels[i])
        for grid in (2, 4):
            for kind in ('patches', 'pixels'):
                draw = np.random.default_rng([5, grid, i]).permutation
                order = shuffle_order(9, 8, grid, shuffled=kind, permutation=draw)
                expected = answer(apply_order(image, order)) == labels[i]
                assert bool(scores[f'{kind}_{grid}'][i]) == expected

    parts = [
        structure_scores(model, images[part], labels[part], first=part.start, **options)
        for part in (slice(0, 3), slice(3, 7))
    ]
    for name, right in scores.items():
        assert torch.equal(right, torch.cat([part[name] for part in parts]))


def test_nothing_global_is_touched(images, linear_classifier):
    model = linear_classifier(BRIGHT, torch.zeros(2), _Brightness()).train()
    before = images.clone()
    state = np.random.get_state()[1].copy()
    structure_scores(model, images, torch.ones(40, dtype=torch.long), gammas=(), grids=(2,))
    np.testing.assert_array_equal(np.random.get_state()[1], state)
    assert model.training and torch.equal(images, before)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(gammas=(0.0,)), '`gamma` must be above 0 and finite, but got 0.0'),
        (dict(grids=(16,)), '`grid` 16 is finer than the image, 8 x 8 pixels'),
        (dict(shuffles=('rows',)), '`shuffled` must be one of'),
        (dict(labels=torch.arange(40)), r'`labels` must be in \[0, 1\], but got 0 to 39'),
        (dict(images=torch.zeros(40, 3, 8, 8)), '`images` must be uint8, but got torch.float32'),
        (dict(images=torch.zeros(3, 8, 8)), r'`images` must be \(N, 3, H, W\)'),
    ],
)
def test_bad_input(images, change, message, linear_classifier):
    model = linear_classifier(BRIGHT, torch.zeros(2), _Brightness())
    options = {'images': images, 'labels': torch.ones(40, dtype=torch.long), **change}
    with pytest.raises(ValueError, match=message):
        structure_scores(model, options.pop('images'), options.pop('labels'), **options)
