import shutil

import cv2
import numpy as np
import pytest
import torch

from bgaug_mm.evaluation.robustness.backgrounds_challenge import backgrounds_challenge

SIDE = 8


@pytest.fixture
def root(layouts, tmp_path):
    """A foreground of classes 0 and 1 each, in the upper half; backgrounds of all classes."""
    layouts.imagenet9(tmp_path)
    folder = tmp_path / 'bg_challenge'
    upper = np.zeros((SIDE, SIDE), bool)
    upper[: SIDE // 2] = True
    for name in ('00_dog', '01_bird'):
        (folder / 'fg_mask/val' / name).mkdir(parents=True)
        np.save(folder / 'fg_mask/val' / name / 'a.npy', upper)
    return folder


def rows_classifier(layouts, calls=None):
    """Answers with the class of the top row, but for the bird with that of the bottom row
    where that is a vehicle's."""
    colours = layouts.colour_classifier()

    def classify(images):
        if calls is not None:
            calls.append(len(images))
        top = colours(images[:, :, :3])
        bottom = colours(images[:, :, -3:])
        fooled = (top.argmax(1) // 10 == 1) & (bottom.argmax(1) // 10 == 2)
        return torch.where(fooled[:, None], bottom, top)

    return classify


def test_one_background_that_fools_is_enough(root, layouts):
    found, unread = backgrounds_challenge(
        rows_classifier(layouts), root, outputs=1000, crop=SIDE, batch_size=4
    )
    assert found.files == ['00_dog/a', '01_bird/a'] and not unread
    assert found.labels.tolist() == [0, 1]
    assert found.predictions.tolist() == [0, 2]
    assert found.accuracy == 50


def test_naive_reference_on_random_pictures(root, layouts):
    """Against every foreground on every background, composed one by one in float."""
    rng = np.random.default_rng(0)
    for path in sorted(root.glob('o*/val/0*/*.JPEG')):
        cv2.imwrite(str(path), rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8))
    for name in ('00_dog', '01_bird'):
        for stem in 'ab':
            np.save(root / 'fg_mask/val' / name / f'{stem}.npy', rng.random((SIDE, SIDE)) < 0.9)
    torch.manual_seed(0)
    linear = torch.nn.Linear(3 * SIDE * SIDE, 9)
    classify = lambda images: linear(images.flatten(1).float() / 255)  # noqa: E731
    backgrounds = [cv2.imread(str(p)) for p in sorted((root / 'only_bg_t/val').rglob('*.JPEG'))]
    expected = []
    for label, name in enumerate(('00_dog', '01_bird')):
        for stem in 'ab':
            mask = np.load(root / 'fg_mask/val' / name / f'{stem}.npy')[..., None].astype(float)
            image = cv2.imread(str(root / 'original/val' / name / f'{stem}.JPEG'))
            given = []
            for plate in backgrounds:
                pixels = torch.tensor(mask * image + (1 - mask) * plate).permute(2, 0, 1)
                given.append(int(classify(pixels[None]).argmax()))
            expected.append(all(answer == label for answer in given))
    found, _ = backgrounds_challenge(classify, root, outputs=9, crop=SIDE, batch_size=5)
    assert (found.correct > 0).tolist() == expected


def test_backgrounds_that_fooled_are_tried_first(root, layouts):
    np.save(root / 'fg_mask/val/01_bird/b.npy', np.load(root / 'fg_mask/val/01_bird/a.npy'))
    calls = []
    backgrounds_challenge(
        rows_classifier(layouts, calls), root, outputs=1000, crop=SIDE, batch_size=2
    )
    # the dog 18 backgrounds in 9 batches; the first bird up to the third class; the second
    # bird the one that fooled the first
    assert calls == [2] * 9 + [2] * 3 + [2]


def test_what_cannot_be_read_is_named(root, layouts):
    (root / 'fg_mask/val/00_dog/b.npy').write_bytes(b'no mask')
    np.save(root / 'fg_mask/val/00_dog/c.npy', np.zeros((SIDE, SIDE, 3), bool))
    layouts.write_picture(root / 'original/val/00_dog/c.JPEG', 0)
    np.save(root / 'fg_mask/val/00_dog/d.npy', np.zeros((SIDE, SIDE), bool))
    options = dict(outputs=1000, crop=SIDE)
    found, unread = backgrounds_challenge(rows_classifier(layouts), root, **options)
    assert found.files == ['00_dog/a', '01_bird/a']
    assert [line.count('00_dog') for line in unread] == [1, 1, 1]
    assert 'b.npy is not a mask that can be read' in unread[0]
    assert 'c.npy is not a mask (H, W), but (8, 8, 3)' in unread[1]
    assert 'd.JPEG' in unread[2]
    (root / 'only_bg_t/val/03_reptile/a.JPEG').write_bytes(b'')
    with pytest.raises(ValueError, match='03_reptile/a.JPEG'):
        backgrounds_challenge(rows_classifier(layouts), root, **options)
    with pytest.raises(ValueError, match='has 10 outputs, the set needs 1000 or 9'):
        backgrounds_challenge(rows_classifier(layouts), root, outputs=10, crop=SIDE)
    (root / 'in_to_in9.json').unlink()
    with pytest.raises(FileNotFoundError, match=r'in_to_in9\.json is missing'):
        backgrounds_challenge(rows_classifier(layouts), root, **options)


def test_masks_of_another_size_are_scaled(root, layouts):
    mask = np.kron(np.load(root / 'fg_mask/val/00_dog/a.npy'), np.ones((2, 2)))
    np.save(root / 'fg_mask/val/00_dog/a.npy', mask)
    found, _ = backgrounds_challenge(rows_classifier(layouts), root, outputs=1000, crop=SIDE)
    assert found.predictions.tolist() == [0, 2]


def test_foregrounds_whose_images_are_not_there(root, layouts):
    shutil.rmtree(root / 'original')
    with pytest.raises(FileNotFoundError, match=r'original/val is missing: the images of the for'):
        backgrounds_challenge(rows_classifier(layouts), root, outputs=1000, crop=SIDE)
