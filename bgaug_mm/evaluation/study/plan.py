"""A study as jobs: worlds, masks, and runs that need them, each a process of its own."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.config import Config

from bgaug_mm.files import write_bytes, write_json

from ..jobs import Job, digest_name
from .config import run_config
from .spec import Run, Study

#: Raise when a run's evaluation changes, so that runs are made again.
_FORMAT = 1
RESULT = 'result.json'


def plan(
    study: Study,
    out: Path,
    tools: Path,
    *,
    only: Sequence[str] = (),
    known: Collection[str] = (),
) -> list[Job]:
    """The jobs of a study in order, each behind those that it needs.

    Args:
        study: The study.
        out: Folder of the study.
        tools: The folder ``tools`` of this project.
        only: Patterns, see :meth:`Study.runs`. Defaults to all.
        known: Folders' names of runs that are known from elsewhere and need nothing. Defaults
            to none.

    Raises:
        ValueError, LaunchError: A world has no source, a maker or a config does not
            exist, a pattern fits nothing.
    """
    jobs: dict[str, Job] = {}
    for run in study.runs(only):
        arm = study.arms[run.arm]
        world = _world_job(study, run, out, tools)
        needs = [world]
        if arm.masks is not None:
            needs.append(_masks_job(arm.masks, run, world, out))
        job = _run_job(study, run, needs, out)
        if job.folder.name in known and not job.is_done:
            needs, job = [], replace(job, needs=())
        else:
            _require_source(study, run)
        for one in (*needs, job):
            jobs.setdefault(one.name, one)
    return list(jobs.values())


def _require_source(study: Study, run: Run) -> None:
    world = study.worlds[run.world]
    if world.source is None and '{source}' in world.make:
        raise ValueError(
            f'the world {run.world} needs its material: --source {run.world}=FOLDER'
            f', or leave it out with --only, e.g. --only "{next(iter(study.worlds))}"'
        )


def _world_job(study: Study, run: Run, out: Path, tools: Path) -> Job:
    world = study.worlds[run.world]
    rho = world.uniform if study.arms[run.arm].uniform else world.rho
    script, *arguments = shlex.split(world.make)
    path = tools / 'dataset_converters' / script
    if not path.is_file():
        makers = sorted(found.name for found in path.parent.glob('make_*.py'))
        raise ValueError(f'`worlds.{run.world}.make` must begin with one of {", ".join(makers)}')
    folder = (
        out
        / 'worlds'
        / digest_name(f'{run.world}-rho{rho:g}-{run.seed}', world.make, rho, run.seed)
    )
    values = {'out': str(folder), 'seed': run.seed, 'rho': rho, 'source': world.source}
    command = [sys.executable, str(path), *(part.format(**values) for part in arguments)]
    return Job(
        name=f'world {run.world}, rho {rho:g}, seed {run.seed}',
        folder=folder,
        done=folder / 'manifest.json',
        prepare=lambda: command,
        like=f'world {run.world}',
    )


def _masks_job(edit: Mapping[str, Any], run: Run, world: Job, out: Path) -> Job:
    kind = run.arm.rpartition('.')[2]
    folder = (
        out
        / 'masks'
        / digest_name(f'{run.world}-{kind}-{run.seed}', world.folder.name, dict(edit), run.seed)
    )
    done = folder.with_suffix('.json')
    task = {
        'task': 'masks', 'world': world.folder, 'folder': folder, 'done': done,
        'edit': dict(edit), 'seed': run.seed,
    }  # fmt: skip
    return Job(
        name=f'masks {run.world}, {kind}, seed {run.seed}',
        folder=folder,
        done=done,
        needs=[world.name],
        prepare=partial(_prepare, folder.with_name(f'{folder.name}.job.json'), task),
        like=f'masks {kind}',
        minutes=0.5,
    )


def _run_job(study: Study, run: Run, needs: Sequence[Job], out: Path) -> Job:
    world, *masks = needs
    # by names, which hold digests: a moved study is the same study
    config = run_config(study, run, masks[0].folder.name if masks else None)
    arm = study.arms[run.arm]
    trained = arm.epochs != 0
    folder = (
        out
        / 'runs'
        / digest_name(
            '-'.join(map(str, run)), _FORMAT, config.to_dict(), world.folder.name, trained
        )
    )
    task = {
        'task': 'run', 'world': world.folder, 'folder': folder, 'done': folder / RESULT,
        'config': folder / 'config.py', 'train': trained, 'seed': run.seed,
        'run': run._asdict(),
    }  # fmt: skip

    def prepare() -> list[str]:
        root = str(masks[0].folder.absolute()) if masks else None
        final: Config = run_config(study, run, root)
        write_bytes(folder / 'config.py', final.pretty_text.encode())
        return _prepare(folder / 'job.json', task)

    return Job(
        name=run.name,
        folder=folder,
        done=folder / RESULT,
        needs=[job.name for job in needs],
        prepare=prepare,
        run=run,
        like=f'{run.world}/{run.method}' if trained else 'untrained',
        minutes=study.methods[run.method].minutes if trained else 0.2,
        length=config.train_cfg.max_epochs,
    )


def _prepare(path: Path, task: Mapping[str, Any]) -> list[str]:
    absolute = {
        key: str(value.absolute()) if isinstance(value, Path) else value
        for key, value in task.items()
    }
    write_json(path, {**absolute, 'started': time.time()})
    return [sys.executable, '-m', 'bgaug_mm.evaluation.study.worker', str(path)]
