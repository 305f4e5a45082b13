import cv2
import numpy as np
import pytest

from bgaug_mm.datasets.mask_selection import (
    Located,
    MaskSelection,
    require_mask_folders,
    share_statistics,
)
from bgaug_mm.datasets.mask_store import MaskFolder


@pytest.fixture
def samples(image_tree) -> list[Located]:
    root = image_tree(classes='a', count=4)
    store = MaskFolder(str(root / 'train'))
    images = [str(root / f'train/a/{i}.png') for i in range(4)]
    return [Located(i, image, store.locate(image), store) for i, image in enumerate(images)]


def _select(samples, on_missing_mask: str = 'error', on_bad_mask: str = 'error') -> MaskSelection:
    return MaskSelection(samples, on_missing_mask=on_missing_mask, on_bad_mask=on_bad_mask)


def _unlink(sample: Located) -> None:
    import os

    os.unlink(str(sample.mask))


def test_all_is_well(samples) -> None:
    selection = _select(samples)
    selection.decide('header')
    assert selection.result() == (None, frozenset())


def test_missing_and_bad_are_decided_apart(samples) -> None:
    _unlink(samples[0])
    cv2.imwrite(str(samples[2].mask), np.zeros((3, 3), np.uint8))
    selection = _select(samples, 'skip', 'no_background_op')
    selection.decide('header')
    kept, without = selection.result()
    assert kept.tolist() == [1, 2, 3] and without == {2}
    selection = _select(samples, 'no_background_op', 'skip')
    selection.decide('header')
    kept, without = selection.result()
    assert kept.tolist() == [0, 1, 3] and without == {0}


def test_errors_and_nothing_left(samples) -> None:
    _unlink(samples[0])
    with pytest.raises(ValueError, match='1 of 4 images have no saliency mask'):
        _select(samples).decide('exists')
    for sample in samples[1:]:
        cv2.imwrite(str(sample.mask), np.zeros((3, 3), np.uint8))
    selection = _select(samples, 'skip', 'skip')
    selection.decide('header')
    with pytest.raises(ValueError, match='none of the 4 images is left'):
        selection.result()


def test_an_image_that_appears_twice_is_no_contradiction(samples) -> None:
    repeated = [*samples, *(s._replace(inner=s.inner + 4) for s in samples)]
    selection = _select(repeated)
    selection.decide('header')
    assert selection.result() == (None, frozenset())


def test_share_limits_leave_samples_without_mask_alone(samples) -> None:
    _unlink(samples[3])
    selection = _select(samples, 'no_background_op')
    selection.decide('exists')
    selection.limit_share(None, 3 / 30, share_file=None)  # shares 2/30, 4/30, 6/30
    kept, without = selection.result()
    assert kept.tolist() == [0, 3] and without == {3}


def test_statistics_with_an_unreadable_mask(samples) -> None:
    with open(str(samples[1].mask), 'w') as file:
        file.write('no mask')
    statistics = share_statistics(samples, share_file=None)
    assert statistics['count'] == 3 and statistics['unreadable'] == 1
    assert statistics['max'] == pytest.approx(8 / 30)
    assert share_statistics([], share_file=None) == {'count': 0, 'unreadable': 0}


def test_require_mask_folders(samples, tmp_path) -> None:
    require_mask_folders([samples[0].store, MaskFolder('s3://bucket/train')])
    with pytest.raises(ValueError, match="no folder of saliency masks 'nowhere_masks'"):
        require_mask_folders([MaskFolder('nowhere')])
