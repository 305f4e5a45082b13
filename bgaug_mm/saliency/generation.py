"""Masks for all images of a set: in processes, in shards, and resumable.

Below the folder of the masks, ``_report`` holds the settings, the failures, the shares
of foreground and pictures. A run that is killed, at any moment, and started again ends
with the same files as one that was not: masks are whole or not there, batches are those
of the sorted list whatever is there already, and the report is made of the final state.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bgaug_mm.datasets.mask_checks import run_threaded
from bgaug_mm.datasets.mask_store import MaskFolder, read_mask_bytes
from bgaug_mm.datasets.transforms.loading import decode_mask

from .base import build_estimator
from .image_list import Item, require_distinct_masks
from .journal import FAILURES, JOURNALS, SHARES, Journal, State, read_state, write_final
from .mask_maker import MaskMaker, Outcome, Task, rounded_share
from .mask_report import HISTOGRAM, SAMPLES, SUMMARY, write_report
from .mask_settings import SETTINGS, require_settings
from .progress import Progress
from .worker_pool import WorkError, run_tasks

#: Folder of the reports, below that of the masks.
REPORT = '_report'
#: With so many failures and no mask at all, it is not the images.
HOPELESS = 20

_PRELOAD = (__name__, 'bgaug_mm.saliency.image_list', 'bgaug_mm.engine.launch_errors')
_TEMPORARY = re.compile(r'\.(.+)\.[a-z0-9_]{8}')  # as bgaug_mm.files names them


def generate_masks(
    items: Sequence[Item],
    out: str | os.PathLike[str],
    *,
    estimator: dict[str, Any],
    workers: int = 1,
    batch_size: int = 1,
    shard: tuple[int, int] = (0, 1),
    threshold: float | None = None,
    name_rule: str = '{dir}/{stem}.png',
    overwrite: bool = False,
) -> dict[str, Any] | None:
    """Estimate, write and report the masks of images.

    Args:
        items (Sequence[Item]): The images, sorted, as
            :func:`~bgaug_mm.saliency.image_list.list_images` gives them.
        out (str | PathLike): Folder of the masks, made here; ``mask_root`` of
            SaliencyMaskDataset.
        estimator (dict): Config, see :func:`~bgaug_mm.saliency.base.build_estimator`.
        workers (int): Processes, at least 1. Defaults to 1, this one. Each computes
            with one thread.
        batch_size (int): Images an estimator is given at once. Defaults to 1.
        shard (tuple[int, int]): The part of the batches to do, from 0 on, and the
            number of parts. Defaults to (0, 1), all. The shard that ends last writes
            the report.
        threshold (float, optional): Saliency in (0, 1) from which a pixel of the mask is
            255, else 0. Defaults to None: soft masks.
        name_rule (str): Path of a mask, as of SaliencyMaskDataset; must end in .png.
            Defaults to '{dir}/{stem}.png'.
        overwrite (bool): Delete the masks and the report that are there first.
            Defaults to False.

    Returns:
        dict | None: The summary of all images (see
        :func:`~bgaug_mm.saliency.mask_report.share_summary`); None while other shards
        have not finished.

    Raises:
        ValueError: For options out of range, two images with one mask, masks that
            would lie among the images, masks there made with other settings.
        WorkError: A worker was killed, the disk is full, the estimator fails on
            everything.
    """
    _check(workers=workers, batch_size=batch_size, shard=shard, threshold=threshold)
    out = Path(out)
    _require_apart(items, out)
    store = MaskFolder('', str(out), name_rule=name_rule)
    if not name_rule.endswith('.png'):
        raise ValueError(f"`name_rule` must end in '.png', but got {name_rule!r}")
    require_distinct_masks(items, store)
    build_estimator(estimator)  # what is wrong with it shows here, not in every worker
    report = out / REPORT
    if overwrite:
        if shard[1] > 1:
            raise ValueError(
                f"shards cannot overwrite, they would delete each other's masks: remove '{out}'"
            )
        _clear(items, store, report)
    settings = {'estimator': estimator, 'threshold': threshold, 'name_rule': name_rule}
    has_masks = any(store.exists(store.locate(item.name) or '') for item in items)
    require_settings(report / SETTINGS, settings, has_masks=has_masks)

    starts = range(0, len(items), batch_size)[shard[0] :: shard[1]]
    batches = [items[start : start + batch_size] for start in starts]
    state = read_state(report)
    with Journal(report, shard) as journal:
        known = _survey([item for batch in batches for item in batch], store, state)
        journal.append(
            Outcome(name, share) for name, share in known.items() if state.get(name) != share
        )
        tasks = _tasks(batches, store, {*known})
        own: State = {**known}
        _work(
            partial(MaskMaker, estimator, threshold=threshold),
            tasks,
            journal,
            own,
            workers=workers,
            there=len(known),
            name='masks' if shard[1] == 1 else f'shard {shard[0]}/{shard[1]}: masks',
        )
    state = {**read_state(report), **own}
    if any(item.name not in state for item in items):
        return None
    return _finish(items, report, state, store, title=str(estimator['type']))


def _check(
    *, workers: int, batch_size: int, shard: tuple[int, int], threshold: float | None
) -> None:
    for name, value in (('workers', workers), ('batch_size', batch_size)):
        if value < 1:
            raise ValueError(f'`{name}` must be at least 1, but got {value}')
    if not 0 <= shard[0] < shard[1]:
        raise ValueError(
            f'`shard` must be i/n with 0 <= i < n (counted from 0), but got {shard[0]}/{shard[1]}'
        )
    if threshold is not None and not 0 < threshold < 1:
        raise ValueError(f'`threshold` must be in (0, 1), but got {threshold}')


def _require_apart(items: Sequence[Item], out: Path) -> None:
    """Masks among the images would be taken for images, or replace them."""
    target = os.path.realpath(out)
    for root in sorted({item.root for item in items}):
        images = os.path.realpath(root)
        if os.path.commonpath([target, images]) in (target, images):
            raise ValueError(
                f"the masks' folder '{out}' and the images' folder '{root}' lie one in the "
                'other: masks would be taken for images, or replace them. Choose a folder beside '
                f"it, such as '{root.rstrip('/')}_masks'"
            )


def _clear(items: Sequence[Item], store: MaskFolder, report: Path) -> None:
    for item in items:
        Path(store.locate(item.name) or '').unlink(missing_ok=True)
    # the settings last: killed before, the masks that are left still have theirs
    for path in sorted(report.glob('*'), key=lambda path: path.name == SETTINGS):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _survey(items: Sequence[Item], store: MaskFolder, state: State) -> dict[str, float]:
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
            temporary = _TEMPORARY.fullmatch(entry)
            if temporary and temporary[1] in files:
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
        return rounded_share(decode_mask(read_mask_bytes(path)))
    except ValueError:
        return None


def _tasks(
    batches: Sequence[Sequence[Item]], store: MaskFolder, done: set[str]
) -> list[list[Task]]:
    """The batches with a mask to make."""
    tasks = []
    for batch in batches:
        if any(item.name not in done for item in batch):
            tasks.append(
                [
                    Task(i.name, i.path, None if i.name in done else store.locate(i.name))
                    for i in batch
                ]
            )
    return tasks


def _work(
    make: Any,
    tasks: Sequence[list[Task]],
    journal: Journal,
    own: State,
    *,
    workers: int,
    there: int,
    name: str,
) -> None:
    """Run the tasks; their outcomes go to the journal and into ``own``."""
    total = sum(task.mask is not None for batch in tasks for task in batch)
    if there:
        print(f'{there} masks are there already, {total} are to be made', file=sys.stderr)
    if not tasks:
        return
    progress = Progress(total, name=name, unit='images')
    hopeless = not there
    estimating: list[str] = []
    try:
        for outcomes in run_tasks(make, tasks, workers=min(workers, len(tasks)), preload=_PRELOAD):
            journal.append(outcomes)
            own.update((o.name, o.reason if o.share is None else o.share) for o in outcomes)
            progress.advance(len(outcomes))
            hopeless = hopeless and all(o.share is None for o in outcomes)
            estimating += [o.reason for o in outcomes if hopeless and o.estimating]
            if hopeless and len(estimating) >= HOPELESS:
                raise WorkError(
                    f'the estimator failed on the first {len(estimating)} images: {estimating[0]}'
                )
    finally:
        progress.close()


def _finish(
    items: Sequence[Item], report: Path, state: State, store: MaskFolder, *, title: str
) -> dict[str, Any]:
    """Write the report, then remove what only an unfinished run needs."""
    state = {item.name: state[item.name] for item in items}
    write_final(report, state)
    summary = write_report(report, items, state, store, title=title)
    kept = {SETTINGS, SHARES, FAILURES, SUMMARY, HISTOGRAM, SAMPLES}
    if not summary['masks']:
        kept -= {HISTOGRAM, SAMPLES}
    for path in report.iterdir():
        if path.name == JOURNALS:
            shutil.rmtree(path, ignore_errors=True)  # another shard may do the same
        elif path.name not in kept:
            path.unlink(missing_ok=True)
    return summary
