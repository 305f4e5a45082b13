"""A classifier on the robustness sets that are there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bgaug_mm.device import usable_device
from bgaug_mm.failures import one_line

from ...datasets.robustness import RobustnessSet
from ...datasets.robustness.imagenet_folders import Wnids
from ..measures import Measure, accuracy, gap
from ..predictions import SetPredictions
from ..statistics import bootstrap
from .answers import answers, confidence, matched_labels, require_outputs
from .backgrounds_challenge import backgrounds_challenge
from .corruption_scores import corruption_scores
from .image_batches import image_batches
from .sets import COSTLY, IMAGENET9_FOLDER, ROBUSTNESS_SETS, openers

Classifier = Callable[[Tensor], Tensor]
OnSet = Callable[[str, SetPredictions], None]


class RobustnessAnswers(NamedTuple):
    """What a classifier answered on the sets that are there.

    Attributes:
        sets: Answers by set.
        skipped: Set → why there are none, one line.
        left_out: Set → one line for each image that could not be read.
        outputs: How many the classifier has.
    """

    sets: dict[str, SetPredictions]
    skipped: dict[str, str]
    left_out: dict[str, list[str]]
    outputs: int


def evaluate_robustness(
    classifier: Classifier,
    root: str | os.PathLike[str],
    sets: Sequence[str] | None = None,
    *,
    wnids: Wnids | None = None,
    short: int = 256,
    crop: int = 224,
    batch_size: int = 128,
    workers: int = 0,
    device: str | torch.device = 'cpu',
    on_set: OnSet | None = None,
) -> dict[str, Any]:
    """Accuracies on the robustness sets below a folder; what cannot be evaluated is named.

    Args:
        classifier, root, sets, wnids, short, crop, batch_size, workers, device, on_set: See
            :func:`answer_robustness`.

    Returns:
        dict[str, Any]: Plain values, for JSON. ``scores``: name → ``Estimate.to_json()`` in
        percent with 95 % intervals over images, see :func:`robustness_measures`.
        ``skipped``: set → why, one line. ``left_out``: set → one line for each image that
        could not be read; the accuracy is of the others. ``settings``: short, crop, outputs.

    Raises:
        ValueError: As :func:`answer_robustness`.
    """
    answered = answer_robustness(
        classifier, root, sets,
        wnids=wnids, short=short, crop=crop, batch_size=batch_size, workers=workers,
        device=device, on_set=on_set,
    )  # fmt: skip
    measures, missing = robustness_measures(answered.sets)
    return {
        'scores': {
            name: bootstrap([measure.values]).to_json() for name, measure in measures.items()
        },
        'skipped': {**answered.skipped, **missing},
        'left_out': answered.left_out,
        'settings': {'short': short, 'crop': crop, 'outputs': answered.outputs},
    }


def robustness_measures(
    sets: Mapping[str, SetPredictions],
) -> tuple[dict[str, Measure], dict[str, str]]:
    """All figures that answers on robustness sets give.

    Args:
        sets: Answers by set.

    Returns:
        The figures, in percent: the accuracy on each set, ``imagenet9_bg_gap`` (mixed_same −
        mixed_rand), ``backgrounds_challenge`` (share of foregrounds right on all backgrounds),
        and, of which more is worse, ``imagenet_c_ce_<corruption>``, ``imagenet_c_mce``,
        ``imagenet_c_relative_mce``; and for those of ImageNet-C that there are none of, why.
    """
    measures = {name: accuracy(answered) for name, answered in sets.items()}
    same, rand = (sets.get(f'imagenet9_mixed_{name}') for name in ('same', 'rand'))
    if same and rand:
        measures['imagenet9_bg_gap'] = gap(same, rand)
    if not any(name.startswith('imagenet_c_') for name in sets):
        return measures, {}
    of_corruptions, missing = corruption_scores(sets)
    return {**measures, **of_corruptions}, missing


def answer_robustness(
    classifier: Classifier,
    root: str | os.PathLike[str],
    sets: Sequence[str] | None = None,
    *,
    wnids: Wnids | None = None,
    short: int = 256,
    crop: int = 224,
    batch_size: int = 128,
    workers: int = 0,
    device: str | torch.device = 'cpu',
    on_set: OnSet | None = None,
) -> RobustnessAnswers:
    """Answers on the robustness sets below a folder; what cannot be evaluated is named.

    Args:
        classifier: Maps BGR images (N, 3, crop, crop) uint8 to logits (N, C): C = 1000
            classes of ImageNet by sorted WordNet id, or 9 for ImageNet-9. A module is moved
            to `device` and put into evaluation mode.
        root: The folder in which the authors' archives were unpacked.
        sets: Names of ``ROBUSTNESS_SETS``. Defaults to None: all but those of ``COSTLY``.
        wnids: Where ImageNet's WordNet ids are listed, see
            :func:`~bgaug_mm.datasets.robustness.imagenet_wnids`. Defaults to None: looked for
            below `root`.
        short: Shorter side to which images are resized, at least `crop`; those that come
            cropped (ImageNet-9, -C) are resized to `crop`. Defaults to 256.
        crop: Side of the central square shown. Defaults to 224.
        batch_size: Images a batch. Defaults to 128.
        workers: Processes that read images. Defaults to 0, none.
        device: Where to compute. Defaults to ``'cpu'``.
        on_set: Called with name and answers after each set. Where an image has several
            right classes, the label given is the answer if that is right, else the first of
            them. Defaults to None.

    Returns:
        RobustnessAnswers: A set that fails, whatever the reason, leaves the others.

    Raises:
        ValueError: For an unknown name in `sets`, `short` below `crop`, or a classifier whose
            logits are not (N, C).
    """
    unknown = [name for name in sets or () if name not in ROBUSTNESS_SETS]
    if unknown:
        raise ValueError(f'`sets` must be of {ROBUSTNESS_SETS}, but got {unknown[0]!r}')
    if not 0 < crop <= short:
        raise ValueError(f'`short` must be at least `crop` > 0, but got {short} and {crop}')
    device = usable_device(device)
    if isinstance(classifier, nn.Module):
        classifier = classifier.to(device).eval()
    with torch.inference_mode():
        logits = classifier(torch.zeros(1, 3, crop, crop, dtype=torch.uint8, device=device))
    if logits.ndim != 2:
        raise ValueError(f'logits must be (N, C), but got {tuple(logits.shape)} for one image')
    outputs = logits.shape[1]
    options: dict[str, Any] = dict(outputs=outputs, crop=crop, batch_size=batch_size, device=device)

    skipped = {} if sets else dict.fromkeys(COSTLY, 'takes hours; name it to have it evaluated')
    left_out: dict[str, list[str]] = {}
    found: dict[str, SetPredictions] = {}

    def attempt(name: str, evaluate: Callable[[], tuple[SetPredictions, list[str]]]) -> None:
        try:
            found[name], unread = evaluate()
        except Exception as error:  # a broken file may raise anything, and the others wait
            skipped[name] = one_line(error)
            return
        if unread:
            left_out[name] = unread
        if on_set:
            on_set(name, found[name])

    for name in ROBUSTNESS_SETS:
        if name not in (sets or set(ROBUSTNESS_SETS) - set(COSTLY)):
            continue
        if outputs != 1000 and name not in ('imagenet9', 'backgrounds_challenge'):
            skipped[name] = f'the classifier has {outputs} outputs, the set needs 1000'
            continue
        if name == 'backgrounds_challenge':
            folder = Path(root) / IMAGENET9_FOLDER
            attempt(name, partial(backgrounds_challenge, classifier, folder, **options))
            continue
        for one, opener in openers(name, root, wnids=wnids, outputs=outputs).items():
            attempt(
                one,
                partial(evaluate_set, classifier, opener, short=short, workers=workers, **options),
            )

    return RobustnessAnswers(found, skipped, left_out, outputs)


def evaluate_set(
    classifier: Classifier,
    opener: Callable[[], RobustnessSet],
    *,
    outputs: int,
    short: int = 256,
    crop: int = 224,
    batch_size: int = 128,
    workers: int = 0,
    device: str | torch.device = 'cpu',
) -> tuple[SetPredictions, list[str]]:
    """Answers on one set, and a line for each image that could not be read.

    Args:
        classifier: See :func:`evaluate_robustness`; already on `device`.
        opener: Gives the set.
        outputs: How many the classifier has.
        short, crop, batch_size, workers, device: See :func:`evaluate_robustness`.

    Raises:
        FileNotFoundError: If the set, or one of its files, is not there.
        ValueError: If the set is not whole, no image of it can be read, or it is not for so
            many outputs.
    """
    dataset = opener()
    require_outputs(outputs, dataset.metainfo)
    samples = [dataset.get_data_info(index) for index in range(len(dataset))]
    files = [sample['img_path'] for sample in samples]
    if not files:
        raise ValueError(f'{dataset.folder} has no image with a label')
    kept: list[int] = []
    given: list[Tensor] = []
    sure: list[Tensor] = []
    unread: list[str] = []
    for batch in image_batches(
        files,
        short=None if dataset.CROPPED else short,
        crop=crop,
        border=dataset.BORDER,
        batch_size=batch_size,
        workers=workers,
    ):
        unread += batch.unreadable.values()
        kept += batch.indices
        if batch.indices:
            with torch.inference_mode():
                logits = classifier(batch.images.to(device))
            given.append(answers(logits, dataset.metainfo).cpu())
            sure.append(confidence(logits, dataset.metainfo).cpu())
    if not kept:
        raise ValueError(f'no image of it can be read: {unread[0]}')
    answer = torch.cat(given).numpy().astype(np.int64)
    return SetPredictions(
        # the sets of ImageNet-C share their names: one string for all
        [sys.intern(os.path.relpath(files[index], dataset.folder)) for index in kept],
        matched_labels(answer, [samples[index]['gt_label'] for index in kept]),
        answer,
        torch.cat(sure).numpy(),
    ), unread
