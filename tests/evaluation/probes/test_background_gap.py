import math

import numpy as np
import pytest
import torch
from PIL import Image

from bgaug_mm.evaluation import (
    OPTIONAL_SETS,
    TEST_SETS,
    LabelledFeatures,
    embedding_spread,
    evaluate_backbone,
    foreground_preference,
    gap_scores,
    list_triplets,
    list_world,
)


class MeanColour(torch.nn.Module):
    """Features that a test can see through: mean of the left and of the right half."""

    def forward(self, images):
        half = images.shape[-1] // 2
        halves = images[..., :half].float().mean((2, 3)), images[..., half:].float().mean((2, 3))
        return torch.cat(halves, 1)


@pytest.fixture
def world(tmp_path):
    """Objects are the left half (blue or red), backgrounds the right half (dark or light)."""
    rng = np.random.default_rng(0)

    def image(label, background):
        picture = np.zeros((8, 8, 3), np.uint8)
        picture[:, :4, 2 * label] = 150 + rng.integers(50)
        picture[:, 4:] = 20 + 180 * background + rng.integers(40)
        return picture

    backgrounds = {
        'train': lambda label, i: label,
        'original': lambda label, i: label,
        'mixed_same': lambda label, i: label,
        'mixed_rand': lambda label, i: i % 2,
        'mixed_next': lambda label, i: 1 - label,
        'only_fg': lambda label, i: 0.5,
        'only_bg': lambda label, i: label,
        'other_fg': lambda label, i: 1 - label,
    }
    for set_name, background in backgrounds.items():
        for label in (0, 1):
            folder = tmp_path / set_name / 'ab'[label]
            folder.mkdir(parents=True)
            for i in range(30 if set_name == 'train' else 6):
                picture = image(label, background(label, i))
                if set_name == 'only_bg':
                    picture[:, :4] = 0
                Image.fromarray(picture).save(folder / f'{i}.png')
    rows = ['anchor,positive,negative']
    for label in 'ab':
        other = 'ba'['ab'.index(label)]
        rows += [f'original/{label}/{i}.png,mixed_rand/{label}/{i}.png,other_fg/{other}/{i}.png'
                 for i in range(6)]  # fmt: skip
    (tmp_path / 'triplets.csv').write_text('\n'.join(rows) + '\n')
    return tmp_path


def test_list_world(world):
    sets = list_world(world)
    assert set(sets) == {'train', *TEST_SETS}
    assert sets['train'].labels == [0] * 30 + [1] * 30
    assert [path.name for path in sets['original'].files[:2]] == ['0.png', '1.png']


def test_optional_sets_are_listed_when_there(world):
    for label in 'ab':
        folder = world / 'adversarial' / label
        folder.mkdir(parents=True)
        for background in ('dark', 'light'):
            Image.new('RGB', (8, 8)).save(folder / f'0__{background}.png')
    sets = list_world(world)
    assert set(sets) == {'train', *TEST_SETS, 'adversarial'}
    assert [path.name for path in sets['adversarial'].files[:2]] == ['0__dark.png', '0__light.png']
    assert 'no_fg' in OPTIONAL_SETS
    (world / 'no_fg').mkdir()
    with pytest.raises(ValueError, match='no_fg has no images'):
        list_world(world)


def test_labels_come_from_the_training_classes(world):
    for path in (world / 'only_fg' / 'a').iterdir():
        path.unlink()
    (world / 'only_fg' / 'a').rmdir()
    assert set(list_world(world)['only_fg'].labels) == {1}


def test_missing_and_bad_sets_are_named(world):
    (world / 'mixed_rand').rename(world / 'gone')
    with pytest.raises(ValueError, match='misses the set folder mixed_rand; a world'):
        list_world(world)
    (world / 'mixed_next').rename(world / 'gone2')
    with pytest.raises(ValueError, match='set folders mixed_rand, mixed_next'):
        list_world(world)
    (world / 'gone').rename(world / 'mixed_rand')
    (world / 'gone2').rename(world / 'mixed_next')
    (world / 'original' / 'zebra').mkdir()
    with pytest.raises(ValueError, match=r"original has classes .* \['zebra'\]"):
        list_world(world)
    (world / 'original' / 'zebra').rmdir()
    for path in world.glob('only_bg/*/*.png'):
        path.unlink()
    with pytest.raises(ValueError, match='only_bg has no images'):
        list_world(world)
    with pytest.raises(ValueError, match='misses the set folders train, original'):
        list_world(world / 'nowhere')


