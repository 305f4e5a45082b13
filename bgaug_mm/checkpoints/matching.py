"""Weights of a file against the modules that are to have them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from .architecture import describe
from .picking import pick_backbone

#: Of BN.
_COUNTER = '.num_batches_tracked'
NAME_THE_CONFIG = 'Name the config the checkpoint was trained with (--config)'


@dataclass(frozen=True)
class Matching:
    """Names on both sides.

    Attributes:
        matched (tuple[str, ...]): In both, with one shape.
        missing (tuple[str, ...]): Of the modules alone, or with another shape in the file.
        unexpected (tuple[str, ...]): Of the file alone, or with another shape in the modules.
        optional (tuple[str, ...]): Of the modules alone, and may be: counters of BN, which
            older checkpoints do not have, and new layers.
        partial (tuple[str, ...]): Those of ``unexpected`` that belong to a part of which the
            modules have other weights: the file's ``layer3.5.…`` where there is a shorter
            ``layer3``.
    """

    matched: tuple[str, ...]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    optional: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every weight has its place, but for whole parts of the file."""
        return bool(self.matched) and not self.missing and not self.partial

    def table(self) -> str:
        """How many names of each part, e.g. ``layer1``, are in which group."""
        columns = ('matched', 'missing', 'unexpected', 'optional')
        groups = [[key.partition('.')[0] for key in getattr(self, name)] for name in columns]
        parts = dict.fromkeys(sorted(part for group in groups for part in group))
        rows = [['', *columns]]
        rows += [[part, *(str(group.count(part)) for group in groups)] for part in parts]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        return '\n'.join(
            '  '.join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
            for row in rows
        )


def match_weights(
    modules: nn.Module | Sequence[nn.Module],
    weights: Mapping[str, Tensor],
    *,
    new: Sequence[str] = (),
) -> Matching:
    """Compare names and shapes.

    Args:
        modules (nn.Module | Sequence[nn.Module]): One module, or several that share out the
            weights by their own names: a backbone up to ``layer3``, and a head with ``layer4``.
        weights (Mapping[str, Tensor]): By name.
        new (Sequence[str]): Parts of the modules, by name, that no file has.
    """
    wanted = _wanted(modules)
    matched = {key for key in wanted if _shape(weights.get(key)) == _shape(wanted[key])}
    rest = wanted.keys() - matched
    optional = {
        key for key in rest if key.endswith(_COUNTER) or _is_below(key, new)
    } - weights.keys()
    unexpected = weights.keys() - matched
    parts = {key.partition('.')[0] for key in wanted}
    partial = {key for key in unexpected if key.partition('.')[0] in parts}
    groups = (matched, rest - optional, unexpected, optional, partial)
    return Matching(*(tuple(sorted(group)) for group in groups))


def load_backbone_weights(
    backbone: nn.Module | Sequence[nn.Module],
    content: Mapping[str, Any],
    source: str,
    *,
    which: str = 'auto',
    new: Sequence[str] = (),
    remedy: str = NAME_THE_CONFIG,
) -> Matching:
    """Load one backbone of a checkpoint.

    Args:
        backbone (nn.Module | Sequence[nn.Module]): Is changed; left as it was when there is an
            error. See :func:`match_weights` for several modules.
        content (Mapping[str, Any]): What the file holds, or weights by name.
        source (str): The file, for errors.
        which (str): See :func:`~bgaug_mm.checkpoints.pick_backbone`.
        new (Sequence[str]): See :func:`match_weights`.
        remedy (str): What to do, for errors.

    Raises:
        ValueError: If there is no such network in the file; if none or only some of the
            weights match, with those of both sides and the likely reason.
    """
    weights = pick_backbone(content, which=which, source=source)
    return load_weights(backbone, weights, source, what='backbone', new=new, remedy=remedy)


def load_weights(
    modules: nn.Module | Sequence[nn.Module],
    weights: Mapping[str, Tensor],
    source: str,
    *,
    what: str,
    new: Sequence[str] = (),
    remedy: str,
) -> Matching:
    """Load all weights of modules; the file may hold further parts, but not less.

    Args:
        modules (nn.Module | Sequence[nn.Module]): Are changed; left as they were when there is
            an error.
        weights (Mapping[str, Tensor]): By name; without the counters of BN is enough.
        source (str): The file, for errors.
        what (str): What the modules are, for errors.
        new (Sequence[str]): See :func:`match_weights`.
        remedy (str): What to do, for errors.

    Raises:
        ValueError: If none or only some of the weights match, with those of both sides and
            the likely reason.
    """
    matching, wanted = match_weights(modules, weights, new=new), _wanted(modules)
    if not matching.complete:
        raise ValueError(
            f'{source}: {len(_counted(matching.matched))} of the {len(_counted(wanted))} {what} '
            'weights match. '
            f'Unmatched in the {what}: {_some(matching.missing, wanted)}. '
            f'Unused in the file: {_some(matching.unexpected, weights)}. '
            f'{_reason(wanted, weights, what)}{remedy}'
        )
    for module in _listed(modules):
        own = {key: weights[key] for key in module.state_dict() if key in matching.matched}
        module.load_state_dict(own, strict=False)
    return matching


def _reason(wanted: Mapping[str, Tensor], weights: Mapping[str, Tensor], what: str) -> str:
    """The likely reason for which weights do not match, as a sentence, or nothing."""
    there, here = describe(weights), describe(wanted)
    if there and here and there != here:
        return f'The file holds {there}; the {what} is {here}. '
    keys = _counted(wanted)
    end = f'.{keys[0]}' if keys else ''
    for name in (key.removesuffix(end) for key in weights if end and key.endswith(end)):
        if all(f'{name}.{key}' in weights for key in keys):
            return f'The file has them under the name {name}: choose it with which={name}. '
    shared = wanted.keys() & weights.keys()
    if any(_shape(wanted[key]) != _shape(weights[key]) for key in shared):
        return 'Names agree, shapes do not: another width, image size or kernel size. '
    return '' if shared else 'No name agrees: another architecture, or no backbone. '


def _listed(modules: nn.Module | Sequence[nn.Module]) -> Sequence[nn.Module]:
    return [modules] if isinstance(modules, nn.Module) else modules


def _wanted(modules: nn.Module | Sequence[nn.Module]) -> dict[str, Tensor]:
    return {k: v for module in _listed(modules) for k, v in module.state_dict().items()}


def _counted(keys: Iterable[str]) -> list[str]:
    """Without the counters of BN, in order."""
    return sorted(key for key in keys if not key.endswith(_COUNTER))


def _is_below(key: str, parts: Iterable[str]) -> bool:
    return any(key == part or key.startswith(f'{part}.') for part in parts)


def _shape(value: Any) -> tuple[int, ...] | None:
    return tuple(value.shape) if isinstance(value, Tensor) else None


def _some(keys: Iterable[str], values: Mapping[str, Any], count: int = 4) -> str:
    """The first names with their shapes, and how many there are more."""
    keys = _counted(keys) or sorted(keys)
    named = [f'{key} {_shape(values[key]) or ""}'.rstrip() for key in keys[:count]]
    rest = f' and {len(keys) - count} more' if len(keys) > count else ''
    return (', '.join(named) or 'none') + rest
