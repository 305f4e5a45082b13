"""What one checkpoint gave on one data folder, and its files."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bgaug_mm.failures import one_line

from ..measures import Measure
from ..networks.classifier import FrozenClassifier
from ..predictions import SetPredictions, load_predictions, save_predictions
from ..statistics import Estimate, bootstrap
from .shown import Shown

#: What a tool ends with a line for, instead of a traceback.
FAILURES = (ValueError, OSError, RuntimeError, ImportError, KeyError)
_VALUES, _FILES = 'measure_values.', 'measure_files.'


@dataclass(kw_only=True)
class RunResult:
    """What one checkpoint gave on one data folder.

    Attributes:
        label: The row it belongs to; checkpoints of one label are seeds.
        checkpoint: The file, or what it is.
        data: The data folder.
        predictions: Answers by set.
        measures: Figures by name, image by image.
        scores: Figures that are no means over images, such as ``spread``.
        skipped: Part → why it did not run.
        notes: What else is to be known, such as a class that a set lacks.
        seconds: Part → how long it took.
        classifier: Backbone and probe of a world; not stored.
        shown: How pictures are made of it; not stored.
    """

    label: str
    checkpoint: str
    data: str
    predictions: dict[str, SetPredictions] = field(default_factory=dict)
    measures: dict[str, Measure] = field(default_factory=dict)
    scores: dict[str, Estimate] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    classifier: FrozenClassifier | None = None
    shown: Shown | None = None

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time what is inside; a failure, whatever it is, becomes an entry of `skipped`."""
        start = time.perf_counter()
        try:
            yield
        except Exception as error:  # a network may raise anything, and hours of others wait
            self.skipped[name] = one_line(error)
        self.seconds[name] = round(time.perf_counter() - start, 2)

    @property
    def means(self) -> dict[str, float]:
        """All figures by name."""
        means = {name: measure.mean for name, measure in self.measures.items()}
        return means | {name: score.mean for name, score in self.scores.items()}

    def estimate(self, name: str) -> Estimate | None:
        """A figure with its interval over images; None where there is none of it."""
        if name in self.measures:
            return bootstrap([self.measures[name].values])
        return self.scores.get(name)

    def save(self, file: Path) -> dict[str, Any]:
        """Write answers and figures image by image to a ``.npz``; the rest as JSON values."""
        arrays = {}
        for name, measure in self.measures.items():
            arrays[_VALUES + name] = measure.values
            arrays[_FILES + name] = np.array(measure.files, dtype=np.str_)
        save_predictions(file, self.predictions, **arrays)
        return {
            'label': self.label,
            'checkpoint': self.checkpoint,
            'data': self.data,
            'predictions': f'{file.parent.name}/{file.name}',
            'scores': {
                name: score.to_json() for name in self.means if (score := self.estimate(name))
            },
            'skipped': self.skipped,
            'notes': self.notes,
            'seconds': self.seconds,
        }

    @classmethod
    def load(cls, entry: Mapping[str, Any], folder: Path) -> RunResult:
        """Read what :meth:`save` wrote; `folder` is that of the JSON file.

        Raises:
            FileNotFoundError, ValueError: If the ``.npz`` is missing or damaged.
            KeyError: If the entry lacks something.
        """
        file = folder / entry['predictions']
        predictions = load_predictions(file)
        with np.load(file, allow_pickle=False) as arrays:
            measures = {
                key.removeprefix(_VALUES): Measure(
                    [str(one) for one in arrays[_FILES + key.removeprefix(_VALUES)]], arrays[key]
                )
                for key in arrays.files
                if key.startswith(_VALUES)
            }
        return cls(
            label=entry['label'],
            checkpoint=entry['checkpoint'],
            data=entry['data'],
            predictions=predictions,
            measures=measures,
            scores={
                name: Estimate.from_json(score)
                for name, score in entry['scores'].items()
                if name not in measures
            },
            skipped=dict(entry['skipped']),
            notes=list(entry['notes']),
            seconds=dict(entry['seconds']),
        )
