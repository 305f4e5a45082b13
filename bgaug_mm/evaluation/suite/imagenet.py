"""The suite of ImageNet and its robustness sets for one classifier."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from ..networks.classifier import LoadedClassifier
from ..predictions import SetPredictions
from ..robustness.evaluator import evaluate_robustness
from ..statistics import Estimate
from .measures import accuracy, gap
from .run_result import RunResult


def evaluate_imagenet(
    classifier: LoadedClassifier,
    data: str | os.PathLike[str],
    *,
    label: str = 'model',
    checkpoint: str = '',
    sets: Sequence[str] | None = None,
    batch_size: int = 128,
    workers: int = 0,
    device: str = 'cpu',
    progress: Callable[[str], None] = lambda part: None,
) -> RunResult:
    """Run :func:`~bgaug_mm.evaluation.robustness.evaluator.evaluate_robustness` into a result.

    Args:
        classifier: Of 1000 classes, or of the 9 of ImageNet-9.
        data: The folder in which the authors' archives were unpacked.
        label, checkpoint: For the result.
        sets: Names of sets. Defaults to None: all that are there.
        batch_size: Images a batch. Defaults to 128.
        workers: Processes that read images. Defaults to 0, none.
        device: Where to compute. Defaults to ``'cpu'``.
        progress: Called with each set's name after it.
    """
    run = RunResult(label=label, checkpoint=checkpoint, data=str(data))

    def keep(name: str, answers: SetPredictions) -> None:
        run.predictions[name] = answers
        progress(name)

    with run.part('robustness sets'):
        found = evaluate_robustness(
            classifier,
            data,
            sets,
            batch_size=batch_size,
            workers=workers,
            device=device,
            on_set=keep,
        )
        run.measures = {name: accuracy(answers) for name, answers in run.predictions.items()}
        same, rand = (run.predictions.get(f'imagenet9_mixed_{name}') for name in ('same', 'rand'))
        if same and rand:
            run.measures['imagenet9_bg_gap'] = gap(same, rand)
        run.scores = {
            name: Estimate.from_json(score)
            for name, score in found['scores'].items()
            if name not in run.measures
        }
        run.skipped.update(found['skipped'])
        run.notes += [
            f'{name}: left out: {line}'
            for name, lines in found['left_out'].items()
            for line in lines
        ]
    return run
