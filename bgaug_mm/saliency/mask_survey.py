"""What an earlier run left: whole masks to keep, pieces to remove, batches to finish."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from bgaug_mm.datasets.mask_checks import run_threaded
from bgaug_mm.datasets.mask_store import MaskFolder, read_mask
from bgaug_mm.files import temporary_of

from .image_list import Item
from .journal import State
from .mask_maker import Task, rounded_share


def survey(items: Sequence[Item], store: MaskFolder, state: State) -> dict[str, float]:
    """Shares of the masks that exist; broken ones and temporary files are removed."""
    folders: dict[str, dict[str, str]] = {}  # folder → mask file → image
    for item in items:
        folder, file = os.path.split(store.locate(item.name) or '')
        folders.setdefault(folder, {})[file] = item.name
    known: dict[str, float] = {}
    unknown: dict[str, str] = {}  # path → image
    for folder, files in folders.items():
        try:
            entries = os.listdir(folder)
        except FileNotFoundError:
            continue
        for entry in entries:
            path = os.path.join(folder, entry)
            if temporary_of(entry) in files:
                os.unlink(path)
            elif entry in files:
                share = state.get(files[entry])
                if isinstance(share, float):
                    known[files[entry]] = share
                else:  # killed between the mask and the journal
                    unknown[path] = files[entry]
    for path, share in zip(unknown, run_threaded(_share, list(unknown)), strict=True):
        if share is None:  # cut by a crash of the machine, say
            os.unlink(path)
        else:
            known[unknown[path]] = share
    return known


def _share(path: str) -> float | None:
    try:
        return rounded_share(read_mask(path))
    except ValueError:
        return None


def unfinished(
    batches: Sequence[Sequence[Item]], store: MaskFolder, done: Mapping[str, float]
) -> Iterator[list[Task]]:
    """The batches with a mask to make."""
    for batch in batches:
        if any(item.name not in done for item in batch):
            yield [
                Task(i.name, i.path, None if i.name in done else store.locate(i.name))
                for i in batch
            ]