def test_list_triplets(world):
    triplets = list_triplets(world)
    assert len(triplets) == 12
    assert triplets[0] == tuple(
        world / path for path in ('original/a/0.png', 'mixed_rand/a/0.png', 'other_fg/b/0.png')
    )
    (world / 'triplets.csv').write_text('a,b\n1,2\n')
    with pytest.raises(ValueError, match='must have the columns anchor,positive,negative'):
        list_triplets(world)
    (world / 'triplets.csv').unlink()
    assert list_triplets(world) == []


def test_evaluate_backbone_end_to_end(world):
    scores = evaluate_backbone(MeanColour(), world)
    assert scores['original'] == scores['mixed_same'] == scores['only_fg'] == 100
    assert scores['bg_gap'] == scores['mixed_same'] - scores['mixed_rand']
    assert scores['knn_bg_gap'] == scores['knn_mixed_same'] - scores['knn_mixed_rand']
    assert 0 <= scores['fgpref'] <= 100
    (world / 'triplets.csv').unlink()
    assert evaluate_backbone(MeanColour(), world)['fgpref'] is None


class Half(torch.nn.Module):
    def __init__(self, first, last):
        super().__init__()
        self.take = slice(first, last)

    def forward(self, images):
        return MeanColour()(images)[:, self.take]


def test_object_features_have_no_gap_and_background_features_the_whole(world):
    by_object = evaluate_backbone(Half(0, 3), world)
    assert by_object['mixed_rand'] == by_object['mixed_next'] == 100
    assert by_object['bg_gap'] == 0
    assert by_object['fgpref'] == 100
    by_background = evaluate_backbone(Half(3, 6), world)
    assert by_background['only_bg'] == 100
    assert by_background['mixed_next'] == 0
    assert by_background['mixed_rand'] == by_background['bg_gap'] == 50


def test_gap_scores_hand_made():
    line = torch.tensor([[-1.0, 0.1], [-2, 0.1], [1, 0.1], [2, 0.1]])
    labels = torch.tensor([0, 0, 1, 1])
    sets = {name: LabelledFeatures(line, labels) for name in ('train', *TEST_SETS)}
    sets['mixed_rand'] = LabelledFeatures(line, torch.tensor([0, 1, 1, 1]))
    scores = gap_scores(sets, k=1)
    assert scores['original'] == scores['knn_only_bg'] == 100
    assert scores['mixed_rand'] == scores['knn_mixed_rand'] == 75
    assert scores['bg_gap'] == scores['knn_bg_gap'] == 25


def test_foreground_preference_hand_made():
    anchor = torch.tensor([[1.0, 0], [1, 0], [1, 0], [1, 0]])
    positive = torch.tensor([[2.0, 0], [0, 1], [1, 1], [1, 0.1]])
    negative = torch.tensor([[0.0, 3], [1, 0], [2, 2], [-1, 0]])
    assert foreground_preference(anchor, positive, negative) == (1 + 0 + 0.5 + 1) / 4
    with pytest.raises(ValueError, match=r'alike with N > 0'):
        foreground_preference(anchor, positive, negative[:2])
    with pytest.raises(ValueError, match=r'alike with N > 0'):
        foreground_preference(anchor[:0], positive[:0], negative[:0])


def test_embedding_spread():
    assert embedding_spread(torch.ones(10, 4)) == pytest.approx(0)
    sphere = torch.randn(4000, 64, generator=torch.Generator().manual_seed(0))
    assert embedding_spread(sphere) == pytest.approx(1, abs=0.02)
    # two opposite points on an axis of the plane: deviation 1 on it, 0 on the other
    assert embedding_spread(torch.tensor([[5.0, 0], [-2, 0]])) == pytest.approx(math.sqrt(2) / 2)
