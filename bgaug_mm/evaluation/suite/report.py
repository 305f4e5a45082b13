"""An evaluation to read: tables in Markdown, and one page with its pictures inside."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from bgaug_mm.files import write_bytes, write_json
from bgaug_mm.visualization import Section, bar_chart, html_report

from ..markdown_table import markdown_table
from ..statistics import Estimate
from .figures import grouped, meaning
from .results import Evaluation
from .table import COLUMNS, cell

MARK = '*'
_CHART = (
    *('original', 'mixed_same', 'mixed_rand', 'only_fg', 'only_bg', 'fgpref'),
    *('imagenet', 'imagenet_real', 'imagenet_v2', 'imagenet_a', 'imagenet_r', 'imagenet_sketch'),
    *('objectnet', 'imagenet9_original', 'imagenet9_mixed_same', 'imagenet9_mixed_rand'),
)
_GAPS = ('bg_gap', 'net_gap', 'knn_bg_gap', 'imagenet9_bg_gap')


def tables(evaluation: Evaluation) -> dict[str, list[list[str]]]:
    """Heading → table: a row a figure, a column a label, and the differences to the base.

    A difference whose interval is clear of zero ends with :data:`MARK`.
    """
    labels, differences = evaluation.labels, evaluation.differences()
    head = [
        '',
        *(f'{label} ({_runs(len(evaluation.counted(label)))})' for label in labels),
        *(
            f'{title} ({_pairs(len(evaluation.pairs(label)))})'
            for label, title in zip(evaluation.compared, differences, strict=True)
        ),
    ]
    found = {}
    for title, names in grouped(evaluation.names).items():
        rows = [head]
        for name in names:
            row = [name, *(cell(name, evaluation.estimate(label, name)) for label in labels)]
            for values in differences.values():
                value = values.get(name)
                row.append(cell(name, value) + (MARK if value and value.clear else ''))
            rows.append(row)
        found[title] = rows
    return found


def intervals_text(evaluation: Evaluation) -> str:
    """What the brackets in the tables say."""
    counted = {label: evaluation.counted(label) for label in evaluation.labels}
    counts = [len(runs) for runs in counted.values() if runs]
    parts = []
    if max(counts, default=0) > 1:
        parts.append(
            "With several seeds: the mean over the seeds and Student's 95 % interval over them."
        )
        if any(len({run.data for run in runs}) < len(runs) for runs in counted.values()):
            parts.append(
                'Seeds that share their test images: the interval speaks of other trainings on '
                'these images; results.json has one over seeds and images beside it.'
            )
    if 1 in counts:
        parts.append(
            'With one seed: the 95 % bootstrap interval is over its test images alone and says '
            'nothing about another seed.'
        )
    if evaluation.differences():
        parts.append(
            'Differences are paired, seed by seed or image by image; those whose interval is '
            f'clear of zero end with {MARK}. Many figures are tested at once, so that one in '
            'twenty would be without any effect.'
        )
    base = counted.get(evaluation.base or '', [])
    for label in evaluation.compared:
        runs, paired = counted[label], len(evaluation.pairs(label))
        if runs and paired < max(len(runs), len(base)):
            parts.append(
                f'{len(runs) - paired} of the {_runs(len(runs))} of {label} and '
                f'{len(base) - paired} of the {_runs(len(base))} of {evaluation.base} are in no '
                'difference: the other has none on the same data.'
            )
    return ' '.join(parts)


def skipped_rows(evaluation: Evaluation) -> list[list[str]]:
    """What did not run or was left out, and why, and notes: a table without repetitions."""
    found: dict[tuple[str, str], list[str]] = {}
    for run in evaluation.runs:
        for part, reason in run.skipped.items():
            found.setdefault((part, reason), []).append(run.label)
        for note in run.notes:
            part, _, rest = note.partition(': ')
            found.setdefault((part, rest), []).append(run.label)
    everyone = {run.label for run in evaluation.runs}
    return [
        [part, 'all' if {*labels} == everyone else ', '.join(dict.fromkeys(labels)), reason]
        for (part, reason), labels in found.items()
    ]


def markdown(evaluation: Evaluation, opening: str) -> str:
    """The tables, what was skipped, and what the figures mean."""
    lines = [f'# Evaluation: {evaluation.suite}', '', opening, '', intervals_text(evaluation)]
    for title, rows in tables(evaluation).items():
        lines += ['', f'## {title}', '', markdown_table(rows)]
        meanings = {row[0]: meaning(row[0]) for row in rows[1:] if meaning(row[0])}
        if meanings:
            lines += ['', *(f'- `{name}`: {text}' for name, text in meanings.items())]
    skipped = skipped_rows(evaluation)
    if skipped:
        lines += ['', '## Skipped and noted', '', markdown_table([['part', 'of', 'why'], *skipped])]
    return '\n'.join(lines) + '\n'


def write_markdown(path: str | os.PathLike[str], evaluation: Evaluation, opening: str) -> None:
    """Write :func:`markdown`."""
    write_bytes(Path(path), markdown(evaluation, opening).encode())


def write_report(
    path: str | os.PathLike[str],
    evaluation: Evaluation,
    opening: str,
    *,
    title: str = 'Does the model look at the object?',
    pictures: Sequence[Section] = (),
    more: Sequence[Section] = (),
) -> None:
    """Write the page and, beside it, the charts that it embeds.

    Args:
        path: HTML file; its folder is made.
        evaluation: What was found.
        opening: First paragraph.
        title: Heading. Defaults to a question.
        pictures: Sections behind the charts.
        more: Sections at the end.
    """
    folder = Path(path).parent
    sections = _charts(evaluation, folder)
    first = True
    for heading, rows in tables(evaluation).items():
        sections.append(
            Section(
                heading,
                text=intervals_text(evaluation) if first else '',
                table=rows,
                definitions={row[0]: meaning(row[0]) for row in rows[1:] if meaning(row[0])},
            )
        )
        first = False
    sections += pictures
    skipped = skipped_rows(evaluation)
    if skipped:
        sections.append(Section('Skipped and noted', table=[['part', 'of', 'why'], *skipped]))
    runs = {
        f'{index}. {run.label}': f'{run.checkpoint} on {run.data}, '
        f'{sum(run.seconds.values()):.0f} s'
        for index, run in enumerate(evaluation.runs, 1)
    }
    settings = {name: str(value) for name, value in evaluation.settings.items()}
    sections.append(Section('Settings', definitions={**runs, **settings}))
    html_report(path, title, opening, [*sections, *more])


def _charts(evaluation: Evaluation, folder: Path) -> list[Section]:
    found = []
    for title, keys, file in (
        ('BG-Gap', _GAPS, 'bg_gap.png'),
        ('Scores', _CHART, 'scores.png'),
    ):
        estimates = _estimates(evaluation, keys)
        if estimates:
            _chart(estimates, keys, folder / file, title)
            found.append(Section(title, picture=folder / file))
    return found


def write_scores(evaluation: Evaluation, path: Path, picture: Path) -> None:
    """Write all figures with their intervals to a JSON file, the main ones to a chart.

    Args:
        evaluation: Of a world.
        path: The JSON file: label → figure → attributes of
            :class:`~bgaug_mm.evaluation.statistics.Estimate`.
        picture: The chart.
    """
    found = _estimates(evaluation, evaluation.names)
    write_json(
        path,
        {
            label: {name: estimate.to_json() for name, estimate in row.items()}
            for label, row in found.items()
        },
    )
    _chart(found, COLUMNS, picture, 'Frozen features')


def _estimates(evaluation: Evaluation, names: Sequence[str]) -> dict[str, dict[str, Estimate]]:
    """Label → figure → estimate, of those that there are."""
    found = {
        label: {
            name: estimate
            for name in names
            if (estimate := evaluation.estimate(label, name)) is not None
        }
        for label in evaluation.labels
    }
    return {label: row for label, row in found.items() if row}


def _chart(
    estimates: Mapping[str, Mapping[str, Estimate]],
    names: Sequence[str],
    picture: Path,
    title: str,
) -> None:
    bar_chart(
        {label: {key: one.mean for key, one in row.items()} for label, row in estimates.items()},
        [name for name in names if any(name in row for row in estimates.values())],
        picture,
        title=f'{title}, percent, with 95 % intervals',
        intervals={
            label: {key: (one.low, one.high) for key, one in row.items() if one.low == one.low}
            for label, row in estimates.items()
        },
    )


def _runs(count: int) -> str:
    return f'{count} seed{"s" * (count != 1)}'


def _pairs(count: int) -> str:
    return f'{count} pair{"s" * (count != 1)}'
