"""Masks for all images of a set: in processes, in shards, and resumable.

Below the folder of the masks, ``_report`` holds the settings, the failures, the shares
of foreground and pictures. A run that is killed, at any moment, and started again ends
with the same files as one that was not: masks are whole or not there, batches are those
of the sorted list whatever is there already, and the report is made of the final state.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bgaug_mm.datasets.mask_names import REPORT_FOLDER
from bgaug_mm.datasets.mask_store import MaskFolder
from bgaug_mm.files import temporary_of

from .base import build_estimator
from .image_list import Item, is_below, require_distinct_masks
from .journal import JOURNALS, Journal, State, read_state, write_final
from .mask_maker import MaskMaker, Outcome, Task, cannot_write
from .mask_report import HISTOGRAM, SAMPLES, share_summary, write_report
from .mask_settings import SETTINGS, require_settings
from .mask_survey import survey, unfinished
from .progress import Progress
from .worker_pool import WorkError, run_tasks

#: With so many failures and no mask at all, it is not the images.
HOPELESS = 20

_PRELOAD = (__name__, 'bgaug_mm.saliency.image_list', 'bgaug_mm.engine.launch_errors')


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
    if out.is_file():
        raise ValueError(f"'{out}' is a file: choose a folder for the masks")
    _require_apart(items, out)
    store = MaskFolder('', str(out), name_rule=name_rule)
    if not name_rule.endswith('.png'):
        raise ValueError(f"`name_rule` must end in '.png', but got {name_rule!r}")
    require_distinct_masks(items, store)
    build_estimator(estimator)  # what is wrong with it shows here, not in every worker
    report = out / REPORT_FOLDER
    if overwrite:
        if shard[1] > 1:
            raise ValueError(
                f"shards cannot overwrite, they would delete each other's masks: remove '{out}'"
            )
        _clear(items, store, report)
    settings = {'estimator': estimator, 'threshold': threshold, 'name_rule': name_rule}
    if not (report / SETTINGS).exists():
        _require_no_masks(items, store, report / SETTINGS)
    try:
        require_settings(report / SETTINGS, settings)
    except OSError as error:
        raise cannot_write(report / SETTINGS, error) from error

    starts = range(0, len(items), batch_size)[shard[0] :: shard[1]]
    batches = [items[start : start + batch_size] for start in starts]
    state = read_state(report)
    with Journal(report, shard) as journal:
        mine = [item for batch in batches for item in batch]
        known = survey(mine, store, state)
        journal.append(
            Outcome(name, share) for name, share in known.items() if state.get(name) != share
        )
        own: State = {**known}
        _work(
            partial(MaskMaker, estimator, threshold=threshold),
            unfinished(batches, store, known),
            journal,
            own,
            total=len(mine) - len(known),
            workers=workers,
            name='masks' if shard[1] == 1 else f'shard {shard[0]}/{shard[1]}: masks',
        )
    state = {**read_state(report), **own}
    if any(item.name not in state for item in items):
        return None
    return _finish(items, report, state, store, shard=shard, title=str(estimator['type']))


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
    """Masks must not replace images."""
    for folder in sorted({os.path.dirname(item.path) for item in items}):
        if is_below(folder, out):
            raise ValueError(
                f"the images in '{folder}' lie in the masks' folder '{out}', where a mask could "
                'replace one: choose another folder'
            )


def _require_no_masks(items: Sequence[Item], store: MaskFolder, settings: Path) -> None:
    for item in items:
        path = store.locate(item.name) or ''
        if store.exists(path):
            if settings.exists():  # another shard has begun meanwhile
                return
            raise ValueError(
                f"there is a mask '{path}', but no {REPORT_FOLDER}/{SETTINGS} that says how it was "
                'made: choose another folder, or add --overwrite to delete such masks'
            )


def _clear(items: Sequence[Item], store: MaskFolder, report: Path) -> None:
    for item in items:
        Path(store.locate(item.name) or '').unlink(missing_ok=True)
    # the settings last: killed before, the masks that are left still have theirs
    for path in sorted(report.glob('*'), key=lambda path: path.name == SETTINGS):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _work(
    make: Callable[[], Callable[[list[Task]], list[Outcome]]],
    tasks: Iterator[list[Task]],
    journal: Journal,
    own: State,
    *,
    total: int,
    workers: int,
    name: str,
) -> None:
    """Run the tasks; their outcomes go to the journal and into ``own``."""
    if own:
        print(f'{len(own)} masks are there already, {total} are to be made', file=sys.stderr)
    if not total:
        return
    progress = Progress(total, name=name, unit='images')
    failed: list[str] = []  # while nothing has succeeded
    hopeless = not own
    try:
        for outcomes in run_tasks(make, tasks, workers=min(workers, total), preload=_PRELOAD):
            journal.append(outcomes)
            own.update((o.name, o.reason if o.share is None else o.share) for o in outcomes)
            progress.advance(len(outcomes))
            hopeless = hopeless and all(o.share is None for o in outcomes)
            failed += [o.reason for o in outcomes if hopeless and o.estimating]
            if hopeless and len(failed) >= HOPELESS:
                raise WorkError(
                    f'the estimator failed on the first {len(failed)} images: {failed[0]}'
                )
    finally:
        progress.close()


def _finish(
    items: Sequence[Item],
    report: Path,
    state: State,
    store: MaskFolder,
    *,
    shard: tuple[int, int],
    title: str,
) -> dict[str, Any]:
    """Write the report, then remove what only an unfinished run needs."""
    state = {item.name: state[item.name] for item in items}
    try:
        write_final(report, state)
        summary = write_report(report, items, state, store, title=title)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and shard[1] > 1:
            return share_summary(state)  # another shard finishes now, with the same files
        raise cannot_write(report, error) from error
    stale = () if summary['masks'] else (HISTOGRAM, SAMPLES)
    for path in report.iterdir():
        if path.name in stale or temporary_of(path.name):
            path.unlink(missing_ok=True)
    shutil.rmtree(report / JOURNALS, ignore_errors=True)  # another shard may do the same
    return summary
