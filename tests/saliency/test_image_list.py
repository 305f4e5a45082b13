"""Images of folders, lists and configs; what cannot be a source."""

import os
from pathlib import Path

import pytest
from PIL import Image

from bgaug_mm.datasets.mask_store import MaskFolder
from bgaug_mm.saliency.image_list import Item, list_images, require_distinct_masks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / 'train'
    names = ['b/2.JPEG', 'b/1 é.png', 'a/x/3.jpg', '0.bmp', 'notes.txt', '.hidden/4.png', '.5.png']
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new('RGB', (4, 4)).save(path, 'PNG')
    return root


NAMES = ['0.bmp', 'a/x/3.jpg', 'b/1 é.png', 'b/2.JPEG']


def names(items: list[Item]) -> list[str]:
    return [item.name for item in items]


def test_folder(folder: Path) -> None:
    items = list_images(str(folder))
    assert names(items) == NAMES  # sorted, hidden ones left out
    assert items[1].path == str(folder / 'a/x/3.jpg')
    assert names(list_images(f'{folder}/')) == NAMES


def test_links_are_followed_but_not_round_in_circles(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / 'elsewhere'
    other.mkdir()
    Image.new('RGB', (4, 4)).save(other / '9.png')
    (folder / 'z').symlink_to(other)
    (folder / 'a/up').symlink_to(folder)
    assert names(list_images(str(folder))) == [*NAMES, 'z/9.png']


def test_list(folder: Path) -> None:
    listing = folder / 'list.txt'
    lines = ['b/2.JPEG 7', 'b/1 é.png', '', './a/x/3.jpg', str(folder / '0.bmp'), 'b/2.JPEG 7']
    listing.write_text('\r\n'.join(lines), encoding='utf-8')
    assert names(list_images(str(listing))) == NAMES
    moved = folder.parent / 'moved.txt'
    moved.write_text('train/b/2.JPEG\nb/no such.png\n')
    assert names(list_images(str(moved))) == ['b/no such.png', 'train/b/2.JPEG']
    (moved := folder.parent / 'moved.txt').write_text('b/2.JPEG\n')
    assert list_images(str(moved), data=str(folder)) == [Item(str(folder), 'b/2.JPEG')]


@pytest.mark.parametrize(
    'text, message',
    [
        ('', 'holds no image'),
        ('b/2.png\nb/4.png', "the first 2 images .* none exists, e.g. '.*b/2.png'.*--data"),
        ('0.bmp\n../x.png', r'list.txt, line 2: .*is not below.*--data'),
    ],
)
def test_bad_list(folder: Path, text: str, message: str) -> None:
    (folder / 'list.txt').write_text(text)
    with pytest.raises(ValueError, match=message):
        list_images(str(folder / 'list.txt'))


def test_no_source(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match='there is no folder, list or config'):
        list_images(str(tmp_path / 'none'))
    (tmp_path / 'empty').mkdir()
    with pytest.raises(ValueError, match=r'empty. holds no image \(.jpg'):
        list_images(str(tmp_path / 'empty'))
    with pytest.raises(ValueError, match='is a folder: --data goes with'):
        list_images(str(tmp_path), data='x')


def test_folder_that_cannot_be_listed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listed = os.scandir

    def scandir(path):  # root may list everything
        if str(path).endswith('/b'):
            raise PermissionError(13, 'Permission denied', str(path))
        return listed(path)

    monkeypatch.setattr(os, 'scandir', scandir)
    with pytest.raises(ValueError, match="/b' cannot be listed: Permission denied"):
        list_images(str(folder))


def test_masks_apart_from_the_images(folder: Path) -> None:
    for masks in (folder, folder / 'masks', folder / 'a/../b/masks'):
        with pytest.raises(ValueError, match="lies in the images' folder.*train_masks"):
            list_images(str(folder), masks=str(masks))
    assert list_images(str(folder), masks=f'{folder}_masks')
    listing = folder / 'list.txt'  # a list is not searched
    listing.write_text('b/2.JPEG')
    assert list_images(str(listing), masks=str(folder / 'masks'))


CONFIG = """
train_dataloader = dict(dataset=dict(
    type='bgaug_mm.SaliencyMaskDataset', mask_root='not made yet',
    dataset=dict(type='ConcatDataset', datasets=[
        dict(type='mmcls.CustomDataset', data_root={root!r}, pipeline=[]),
        dict(type='mmcls.CustomDataset', data_root={root!r}, data_prefix='a', pipeline=[]),
        dict(type='mmcls.CustomDataset', data_root={root!r}, pipeline=[]),
    ])))
val_dataloader = dict(dataset=dict(
    type='mmcls.CustomDataset', data_root={root!r}, data_prefix='a', pipeline=[]))
test_dataloader = None
"""


def test_config(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / 'config.py'
    config.write_text(CONFIG.format(root=str(folder)))
    items = list_images(str(config))
    # the datasets' own choice, named as SaliencyMaskDataset does: below the folder of each
    assert names(items) == ['.hidden/4.png', 'a/x/3.jpg', 'b/1 é.png', 'b/2.JPEG', 'x/3.jpg']
    assert items[1].path == items[4].path == str(folder / 'a/x/3.jpg')
    assert names(list_images(str(config), dataloader='val_dataloader')) == ['x/3.jpg']
    with pytest.raises(ValueError, match='it has train_dataloader, val_dataloader'):
        list_images(str(config), dataloader='test_dataloader')
    with pytest.raises(ValueError, match="lies in the images' folder"):
        list_images(str(config), masks=str(folder / 'b/masks'))

    config.write_text(CONFIG.format(root='nowhere'))
    assert len(list_images(str(config), data=str(folder))) == 5


def test_config_without_data(tmp_path: Path) -> None:
    config = tmp_path / 'config.py'
    config.write_text(CONFIG.format(root='nowhere'))
    with pytest.raises(Exception, match='the data folder nowhere .*does not exist.*--data'):
        list_images(str(config))


def test_one_mask_for_two_images() -> None:
    items = [Item('in', 'a/1.jpg'), Item('in', 'a/1.png'), Item('in', 'b/1.png')]
    rule = r"--name-rule '\{dir\}/\{stem\}\{ext\}.png'"
    with pytest.raises(ValueError, match=rf"'in/a/1.jpg' and 'in/a/1.png'.*1 such pairs.*{rule}"):
        require_distinct_masks(items, MaskFolder('', 'out'))
    require_distinct_masks(items, MaskFolder('', 'out', name_rule='{dir}/{stem}{ext}.png'))
    twice = [Item('in', 'a.jpg'), Item('other', 'a.jpg')]
    with pytest.raises(ValueError, match='in two runs'):
        require_distinct_masks(twice, MaskFolder('', 'out'))
