"""What fine-tunings found: APs by config, weights and seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..jobs import Job, read_result
from ..statistics import Estimate, over_seeds, paired_difference
from .plan import UNTRAINED

#: What evaluators call the APs → heading, factor to percent.
METRICS = {
    'pascal_voc/AP': ('AP', 1.0),
    'pascal_voc/AP50': ('AP50', 1.0),
    'pascal_voc/AP75': ('AP75', 1.0),
    'coco/bbox_mAP': ('box AP', 100.0),
    'coco/bbox_mAP_50': ('box AP50', 100.0),
    'coco/bbox_mAP_75': ('box AP75', 100.0),
    'coco/segm_mAP': ('mask AP', 100.0),
    'coco/segm_mAP_50': ('mask AP50', 100.0),
    'coco/segm_mAP_75': ('mask AP75', 100.0),
}


@dataclass(kw_only=True)
class Transfer:
    """APs of all trials that are done, in percent.

    Attributes:
        scores: (config, weights) → seed → heading → AP; in the order of the plan.
        minutes: The same places → seed → minutes of training, where known.
    """

    scores: dict[tuple[str, str], dict[int, dict[str, float]]] = field(default_factory=dict)
    minutes: dict[tuple[str, str], dict[int, float]] = field(default_factory=dict)

    @property
    def configs(self) -> list[str]:
        return list(dict.fromkeys(config for config, _ in self.scores))

    def weights(self, config: str) -> list[str]:
        """Those that have a result with this config."""
        return [name for place, name in self.scores if place == config]

    def trained(self, config: str) -> list[str]:
        """Those of them that were trained."""
        return [name for name in self.weights(config) if name != UNTRAINED]

    def headings(self, config: str) -> list[str]:
        """The APs that some trial of this config has."""
        rows = [
            row
            for (place, _), seeds in self.scores.items()
            if place == config
            for row in seeds.values()
        ]
        return [name for name, _ in METRICS.values() if any(name in row for row in rows)]

    def estimate(self, config: str, weights: str, heading: str) -> Estimate | None:
        """Over the seeds; None where there is none."""
        rows = self.scores.get((config, weights), {}).values()
        values = [row[heading] for row in rows if heading in row]
        return over_seeds(values) if values else None

    def difference(self, config: str, weights: str, heading: str, other: str) -> Estimate | None:
        """Minus that of other weights, on the seeds that both have; None where there is none."""
        treated = self.scores.get((config, weights), {})
        plain = self.scores.get((config, other), {})
        pairs = [
            (treated[seed][heading], plain[seed][heading])
            for seed in sorted(treated.keys() & plain.keys())
            if heading in treated[seed] and heading in plain[seed]
        ]
        return paired_difference(*zip(*pairs, strict=True)) if pairs else None

    def to_json(self) -> dict[str, Any]:
        """APs by ``config/weights/seed``, and the estimates."""
        estimates: dict[str, Any] = {}
        for config, weights in self.scores:
            trained = self.trained(config)
            earlier = trained[: trained.index(weights)] if weights in trained else []
            for heading in self.headings(config):
                value = self.estimate(config, weights, heading)
                if value is None:
                    continue
                minus = {
                    name: difference.to_json()
                    for name in earlier
                    if (difference := self.difference(config, weights, heading, name))
                }
                estimates.setdefault(f'{config}/{weights}', {})[heading] = {
                    'value': value.to_json(),
                    'minus': minus,
                }
        return {
            'format': 1,
            'trials': {
                f'{config}/{weights}/{seed}': {
                    **row, 'minutes': self.minutes.get((config, weights), {}).get(seed),
                }
                for (config, weights), rows in self.scores.items()
                for seed, row in rows.items()
            },
            'estimates': estimates,
        }  # fmt: skip


def collect(jobs: Sequence[Job]) -> Transfer:
    """The results of the trials that are done.

    Raises:
        ValueError: A result is damaged.
    """
    found = Transfer()
    for job in jobs:
        if job.run is None or not job.is_done:
            continue
        content = read_result(job)
        row = percent(content.get('metrics') or {})
        place = (job.run.config, job.run.weights)
        found.scores.setdefault(place, {})[job.run.seed] = row
        if content.get('minutes') is not None:
            found.minutes.setdefault(place, {})[job.run.seed] = content['minutes']
    return found


def percent(metrics: Mapping[str, float]) -> dict[str, float]:
    """The APs by heading, of all that evaluators told."""
    return {
        heading: factor * metrics[key]
        for key, (heading, factor) in METRICS.items()
        if key in metrics
    }
