"""Fine-tunings as jobs: configs × weights × seeds."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from bgaug_mm.checkpoints import RANDOM
from bgaug_mm.engine.launch import train_parser
from bgaug_mm.engine.launch_config import load_config, merge_options
from bgaug_mm.files import write_json

from ..jobs import WORK_DIR, Job, digest_name

#: In place of a checkpoint: random weights that are evaluated as they are.
UNTRAINED = 'untrained'
RESULT = 'result.json'
_NAME = re.compile(r'[A-Za-z0-9_.+-]+')  # part of a folder's
METRICS_FILE = 'metrics.json'


class Trial(NamedTuple):
    """One fine-tuning with its evaluation."""

    config: str
    weights: str
    seed: int

    @property
    def name(self) -> str:
        """``config/weights/seed``."""
        return '/'.join(map(str, self))


@dataclass(frozen=True, kw_only=True)
class Weights:
    """What detectors start from.

    Attributes:
        name: In the table.
        checkpoint: File, in which ``{seed}`` is filled in; ``'random'``; or
            ``'untrained'``: random weights that are not trained either.
        which: Which network of the file, see
            :func:`~bgaug_mm.checkpoints.pick_backbone`.
        needs: Names of the jobs that make the file, by seed.
    """

    name: str
    checkpoint: str
    which: str = 'auto'
    needs: Sequence[str] = ()

    def of_seed(self, seed: int) -> str:
        """The file of a seed, or ``'random'``."""
        return self.checkpoint.replace('{seed}', str(seed))

    @property
    def is_file(self) -> bool:
        return self.checkpoint not in (RANDOM, UNTRAINED)


def read_weights(texts: Sequence[str], *, trials: int, which: str = 'auto') -> list[Weights]:
    """``NAME=FILE``, ``random`` and ``untrained`` as they are typed.

    Raises:
        ValueError: For a text of another form, a name twice, or ``random=FILE``.
        FileNotFoundError: For a file that is not there, of any of the seeds.
    """
    found: dict[str, Weights] = {}
    for text in texts:
        name, _, file = text.partition('=')
        special = name in (RANDOM, UNTRAINED)
        if not _NAME.fullmatch(name) or special == bool(file):
            raise ValueError(
                f'`--weights` takes NAME=CHECKPOINT, {RANDOM} and {UNTRAINED}, but got {text!r}; '
                'names are of letters, digits and "_.+-"'
            )
        if name in found:
            raise ValueError(f'`--weights` has {name!r} twice')
        path = name if special else str(Path(file).absolute())
        weights = Weights(name=name, checkpoint=path, which=which)
        if weights.is_file:
            for seed in range(trials):
                if not Path(weights.of_seed(seed)).is_file():
                    raise FileNotFoundError(f'`--weights {text}`: no file {weights.of_seed(seed)}')
        found[name] = weights
    return list(found.values())


def plan_trials(
    configs: Sequence[str],
    weights: Sequence[Weights],
    out: Path,
    tools: Path,
    *,
    trials: int = 5,
    gpus: int = 0,
    data: str | None = None,
    options: Sequence[str] = (),
    flags: Sequence[str] = (),
    needs: Mapping[int, Sequence[str]] | None = None,
    minutes: float = 60.0,
) -> list[Job]:
    """The jobs, seed by seed, so that comparisons complete early.

    Args:
        configs: Paths, or ``package::path``; distinct file names.
        weights: What each starts from.
        out: Folder of all.
        tools: The folder ``tools`` of this project.
        trials: Seeds, from 0. Defaults to 5.
        gpus: Processes of one training (``tools/dist_train.sh``); 0 for ``tools/train.py``
            alone. Defaults to 0.
        data: ``--data`` of the tools, with ``{seed}`` filled in. Defaults to None.
        options: ``--cfg-options``. Defaults to none.
        flags: More options of train.py, e.g. ``['--amp']``. Defaults to none.
        needs: Jobs before those of a seed. Defaults to none.
        minutes: A guess of what a training takes.

    Raises:
        LaunchError: There is no such config, or an option does not fit it.
        ValueError: Two configs of one file name, or `trials` below 1.
    """
    if trials < 1:
        raise ValueError(f'`trials` must be at least 1, but got {trials}')
    stems = [Path(config.rpartition('::')[2]).stem for config in configs]
    if len(set(stems)) < len(stems):
        raise ValueError(f'two configs of the same file name: {", ".join(stems)}')
    jobs = []
    loaded = [load_config(config) for config in configs]
    for config, content in zip(configs, loaded, strict=True):
        changes = train_parser().parse_args([config, *_cfg_options(options)]).cfg_options
        merge_options(content, changes or {})
    for seed in range(trials):
        place = None if data is None else data.replace('{seed}', str(seed))
        for stem, name, config in zip(stems, configs, loaded, strict=True):
            for start in weights:
                trial = Trial(stem, start.name, seed)
                jobs.append(
                    _trial_job(
                        trial, name, config.to_dict(), start, out, tools,
                        gpus=gpus, data=place, options=options, flags=flags,
                        needs=[*(needs or {}).get(seed, ()), *_of_seed(start.needs, seed)],
                        minutes=minutes,
                    )
                )  # fmt: skip
    return jobs


def _cfg_options(options: Sequence[str]) -> list[str]:
    return ['--cfg-options', *options] if options else []


def _of_seed(names: Sequence[str], seed: int) -> list[str]:
    return [name.replace('{seed}', str(seed)) for name in names]


def _within(out: Path, path: str) -> str:
    inside = Path(path).is_relative_to(out.absolute())
    return str(Path(path).relative_to(out.absolute())) if inside else path


def _trial_job(
    trial: Trial,
    config: str,
    content: Mapping[str, Any],
    weights: Weights,
    out: Path,
    tools: Path,
    *,
    gpus: int,
    data: str | None,
    options: Sequence[str],
    flags: Sequence[str],
    needs: Sequence[str],
    minutes: float,
) -> Job:
    start = weights.of_seed(trial.seed)
    trained = weights.checkpoint != UNTRAINED
    # a file of another age is another one; one that is still to be made has a digest
    file = Path(start)
    age = file.stat().st_mtime_ns if weights.is_file and not needs and file.is_file() else None
    # places within the folder of all: moved, they are the same trials
    places = [_within(out, start), data and _within(out, data)]
    settings = [content, places, weights.which, age, gpus, list(flags)]
    folder = out / 'trials' / digest_name('-'.join(map(str, trial)), *settings)
    changes = [*options, f'randomness.seed={trial.seed}']
    arguments = ['--work-dir', str((folder / WORK_DIR).absolute())]
    if data is not None:
        arguments += ['--data', data]
    if trained:
        changes += [f'checkpoint={start}', f'which={weights.which}']
        arguments += ['--resume', *flags]
        launcher = [sys.executable, str(tools / 'train.py')]
        if gpus > 0:
            launcher = ['bash', str(tools / 'dist_train.sh')]
        command = [*launcher, config, *([str(gpus)] if gpus > 0 else []), *arguments]
    else:
        metrics = str((folder / METRICS_FILE).absolute())
        command = [sys.executable, str(tools / 'test.py'), config, RANDOM, *arguments]
        command += ['--out', metrics]
    command += _cfg_options(changes)
    train_cfg = content['train_cfg']
    return Job(
        name=trial.name,
        folder=folder,
        done=folder / RESULT,
        needs=needs,
        prepare=partial(command_of_worker, folder, command, metrics=True),
        run=trial,
        like=trial.config if trained else UNTRAINED,
        minutes=minutes if trained else 1.0,
        length=train_cfg.get('max_epochs') or train_cfg.get('max_iters') or 1,
    )


def command_of_worker(folder: Path, command: Sequence[str], *, metrics: bool) -> list[str]:
    """Write the job that the worker reads, and give the worker's command."""
    path = folder / 'job.json'
    job = {
        'command': list(command),
        'folder': str(folder.absolute()),
        'metrics': metrics,
        'started': time.time(),
    }
    write_json(path, job)
    return [sys.executable, '-m', 'bgaug_mm.evaluation.transfer.worker', str(path)]
