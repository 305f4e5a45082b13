import cv2
import numpy as np
import pytest

from bgaug_mm.evaluation.study.masks import edited, make_masks


def square(size=20, low=6, high=14):
    mask = np.zeros((size, size), np.uint8)
    mask[low:high, low:high] = 255
    mask.setflags(write=False)
    return mask


@pytest.mark.parametrize(
    ('edit', 'area'),
    [({'erode': 1}, 36), ({'erode': 4}, 0), ({'erode': 0}, 64), ({'dilate': 2}, 144)],
)
def test_erosion_and_dilation(edit, area):
    (mask,) = edited([square()], edit)
    assert (mask > 0).sum() == area


def test_the_faint_rest_of_an_erosion_is_nothing(world):
    """Values of 0 and 1 alone are refused in files: they look like a mask of another range."""
    soft = np.maximum(square(32, 8, 20), 1)
    soft[0] = soft[:, 0] = 0
    cv2.imwrite(str(world / 'train_masks/a/0.png'), soft)
    assert {int(one.max()) for one in edited([soft], {'erode': 6})} == {0}
    made = make_masks(world, world / 'out', {'erode': 6})
    assert made['kept'] == 0
    faint = np.full((9, 9), 2, np.uint8)
    assert edited([faint], {'erode': 2})[0].max() == 2


def test_an_object_at_the_border_is_not_eroded_there():
    mask = np.zeros((10, 10), np.uint8)
    mask[:, :5] = 255
    assert (edited([mask], {'erode': 1})[0] > 0).sum() == 40


def test_boxes():
    mask = np.zeros((10, 10), np.uint8)
    np.fill_diagonal(mask[2:8, 3:9], 255)
    (box,) = edited([mask], {'as_box': True})
    expected = np.zeros_like(mask)
    expected[2:8, 3:9] = 255
    assert (box == expected).all()


def test_wrong_masks_come_from_other_images():
    masks = [np.full((2, 2), i, np.uint8) for i in range(50)]
    result = edited(masks, {'wrong': 0.2}, seed=1)
    changed = [i for i in range(50) if result[i][0, 0] != i]
    assert len(changed) == 10
    assert sorted(result[i][0, 0] for i in changed) == changed, 'those of the same images'
    again = edited(masks, {'wrong': 0.2}, seed=1)
    assert all((a == b).all() for a, b in zip(result, again, strict=True))
    other = edited(masks, {'wrong': 0.2}, seed=2)
    assert any((a != b).any() for a, b in zip(result, other, strict=True))
    assert all((a == b).all() for a, b in zip(edited(masks, {'wrong': 0}), masks, strict=True))


@pytest.mark.parametrize(
    ('edit', 'message'),
    [
        ({'wrong': 1.3}, '`wrong` must be in [0, 1], but got 1.3'),
        ({'wrong': 0.1, 'dilate': 1}, '`wrong` takes no other option'),
        ({'erode': -1}, '`erode` must be an integer from 0, but got -1'),
        ({'erode': 1.5}, '`erode` must be an integer from 0, but got 1.5'),
        ({'shrink': 1}, '`mask_edit` takes threshold, dilate, blur, blur_prob, as_box, but got'),
    ],
)
def test_bad_edits(edit, message):
    with pytest.raises(ValueError) as caught:
        edited([square()], edit)
    assert message in str(caught.value)


@pytest.fixture
def world(tmp_path):
    """Four images of a grey square on black."""
    for i in range(4):
        for part, pixels in (
            ('train_masks', square(32, 8 + i, 20 + i)),
            ('train', np.dstack([square(32, 8 + i, 20 + i) // 2] * 3)),
        ):
            path = tmp_path / part / 'ab'[i % 2] / f'{i}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), pixels)
    return tmp_path


def test_masks_are_written_and_compared(world, tmp_path):
    scores = make_masks(world, tmp_path / 'out', {'erode': 2})
    assert scores == pytest.approx(
        {'iou': 100 * 64 / 144, 'kept': 100 * 64 / 144, 'removed': 100.0}
    )
    mask = cv2.imread(str(tmp_path / 'out/b/3.png'), cv2.IMREAD_GRAYSCALE)
    assert (mask == square(32, 13, 21)).all()
    assert make_masks(world, tmp_path / 'same', {'dilate': 0})['iou'] == 100


def test_masks_are_estimated(world, tmp_path):
    scores = make_masks(world, tmp_path / 'out', {'estimator': 'mbplus'})
    assert scores['iou'] > 60
    assert {path.name for path in (tmp_path / 'out').glob('?/*.png')} == {
        f'{i}.png' for i in range(4)
    }
    with pytest.raises(ValueError, match='nothing'):
        make_masks(world, tmp_path / 'other', {'estimator': 'nothing'})


def test_no_masks(tmp_path):
    with pytest.raises(ValueError, match='train_masks holds no masks'):
        make_masks(tmp_path, tmp_path / 'out', {'erode': 1})
