"""Which mask belongs to which image: rules and lists."""

from __future__ import annotations

import os
import string
from pathlib import Path

#: Folder of reports among the masks, which holds none.
REPORT_FOLDER = '_report'

_FIELDS = ('dir', 'stem', 'ext')


def default_mask_root(image_root: str) -> str:
    """The folder beside the images whose name has ``_masks`` behind it."""
    root = image_root.rstrip('/')
    if os.path.basename(root) in ('', '.', '..'):
        root = os.path.abspath(image_root)
    return f'{root}_masks'


def check_name_rule(rule: str) -> str:
    """A rule that uses nothing but the three fields, or ValueError."""
    problem = ''
    try:
        # no attribute, index, conversion or format: the rule comes from a config
        for _, field, spec, conversion in string.Formatter().parse(rule):
            if field is not None and (field not in _FIELDS or spec or conversion):
                problem = f'has the field {{{field}}}'
    except ValueError as error:
        problem = str(error)
    if not problem and '{stem}' not in rule:
        problem = 'has no {stem}'
    if problem:
        raise ValueError(
            "`name_rule` must be made of {dir}, {stem} and {ext}, like '{dir}/{stem}_mask.png', "
            f'but {rule!r} {problem}'
        )
    return rule


def read_mask_list(list_file: str) -> dict[str, str]:
    """Read a list of image and mask paths.

    Raises:
        ValueError: With the number of the line, for a line without two columns, an
            image with two masks, a mask of two images; for an unreadable or empty file.
    """
    try:
        lines = Path(list_file).read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"`list_file` '{list_file}' cannot be read: {error}") from error
    masks: dict[str, str] = {}
    owners: dict[str, str] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        separator = '\t' if '\t' in line else ',' if ',' in line else None
        columns = [column.strip() for column in line.split(separator)]
        where = f'{list_file}, line {number}'
        if len(columns) != 2 or not all(columns):
            raise ValueError(
                f'{where}: must hold an image path and a mask path, separated by a tab, a comma '
                f'or blanks, but got {line!r}'
            )
        image, mask = columns
        if masks.setdefault(image, mask) != mask:
            raise ValueError(f"{where}: image '{image}' has another mask already, '{masks[image]}'")
        if owners.setdefault(mask, image) != image:
            raise ValueError(f"{where}: mask '{mask}' belongs to another image, '{owners[mask]}'")
    if not masks:
        raise ValueError(f"`list_file` '{list_file}' is empty")
    return masks
