"""What the runs of a study found: estimates over seeds, and paired differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..jobs import Job, read_result
from ..statistics import Estimate, over_seeds, paired_difference
from .spec import Study

Scores = Mapping[str, float | None]


@dataclass(frozen=True, kw_only=True)
class Results:
    """Scores of all runs that are done.

    Attributes:
        study: The study.
        scores: (world, method, arm) → seed → scores: those of
            :func:`~bgaug_mm.evaluation.probes.background_gap.gap_scores`; ``net_gap``, BG-Gap minus
            that of the same seed's control; ``projection_spread``, 100 for projections
            spread evenly over the sphere at the end of training and 0 for collapsed ones;
            ``mask_iou``, ``mask_kept``, ``mask_removed`` where the masks are not exact.
        folders: Name of a run → name of its folder, with a digest of its settings.
    """

    study: Study
    scores: Mapping[tuple[str, str, str], Mapping[int, Scores]]
    folders: Mapping[str, str] = field(default_factory=dict)

    def arms(self, world: str, method: str) -> list[str]:
        """The arms that have a result, in the study's order."""
        return [arm for arm in self.study.arms if self.scores.get((world, method, arm))]

    def estimate(self, world: str, method: str, arm: str, key: str) -> Estimate | None:
        """A score over the seeds; None where there is none."""
        rows = self.scores.get((world, method, arm), {})
        values = [value for seed in rows if (value := rows[seed].get(key)) is not None]
        return over_seeds(values) if values else None

    def difference(
        self, world: str, method: str, arm: str, key: str, base: str | None = None
    ) -> Estimate | None:
        """A score minus the base's, on the seeds that both have; None where there is none."""
        pairs = list(self._pairs(world, method, arm, key, base or self.study.base))
        return paired_difference(*zip(*pairs, strict=True)) if pairs else None

    def closed(self, world: str, method: str, arm: str, key: str = 'net_gap') -> Estimate | None:
        """How much of the base's gap is closed, in percent, seed by seed.

        None where a seed's base has no gap to close.
        """
        pairs = list(self._pairs(world, method, arm, key, self.study.base))
        if not pairs or any(base <= 0 for _, base in pairs):
            return None
        return over_seeds([100 * (1 - treated / base) for treated, base in pairs])

    def gain_kept(
        self, world: str, method: str, arm: str, exact: str, key: str = 'mixed_rand'
    ) -> Estimate | None:
        """The share of another arm's gain over the base that this arm has, in percent.

        Seed by seed; None where that arm gains nothing in some seed, or where the interval
        of its gain is wider than the gain: a share of that would say nothing.
        """
        base, rows = self.study.base, self.scores.get((world, method, arm), {})
        gains = {
            name: {
                seed: treated - plain
                for seed, treated, plain in self._paired_seeds(world, method, name, key, base)
            }
            for name in (arm, exact)
        }
        seeds = [seed for seed in rows if seed in gains[arm] and seed in gains[exact]]
        if not seeds or any(gains[exact][seed] <= 0 for seed in seeds):
            return None
        gain = over_seeds([gains[exact][seed] for seed in seeds])
        if gain.high - gain.low > gain.mean:
            return None
        return over_seeds([100 * gains[arm][seed] / gains[exact][seed] for seed in seeds])

    def _pairs(
        self, world: str, method: str, arm: str, key: str, base: str
    ) -> Iterator[tuple[float, float]]:
        for _, treated, plain in self._paired_seeds(world, method, arm, key, base):
            yield treated, plain

    def _paired_seeds(
        self, world: str, method: str, arm: str, key: str, base: str
    ) -> Iterator[tuple[int, float, float]]:
        rows = self.scores.get((world, method, arm), {})
        bases = self.scores.get((world, method, base), {})
        for seed in sorted(rows.keys() & bases.keys()):
            treated, plain = rows[seed].get(key), bases[seed].get(key)
            if treated is not None and plain is not None:
                yield seed, treated, plain

    def to_json(self) -> dict[str, Any]:
        """Scores and folders by ``world/method/arm/seed``, and all estimates."""
        keys = sorted(
            {key for rows in self.scores.values() for row in rows.values() for key in row}
        )
        estimates: dict[str, Any] = {}
        for world, method, arm in self.scores:
            found = {
                key: (
                    self.estimate(world, method, arm, key),
                    self.difference(world, method, arm, key),
                )
                for key in keys
            }
            estimates[f'{world}/{method}/{arm}'] = {
                key: {
                    'value': value.to_json(),
                    'minus_base': difference.to_json() if difference else None,
                }
                for key, (value, difference) in found.items()
                if value
            }
        return {
            'format': 1,
            'title': self.study.title,
            'base': self.study.base,
            'control': self.study.control,
            'runs': {
                '/'.join(place) + f'/{seed}': dict(row)
                for place, rows in self.scores.items()
                for seed, row in rows.items()
            },
            'folders': dict(self.folders),
            'estimates': estimates,
        }


def collect(
    study: Study, jobs: Sequence[Job], known: Mapping[str, Scores] | None = None
) -> Results:
    """The results of the runs that are done, here or elsewhere.

    Args:
        study: The study.
        jobs: Its jobs.
        known: Scores of runs made elsewhere, by their folders' names; those of a run that is
            done here do not count. Defaults to None.

    Raises:
        ValueError: A result is damaged; it says which file to delete.
    """
    found: dict[tuple[str, str, str], dict[int, dict[str, float | None]]] = {}
    folders: dict[str, str] = {}
    by_name = {job.name: job for job in jobs}
    for job in jobs:
        if job.run is None:
            continue
        if job.is_done:
            row = _row(job, [by_name[need] for need in job.needs])
        elif known and job.folder.name in known:
            row = dict(known[job.folder.name])
        else:
            continue
        found.setdefault(job.run[:3], {})[job.run.seed] = row
        folders[job.run.name] = job.folder.name
    for (world, method, arm), rows in found.items():
        if study.arms[arm].uniform:
            continue
        controls = found.get((world, method, study.control or ''), {})
        for seed, row in rows.items():
            gap, control = row.get('bg_gap'), controls.get(seed, {}).get('bg_gap')
            row['net_gap'] = None if gap is None or control is None else gap - control
    return Results(study=study, scores=found, folders=folders)


def _row(job: Job, needs: Sequence[Job]) -> dict[str, float | None]:
    content = read_result(job)
    row = dict(content['scores'])
    row['minutes'] = content.get('minutes')
    if 'feature_std' in content:
        row['projection_spread'] = 100 * content['feature_std']
    for need in needs:
        if need.name.startswith('masks ') and need.is_done:
            quality = read_result(need)
            row.update({f'mask_{key}': quality[key] for key in ('iou', 'kept', 'removed')})
    return row
