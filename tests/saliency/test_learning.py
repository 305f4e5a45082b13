"""The whole way from images to a network, with the trainings in this process."""

import json

import cv2
import numpy as np
import pytest
from mmengine.config import Config

from bgaug_mm.engine.launch import main as launch
from bgaug_mm.saliency import build_estimator, learning
from bgaug_mm.saliency.learning import learn_saliency, mean_masks
from bgaug_mm.saliency.learning_config import Recipe

CUE = """
_base_ = 'bgaug_mm::saliency/learn_cue.py'
model = dict(network=dict(encoder=dict(widths=(4, 8))))
train_dataloader = dict(batch_size=4, num_workers=0, persistent_workers=False)
"""


@pytest.fixture
def images(tmp_path):
    """Bright discs on a gradient, a folder deep, and a file that is no image."""
    rng = np.random.default_rng(0)
    for i in range(8):
        ground = np.linspace(40, 90, 48)[None, :, None] + rng.normal(0, 4, (40, 48, 3))
        cv2.circle(ground, tuple(int(v) for v in rng.integers(14, 26, 2)), 9, (60, 200, 240), -1)
        path = tmp_path / f'images/{i % 2}/{i} é.png'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(cv2.imencode('.png', ground.clip(0, 255).astype(np.uint8))[1].tobytes())
    (tmp_path / 'images/0/broken.png').write_bytes(b'')
    (tmp_path / 'cue.py').write_text(CUE)
    (tmp_path / 'fused.py').write_text("_base_ = 'cue.py'\ncustom_hooks = []\n")
    return tmp_path


@pytest.fixture
def trained(monkeypatch):
    """Names of the trainings; they run here, not in processes of their own."""
    names = []

    def follow(runs, **_):
        for name, run in runs.items():
            names.append(name)
            assert launch(['train', *run.command[2:], '--debug']) == 0

    monkeypatch.setattr(learning, 'follow', follow)
    return names


def learn(root, **options):
    recipe = Recipe(
        str(root / 'cue.py'), str(root / 'fused.py'), cue_epochs=1, fused_epochs=1, size=32
    )
    options = {'cues': ['gs'], 'rounds': 2, 'recipe': recipe, **options}
    return learn_saliency(root / 'images', root / 'out', tool=root / 'train.py', **options)


def test_learns_by_rounds_and_repeats_nothing(images, trained) -> None:
    checkpoint = learn(images)
    assert trained == ['gs', 'gs', 'fused']
    out = images / 'out'
    # each round has the averages of the one before, from its weights
    config = Config.fromfile(out / 'gs/round_2.py')
    assert config.train_dataloader.dataset.mask_root == str(out / 'gs/round_1/average')
    assert config.load_from == str(out / 'gs/round_1/epoch_1.pth')
    assert Config.fromfile(out / 'fused.py').load_from == str(out / 'gs/round_2/epoch_1.pth')
    settings = json.loads((out / 'settings.json').read_text())
    assert settings == dict(cues=['gs'], rounds=2, refine_with='grabcut')
    assert not (out / 'fused_masks/0/broken.png').exists()
    saliency = build_estimator('learned', checkpoint=str(checkpoint))(
        np.zeros((20, 30, 3), np.uint8)
    )
    assert saliency.shape == (20, 30) and np.isfinite(saliency).all()

    trained.clear()
    assert learn(images) == checkpoint and trained == []
    # an interrupted training goes on, and nothing else is repeated
    (out / 'fused/done').unlink()
    learn(images)
    assert trained == ['fused']
    # other options are not mixed in
    with pytest.raises(ValueError, match='was made with'):
        learn(images, rounds=1)
    with pytest.raises(ValueError, match='round_1 holds a training with other options'):
        learn(images, recipe=Recipe(str(images / 'cue.py'), str(images / 'fused.py'), size=32))


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(cues=[]), '`cues` must be different estimators'),
        (dict(cues=['gs', 'gs']), '`cues` must be different estimators'),
        (dict(rounds=0), '`rounds` must be at least 1, but got 0'),
        (dict(refine_with='crf'), '`refine_with` must be one of'),
        (dict(jobs=0), '`jobs` must be at least 1, but got 0'),
        (dict(cues=['gs', 'nonsense']), "unknown estimator 'nonsense'; known"),
        (dict(recipe=Recipe(size=0)), '`size` must be at least 1, but got 0'),
        (dict(recipe=Recipe(fused_epochs=0)), 'number of epochs must be at least 1, but got 0'),
    ],
)
def test_says_which_option_is_wrong(images, options, text) -> None:
    with pytest.raises(ValueError, match=text):
        learn(images, **options)
    assert not (images / 'out').exists()  # before the cues are made


def test_results_do_not_lie_among_the_images(images) -> None:
    with pytest.raises(ValueError, match='lies among the images'):
        learn_saliency(images / 'images', images / 'images/out', tool=images)
    with pytest.raises(ValueError, match='there is no folder'):
        learn_saliency(images / 'nothing', images / 'out', tool=images)


def write(path, mask) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode('.png', mask)[1].tobytes())


def test_means_are_those_of_all_folders(images) -> None:
    rng = np.random.default_rng(0)
    masks = rng.integers(0, 256, (2, 40, 48), np.uint8)
    for folder, mask in zip(('a', 'b'), masks, strict=True):
        write(images / folder / '0/0 é.png', mask)
    write(images / 'a/0/2 é.png', masks[0])  # the other cue has none
    mean_masks(images / 'images', [images / 'a', images / 'b'], images / 'mean')
    (file,) = (images / 'mean').rglob('*.png')
    assert file == images / 'mean/0/0 é.png'
    found = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(found, np.rint(masks.mean(0)))


def test_means_can_be_refined(images) -> None:
    image = np.full((40, 48, 3), 60, np.uint8)
    image[10:30, 10:30] = 220
    rough = np.zeros((40, 48), np.uint8)
    rough[6:34, 6:34] = 180
    write(images / 'images/1/1 é.png', image)
    write(images / 'a/1/1 é.png', rough)
    mean_masks(images / 'images', [images / 'a'], images / 'refined', refine_with='grabcut')
    (file,) = (images / 'refined').rglob('*.png')
    found = cv2.imdecode(np.fromfile(file, np.uint8), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(found > 128, image[..., 0] > 100)
