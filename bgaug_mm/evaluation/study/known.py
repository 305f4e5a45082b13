"""Scores of runs that were made elsewhere."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from .results import Scores


def read_known(paths: Iterable[str | os.PathLike[str]]) -> dict[str, Scores]:
    """Scores of runs from the ``results.json`` of studies in other folders or on other machines.

    Args:
        paths: The files; where two have the same run, the first one counts.

    Returns:
        dict[str, Scores]: By the name of the run's folder, which holds a digest of all
        settings: what is known of a run holds for one with the same settings only. What
        a folder of raw material (``--source``) held is no part of them.

    Raises:
        ValueError: A file cannot be read, or is no ``results.json`` that names folders.
    """
    known: dict[str, Scores] = {}
    for path in paths:
        try:
            with open(path, encoding='utf-8') as file:
                content = json.load(file)
            folders, runs = content['folders'], content['runs']
            for name, folder in folders.items():
                known.setdefault(folder, _scores(runs[name]))
        except OSError as error:
            raise ValueError(f'`--known {path}` cannot be read: {error.strerror}') from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(
                f'`--known {path}` is no results.json of a study with `runs` and their `folders` '
                f'({type(error).__name__}: {error})'
            ) from error
    return known


def _scores(row: dict[str, float | None]) -> Scores:
    for key, value in row.items():
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, float))):
            raise ValueError(f'{key} is {value!r}, no number')
    # which depends on the control's run, known or not
    return {key: value for key, value in row.items() if key != 'net_gap'}
