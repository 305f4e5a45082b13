import os

import numpy as np
import pytest

from bgaug_mm.datasets import foreground_share
from bgaug_mm.datasets.foreground_share import foreground_shares, read_shares
from bgaug_mm.datasets.mask_store import write_mask


@pytest.fixture
def masks(tmp_path) -> list[str]:
    paths = []
    for i, value in enumerate((0, 51, 255)):
        paths.append(str(tmp_path / 'masks' / f'{i},x.png'))  # a comma needs quoting
        write_mask(paths[-1], np.full((4, 5), value, np.uint8))
    return paths


@pytest.fixture
def measured(monkeypatch) -> list[str]:
    done: list[str] = []
    measure = foreground_share._measure
    monkeypatch.setattr(foreground_share, '_measure', lambda p: done.append(p) or measure(p))
    return done


def test_measures_once_and_again_what_has_changed(tmp_path, masks, measured) -> None:
    cache = str(tmp_path / 'shares.csv')
    for _ in range(2):
        np.testing.assert_allclose(foreground_shares(masks, cache=cache), [0, 0.2, 1])
        assert sorted(measured) == masks
    write_mask(masks[1], np.full((4, 5), 102, np.uint8))
    os.utime(masks[1], ns=(0, 12345))
    np.testing.assert_allclose(foreground_shares(masks[::-1], cache=cache), [1, 0.4, 0])
    assert len(measured) == 4 and measured[-1] == masks[1]


def test_names_are_relative_so_that_the_tree_can_move(tmp_path, masks, measured) -> None:
    foreground_shares(masks, cache=str(tmp_path / 'shares.csv'))
    assert set(read_shares(str(tmp_path / 'shares.csv'))) == {f'masks/{i},x.png' for i in range(3)}
    moved = tmp_path / 'moved'
    moved.mkdir()
    for name in ('masks', 'shares.csv'):
        os.rename(tmp_path / name, moved / name)
    paths = [path.replace(str(tmp_path), str(moved)) for path in masks]
    foreground_shares(paths, cache=str(moved / 'shares.csv'))
    assert len(measured) == 3


@pytest.mark.parametrize('content', ['', 'a,b\n1,2\n', 'mask,bytes,mtime_ns,foreground_share\nx\n'])
def test_a_foreign_or_broken_cache_is_measured_anew(tmp_path, masks, content: str) -> None:
    cache = tmp_path / 'shares.csv'
    cache.write_text(content)
    np.testing.assert_allclose(foreground_shares(masks, cache=str(cache)), [0, 0.2, 1])
    assert len(read_shares(str(cache))) == 3


def test_unreadable_masks_are_nan(tmp_path, masks) -> None:
    with open(masks[0], 'w') as file:
        file.write('no mask')
    shares = foreground_shares(masks, cache=str(tmp_path / 'shares.csv'))
    assert np.isnan(shares[0]) and not np.isnan(shares[1:]).any()


def test_missing_masks_are_nan_until_they_are_there(tmp_path, masks) -> None:
    cache, new = str(tmp_path / 'shares.csv'), str(tmp_path / 'masks' / 'new \udcff.png')
    assert np.isnan(foreground_shares([*masks, new], cache=cache)).tolist() == [False] * 3 + [True]
    assert 'masks/new \udcff.png' in read_shares(cache)  # a name that is not UTF-8
    write_mask(new, np.full((4, 5), 51, np.uint8))
    np.testing.assert_allclose(foreground_shares([*masks, new], cache=cache), [0, 0.2, 1, 0.2])


def test_a_cache_that_cannot_be_written_costs_a_warning(tmp_path, masks, monkeypatch) -> None:
    messages = []
    monkeypatch.setattr(foreground_share, 'print_log', lambda text, **_: messages.append(text))
    (tmp_path / 'file').touch()
    cache = str(tmp_path / 'file' / 'shares.csv')  # below a file there is no folder
    np.testing.assert_allclose(foreground_shares(masks, cache=cache), [0, 0.2, 1])
    assert len(messages) == 1 and cache in messages[0]
