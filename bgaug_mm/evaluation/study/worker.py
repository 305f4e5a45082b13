"""One job of a study, as a process: ``python -m bgaug_mm.evaluation.study.worker JOB.json``.

Trains (from the last epoch on, if there is one) and evaluates, or makes masks.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from bgaug_mm.compat.checkpoints import is_complete
from bgaug_mm.engine import launch
from bgaug_mm.files import lock, write_json
from bgaug_mm.visualization.training_log import read_scalars, train_minutes

from ..jobs import WORK_DIR
from ..networks.features import FrozenBackbone, build_frozen_backbone, load_frozen_backbone
from ..probes.background_gap import evaluate_backbone
from .masks import make_masks


def main(argv: Sequence[str] | None = None) -> int:
    """Do the job in a file; nothing where it is done. Returns the exit status."""
    (path,) = map(Path, sys.argv[1:] if argv is None else argv)
    job = json.loads(path.read_text(encoding='utf-8'))
    with open(f'{job["done"]}.lock', 'ab') as file:
        # a process that outlived the study which began it may be at it: wait for that
        while not lock(file):
            time.sleep(1)
        if Path(job['done']).is_file():
            return 0
        if job['task'] == 'masks':
            made = make_masks(
                Path(job['world']), Path(job['folder']), job['edit'], seed=job['seed']
            )
            write_json(Path(job['done']), {**made, 'seconds': time.time() - job['started']})
            return 0
        return _run(job)


def _run(job: Mapping[str, Any]) -> int:
    work_dir, config = Path(job['folder']) / WORK_DIR, Config.fromfile(job['config'])
    result: dict[str, Any] = {'run': job['run']}
    trained = 0.0
    if job['train']:
        checkpoint = work_dir / f'epoch_{config.train_cfg.max_epochs}.pth'
        if not is_complete(str(checkpoint)):  # it may have died while it wrote the last one
            command = [job['config'], '--data', job['world'], '--work-dir', str(work_dir)]
            started = time.time()
            if status := launch.main(['train', *command, '--resume']):
                return status
            trained = time.time() - started
        backbone: FrozenBackbone = load_frozen_backbone(checkpoint, config)
        result.update(_of_the_log(work_dir))
    else:
        backbone = build_frozen_backbone(config, seed=job['seed'])
    torch.set_num_threads(1)
    scores = evaluate_backbone(backbone, job['world'])
    # as if never interrupted: the rest, and the training by its log
    seconds = time.time() - job['started'] - trained + 60 * result.get('minutes', 0.0)
    write_json(Path(job['done']), {**result, 'seconds': seconds, 'scores': scores})
    if job['train']:
        for older in work_dir.glob('epoch_*.pth'):
            if older != checkpoint:
                older.unlink()
    return 0


def _of_the_log(work_dir: Path) -> dict[str, float]:
    """Minutes of training, and the collapse figure over its last tenth."""
    _, spread = read_scalars(work_dir).get('feature_std', ([], []))
    last = spread[-max(1, len(spread) // 10) :]
    found = {'feature_std': statistics.mean(last)} if last else {}
    return {'minutes': train_minutes(work_dir), **found}


if __name__ == '__main__':
    sys.exit(main())
