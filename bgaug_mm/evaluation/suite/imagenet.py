"""The suite of ImageNet and its robustness sets for one classifier."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from ..networks.classifier import FrozenClassifier, LoadedClassifier
from ..predictions import SetPredictions
from ..robustness.evaluator import Classifier, answer_robustness, robustness_measures
from ..robustness.sets import ROBUSTNESS_SETS, openers
from .disturbed import attack_measures, structure_measures
from .options import SuiteOptions
from .run_result import RunResult
from .shown import Shown, shown_set

#: Sets that are shown in pictures, the first that is there.
_SHOWN = ('imagenet9_mixed_rand', 'imagenet9_original', 'imagenet', 'imagenet_v2', 'imagenet_a')
#: Sets that are distorted and attacked, the first that is there; each in all classes of its own.
_DISTURBED = ('imagenet', 'imagenet_v2', 'imagenet9_original', 'imagenet9_mixed_rand')


def evaluate_imagenet(
    classifier: Classifier,
    data: str | os.PathLike[str],
    *,
    label: str = 'model',
    checkpoint: str = '',
    sets: Sequence[str] | None = None,
    options: SuiteOptions | None = None,
    workers: int = 0,
    progress: Callable[[str], None] = lambda part: None,
) -> RunResult:
    """Run :func:`~bgaug_mm.evaluation.robustness.evaluator.answer_robustness` into a result.

    Then evenly chosen images of one set (ImageNet's validation set, or the first of ``imagenet_v2``
    and ImageNet-9's ``original`` and ``mixed_rand``) are distorted and attacked. Of ImageNet-9
    a classifier of 1000 classes answers with the best of its nine groups there.

    Args:
        classifier: Of 1000 classes, or of the 9 of ImageNet-9. Only a
            :class:`~bgaug_mm.evaluation.networks.classifier.FrozenClassifier` or
            ``LoadedClassifier`` is distorted, attacked, and shown in pictures.
        data: The folder in which the authors' archives were unpacked.
        label, checkpoint: For the result.
        sets: Names of sets. Defaults to None: all that are there, but for the costly
            ``backgrounds_challenge``.
        options: Settings; of `parts`, ``'structure'`` and ``'attacks'`` are looked at. Defaults
            to the defaults.
        workers: Processes that read images. Defaults to 0, none.
        progress: Called with each set's name after it, and with a part's before it.

    Returns:
        RunResult: With `skipped` naming the sets that were not evaluated, and why.
    """
    options = options or SuiteOptions()
    run = RunResult(label=label, checkpoint=checkpoint, data=str(data))

    def keep(name: str, answers: SetPredictions) -> None:
        run.predictions[name] = answers
        progress(name)

    outputs = 0
    with run.part('robustness sets'):
        answered = answer_robustness(
            classifier,
            data,
            sets,
            batch_size=options.batch_size,
            workers=workers,
            device=options.device,
            on_set=keep,
        )
        outputs = answered.outputs
        run.skipped.update(answered.skipped)
        run.notes += [
            f'{name}: left out: {line}'
            for name, lines in answered.left_out.items()
            for line in lines
        ]
    run.measures, missing = robustness_measures(run.predictions)
    run.skipped.update(missing)
    with run.part('pictures'):
        run.shown = _shown(classifier, data, run, outputs, _SHOWN)
    for part, measures, most in (
        ('structure', structure_measures, options.distorted),
        ('attacks', attack_measures, options.attacked),
    ):
        if part in options.parts:
            progress(part)
            with run.part(part):
                shown = _shown(classifier, data, run, outputs, _DISTURBED)
                if shown is None:
                    raise ValueError(
                        f'it needs one of the sets {", ".join(_DISTURBED)}, and a backbone with '
                        'its probe or a checkpoint of a classifier'
                    )
                run.notes.append(f'{part}: on images of {shown.set_name}')
                some = shown.some(run.predictions[shown.set_name], most)
                for name, measure in measures(shown.classifier, *some, options):
                    run.measures[name] = measure
    return run


def _shown(
    classifier: Classifier,
    data: str | os.PathLike[str],
    run: RunResult,
    outputs: int,
    sets: Sequence[str],
) -> Shown | None:
    """The first of the sets that there are answers on; None if there is none."""
    if not isinstance(classifier, (FrozenClassifier, LoadedClassifier)):
        return None
    name = next((name for name in sets if name in run.predictions), None)
    if name is None:
        return None
    for source in ROBUSTNESS_SETS[:-1]:
        found = openers(source, Path(data), wnids=None, outputs=outputs)
        if name in found:
            return shown_set(
                found[name](), classifier, name, run.predictions[name], outputs=outputs
            )
    return None
