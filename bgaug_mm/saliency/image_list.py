"""Which images get a mask: those of a folder, a list file or a config's dataset."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.registry import DATASETS, DefaultScope

from bgaug_mm.datasets.dataset_chain import DATA_ERRORS, image_root, leaves, no_data
from bgaug_mm.datasets.mask_store import MaskFolder
from bgaug_mm.engine.launch_config import check_data, load_config, set_data_root

#: Endings of image files, in small letters: those that the datasets of mmcls and
#: mmpretrain take, and two more.
IMAGE_ENDINGS = ('.jpg', '.jpeg', '.png', '.ppm', '.bmp', '.pgm', '.tif', '.tiff', '.webp')


class Item(NamedTuple):
    """An image: ``name`` is its path below the folder ``root``, with forward slashes."""

    root: str
    name: str

    @property
    def path(self) -> str:
        """Path of the image file."""
        return os.path.join(self.root, self.name)


def list_images(
    source: str,
    *,
    data: str | None = None,
    dataloader: str = 'train_dataloader',
    masks: str | None = None,
) -> list[Item]:
    """The images of a source, sorted by name.

    Args:
        source (str): A folder (searched to any depth, hidden entries left out, links
            followed), a config (ending in .py, or ``package::path``), or else a text
            file with one image a line; a label behind the name, as in annotation files
            of mmpretrain, is left out.
        data (str, optional): For a list, the folder that its paths are relative to.
            Defaults to None, the list's own folder. For a config, ``data_root`` of its
            datasets; defaults to what the config says.
        dataloader (str): For a config, whose dataset. Defaults to 'train_dataloader'.
        masks (str, optional): Folder the masks will go to, which must not lie in one that
            is searched for images. Defaults to None.

    Raises:
        ValueError: Naming the source and what to do: it does not exist, cannot be
            listed, holds no image, …
    """
    searched: set[str] = set()
    if '::' in source or source.endswith('.py'):
        items = _of_config(source, data, dataloader)
        searched = {item.root for item in items}
    elif os.path.isdir(source):
        if data is not None:
            raise ValueError(f"'{source}' is a folder: --data goes with a list or a config")
        if masks is not None:  # before they are taken for images
            _require_apart(masks, {source})
        items = _of_folder(source)
    elif os.path.isfile(source):
        items = _of_list(source, data)
    else:
        raise ValueError(f"there is no folder, list or config '{source}'")
    if not items:
        raise ValueError(f"'{source}' holds no image ({', '.join(IMAGE_ENDINGS)})")
    if masks is not None:
        _require_apart(masks, searched)
    return sorted(items, key=lambda item: item.name)


def _require_apart(masks: str, searched: Iterable[str]) -> None:
    for root in sorted(searched):
        if is_below(masks, root):
            raise ValueError(
                f"the masks' folder '{masks}' lies in the images' folder '{root}', so that the "
                'masks would be taken for images: choose one beside it, such as '
                f"'{root.rstrip('/')}_masks'"
            )


def is_below(path: str | os.PathLike[str], folder: str | os.PathLike[str]) -> bool:
    """Whether a path is the folder or lies in it, links followed."""
    inner, outer = os.path.realpath(path), os.path.realpath(folder)
    return os.path.commonpath([inner, outer]) == outer


def require_distinct_masks(items: Sequence[Item], store: MaskFolder) -> None:
    """Raise when two images would have one mask.

    Raises:
        ValueError: Naming the first two, and the remedy.
    """
    owners: dict[str, Item] = {}
    clashes = []
    for item in items:
        owner = owners.setdefault(store.locate(item.name) or '', item)
        if owner is not item:
            clashes.append((owner, item))
    if clashes:
        first, second = clashes[0]
        rule = store.rule.replace('{stem}', '{stem}{ext}')
        remedy = (
            'they come from two folders: make their masks in two runs'
            if first.name == second.name
            else f"give --name-rule '{rule}', and name_rule='{rule}' to SaliencyMaskDataset"
        )
        raise ValueError(
            f"'{first.path}' and '{second.path}' would share the mask "
            f"'{store.locate(first.name)}' ({len(clashes)} such pairs): {remedy}"
        )


def _of_folder(root: str) -> list[Item]:
    def refuse(error: OSError) -> None:
        raise ValueError(f"the folder '{error.filename}' cannot be listed: {error.strerror}")

    items, seen = [], set()
    for folder, folders, files in os.walk(root, onerror=refuse, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:  # a link to a folder above
            folders.clear()
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith('.'))
        below = '' if folder == root else os.path.relpath(folder, root).replace(os.sep, '/') + '/'
        for name in files:
            if name.lower().endswith(IMAGE_ENDINGS) and not name.startswith('.'):
                items.append(Item(root, below + name))
    return items


def _of_list(source: str, data: str | None) -> list[Item]:
    root = os.path.dirname(source) or '.' if data is None else data
    try:
        text = Path(source).read_text(encoding='utf-8', errors='surrogateescape')
    except OSError as error:
        raise ValueError(f"the list '{source}' cannot be read: {error.strerror}") from error
    names = {}
    for number, line in enumerate(text.split('\n'), start=1):
        if not line.strip():
            continue
        name = _below(_without_label(line.strip()), root)
        if name is None:
            raise ValueError(
                f"{source}, line {number}: '{line.strip()}' is not below '{root}'; name the "
                'folder of the images with --data'
            )
        names[name] = Item(root, name)
    items = list(names.values())
    if items and not any(os.path.isfile(item.path) for item in items[:100]):
        raise ValueError(
            f"of the first {len(items[:100])} images of the list '{source}' none exists, e.g. "
            f"'{items[0].path}': name the folder they are relative to with --data"
        )
    return items


def _without_label(line: str) -> str:
    """`n01/x.JPEG 3` without the label; names may hold blanks, too."""
    name, _, label = line.rpartition(' ')
    if label.isdigit() and name.lower().rstrip().endswith(IMAGE_ENDINGS):
        return name.rstrip()
    return line


def _below(path: str, root: str) -> str | None:
    """A path relative to the folder, None when it is not below it."""
    if os.path.isabs(path):
        path = os.path.relpath(path, os.path.abspath(root))
    name = posixpath.normpath(path.replace(os.sep, '/'))
    return None if name == '..' or name.startswith(('../', '/')) else name


def _of_config(source: str, data: str | None, dataloader: str) -> list[Item]:
    config = load_config(source)
    if not config.get(dataloader):
        known = [key for key in config if str(key).endswith('dataloader') and config.get(key)]
        raise ValueError(f'{source} has no `{dataloader}`; it has {", ".join(known) or "none"}')
    if data is not None:
        set_data_root(config, data)
    check_data(config, (dataloader,))
    items: dict[Item, None] = {}
    with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmengine')):
        # the innermost datasets: wrappers would look for the masks that are to be made
        for leaf in leaves(config[dataloader]['dataset']):
            items.update(dict.fromkeys(_of_dataset(leaf)))
    return list(items)


def _of_dataset(config: Any) -> Iterable[Item]:
    try:
        dataset = DATASETS.build({**config, 'pipeline': []})
        dataset.full_init()
    except DATA_ERRORS as error:
        raise ValueError(no_data(config, error)) from error
    root = image_root(dataset)
    if not root:
        raise ValueError(
            f'the dataset {config["type"]} has neither `data_root` nor `data_prefix`, so its '
            "masks' places are not known: give its data_root with --data, or a list of its images"
        )
    store = MaskFolder(root)
    for index in range(len(dataset)):
        path = dataset.get_data_info(index).get('img_path')
        if not isinstance(path, str):
            raise ValueError(
                f'the samples of {config["type"]} have no `img_path`: use a dataset of image files'
            )
        yield Item(root, store.relative(path))
