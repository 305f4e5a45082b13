"""Several runs side by side: estimates, differences, and the file ``results.json``."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bgaug_mm.files import write_json
from bgaug_mm.version import __version__

from ..measures import Measure, apart
from ..statistics import Estimate, bootstrap, over_seeds, paired_difference
from .run_result import RunResult

#: Version of the layout of ``results.json``.
FORMAT = 1


@dataclass(kw_only=True)
class Evaluation:
    """Runs of one suite.

    Attributes:
        suite: Its name.
        runs: All of them; those of one label are its seeds.
        base: The label that the others are compared with; None compares nothing.
        control: The label whose BG-Gap was subtracted (:func:`subtract_control`); it is not
            compared. None: there is none.
        settings: For the record, JSON values.
    """

    suite: str
    runs: list[RunResult]
    base: str | None = None
    control: str | None = None
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, list[RunResult]]:
        """Label → its runs, in order; with those that failed."""
        found: dict[str, list[RunResult]] = {}
        for run in self.runs:
            found.setdefault(run.label, []).append(run)
        return found

    @property
    def names(self) -> list[str]:
        """All figures that some run has, in order."""
        return list(dict.fromkeys(name for run in self.runs for name in run.means))

    def counted(self, label: str) -> list[RunResult]:
        """The runs of a label that have figures."""
        return [run for run in self.labels[label] if run.means]

    @property
    def compared(self) -> list[str]:
        """The labels that are compared with the base."""
        if self.base is None:
            return []
        return [label for label in self.labels if label not in (self.base, self.control)]

    def pairs(self, label: str, name: str | None = None) -> list[tuple[RunResult, RunResult]]:
        """Runs of a label with those of the base on the same data, in order.

        Args:
            label: Not the base.
            name: A figure that both must have. Defaults to None: any.
        """

        def having(label: str) -> list[RunResult]:
            return [run for run in self.counted(label) if name is None or name in run.means]

        waiting, found = having(self.base) if self.base else [], []
        for run in having(label):
            partner = next((one for one in waiting if _same(one.data, run.data)), None)
            if partner is not None:
                waiting.remove(partner)
                found.append((run, partner))
        return found

    def estimate(self, label: str, name: str) -> Estimate | None:
        """A figure of a label: over its seeds, or over the images of its only one."""
        runs = [run for run in self.labels[label] if name in run.means]
        if len(runs) == 1:
            return runs[0].estimate(name)
        return over_seeds([run.means[name] for run in runs]) if runs else None

    def over_both(self, label: str, name: str) -> Estimate | None:
        """The hierarchical bootstrap over seeds and images; None with fewer than two seeds."""
        runs = [run for run in self.labels[label] if name in run.measures]
        return _over_both(runs, [run.measures[name] for run in runs])

    def difference(self, label: str, name: str) -> Estimate | None:
        """A figure minus that of the base, paired; None where nothing pairs.

        Runs pair in order where they have the same data: over the seeds if several do, over the
        images if one does.
        """
        pairs = self._comparable(label, name)
        if not pairs:
            return None
        if len(pairs) == 1 and all(name in run.measures for run in pairs[0]):
            treated, plain = (run.measures[name] for run in pairs[0])
            return bootstrap([treated.minus(plain).values])
        treated_means, base_means = (
            [run.means[name] for run in side] for side in zip(*pairs, strict=True)
        )
        return paired_difference(treated_means, base_means)

    def difference_over_both(self, label: str, name: str) -> Estimate | None:
        """:meth:`difference` with the hierarchical bootstrap; None with fewer than two pairs."""
        pairs = [
            (run, run.measures[name].minus(partner.measures[name]))
            for run, partner in self._comparable(label, name)
            if name in run.measures and name in partner.measures
        ]
        return _over_both([run for run, _ in pairs], [measure for _, measure in pairs])

    def _comparable(self, label: str, name: str) -> list[tuple[RunResult, RunResult]]:
        """:meth:`pairs`, but for figures of images of which the two share none."""
        return [
            pair
            for pair in self.pairs(label, name)
            if not all(name in run.measures for run in pair)
            or {*pair[0].measures[name].files} & {*pair[1].measures[name].files}
        ]

    def differences(self) -> dict[str, dict[str, Estimate]]:
        """``label − base`` → figure → difference, for all labels but the base."""
        found = {}
        for label in self.compared:
            values = {name: self.difference(label, name) for name in self.names}
            found[f'{label} − {self.base}'] = {
                name: value for name, value in values.items() if value
            }
        return found

    def save(self, folder: str | os.PathLike[str]) -> Path:
        """Write ``results.json``, and image by image ``predictions/*.npz``; the JSON's path."""
        folder = Path(folder)
        runs = []
        for index, run in enumerate(self.runs):
            safe = re.sub(r'[^\w.-]+', '_', run.label)
            runs.append(run.save(folder / 'predictions' / f'{index}_{safe}.npz'))
        labels: dict[str, dict[str, Any]] = {}
        for label in self.labels:
            for name in self.names:
                estimate, both = self.estimate(label, name), self.over_both(label, name)
                if estimate:
                    entry = estimate.to_json()
                    if both:
                        entry['bootstrap'] = both.to_json()
                    labels.setdefault(label, {})[name] = entry
        differences: dict[str, dict[str, Any]] = {}
        for label, (title, row) in zip(self.compared, self.differences().items(), strict=True):
            differences[title] = {}
            for name, value in row.items():
                entry = value.to_json()
                if both := self.difference_over_both(label, name):
                    entry['bootstrap'] = both.to_json()
                differences[title][name] = entry
        path = folder / 'results.json'
        write_json(
            path,
            {
                'format': FORMAT,
                'bgaug_mm': __version__,
                'suite': self.suite,
                'unit': 'percent',
                'level': 0.95,
                'base': self.base,
                'control': self.control,
                'settings': self.settings,
                'labels': labels,
                'differences': differences,
                'runs': runs,
            },
        )
        return path


def _over_both(runs: Sequence[RunResult], measures: Sequence[Measure]) -> Estimate | None:
    if len(runs) < 2:
        return None
    same_data = all(_same(run.data, runs[0].data) for run in runs)
    return bootstrap(
        [measure.values for measure in measures],
        shared=same_data and all(m.files == measures[0].files for m in measures),
    )


def subtract_control(runs: Sequence[RunResult], control: str) -> None:
    """Give each run ``net_gap``: its BG-Gap minus that of a control.

    A control is the base's recipe pre-trained and probed on a world in which each class
    stands on all backgrounds alike: what it has of a gap no shortcut explains. A run whose
    control has no BG-Gap has none of this one either, and says so in `skipped`.

    Args:
        runs: All of them, with those that failed; changed.
        control: The controls' label.

    Raises:
        ValueError: See :func:`pair_with_controls`.
    """
    places = pair_with_controls([run.label for run in runs], control)
    for run, place in zip(runs, places, strict=True):
        if place is None or 'bg_gap' not in run.measures:
            continue
        other = runs[place]
        if 'bg_gap' in other.measures:
            run.measures['net_gap'] = apart(
                run.measures['bg_gap'], other.measures['bg_gap'], ('run', 'control')
            )
        else:
            run.skipped['net_gap'] = f'its control {other.checkpoint} has no BG-Gap'


def pair_with_controls(labels: Sequence[str], control: str) -> list[int | None]:
    """Which run is the control of each: those of a label in order, a lone control for all.

    Args:
        labels: Of all runs.
        control: The controls' label.

    Returns:
        list[int | None]: The control's index by run; None for a control.

    Raises:
        ValueError: If no run has this label, or several do and another label has more runs.
    """
    controls = [index for index, label in enumerate(labels) if label == control]
    if not controls:
        known = list(dict.fromkeys(labels))
        raise ValueError(f'no run has the label of the control, {control!r}: {known}')
    seen: dict[str, int] = {}
    places: list[int | None] = []
    for label in labels:
        if label == control:
            places.append(None)
            continue
        index = seen.setdefault(label, 0)
        seen[label] += 1
        if 1 < len(controls) <= index:
            raise ValueError(
                f'{label} has more runs than the {len(controls)} controls {control!r}: give one '
                'control, or one for each seed'
            )
        places.append(controls[index if len(controls) > 1 else 0])
    return places


def _same(first: str, second: str) -> bool:
    """Whether two data folders are one."""
    return os.path.realpath(first) == os.path.realpath(second)


def read_runs(path: str | os.PathLike[str]) -> list[RunResult]:
    """The runs of a ``results.json`` that :meth:`Evaluation.save` wrote.

    Raises:
        ValueError: If it is another file or another format.
        FileNotFoundError: If it, or the ``.npz`` of a run, is missing.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{path} is not JSON: {error}') from error
    if not isinstance(content, Mapping) or content.get('format') != FORMAT:
        found = content.get('format') if isinstance(content, Mapping) else type(content).__name__
        raise ValueError(f'{path} has the format {found}, but this version reads {FORMAT}')
    try:
        return [RunResult.load(entry, path.parent) for entry in _entries(content)]
    except KeyError as error:
        raise ValueError(f'{path} lacks {error}') from error


def _entries(content: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return list(content['runs'])
