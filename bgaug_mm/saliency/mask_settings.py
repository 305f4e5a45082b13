"""What the masks of a folder were made with, so that no other ones are mixed in."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bgaug_mm.files import write_json

SETTINGS = 'settings.json'


def require_settings(path: Path, settings: Mapping[str, Any]) -> None:
    """Write the settings of a run, or compare them with those that are there.

    Files that the estimator's options name (weights) count by their sha256.

    Args:
        path (Path): The settings file.
        settings (Mapping): JSON values; ``estimator`` holds the estimator's config.

    Raises:
        ValueError: If the settings differ (naming the differences) or are damaged.
    """
    wanted = json.loads(json.dumps({**settings, 'sha256': _digests(settings['estimator'])}))
    remedy = 'choose another folder, or add --overwrite to delete those masks'
    if not path.exists():
        write_json(path, wanted)
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f"'{path}' is damaged ({error}): {remedy}") from error
    there, now = _flat(found), _flat(wanted)
    differences = [
        f'{key} was {there.get(key)!r}, now {now.get(key)!r}'
        for key in sorted({*there, *now})
        if there.get(key) != now.get(key)
    ]
    if differences:
        raise ValueError(
            f"the masks in '{path.parent.parent}' were made with other settings "
            f'({"; ".join(differences)}): {remedy}'
        )


def _digests(estimator: Mapping[str, Any]) -> dict[str, str]:
    digests = {}
    for key, value in estimator.items():
        if key != 'type' and isinstance(value, str) and os.path.isfile(value):
            digest = hashlib.sha256()
            with open(value, 'rb') as file:
                while block := file.read(1 << 20):
                    digest.update(block)
            digests[key] = digest.hexdigest()
    return digests


def _flat(node: Any, prefix: str = '') -> dict[str, Any]:
    if not isinstance(node, dict):
        return {prefix.rstrip('.'): node}
    return {k: v for key, part in node.items() for k, v in _flat(part, f'{prefix}{key}.').items()}
