#!/usr/bin/env python
"""The table of recipes (docs/recipes.md) and the model index (configs/metafile.yml).

Both are read off the configs, so they say what the configs do:

    python tools/analysis_tools/recipe_table.py

A recipe's sources and our own choices are its comment lines that begin with
``# Source:`` and ``# Ours:``, and those of its local bases.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.datasets.view_pipelines import (  # noqa: E402
    GEOMETRIC,
    is_background_op,
    per_view,
    short_type,
)
from bgaug_mm.files import write_bytes  # noqa: E402

CONFIGS = ROOT / 'configs'
HEAD = """# Recipes

Made by `python tools/analysis_tools/recipe_table.py` from the configs. Each recipe is
upstream's config (base) plus the difference; the mmpretrain twin has the same name in
`configs/mmpretrain/`. Masks are soft and lie in `data/imagenet/train_masks` unless said
otherwise; the operations leave views alone whose foreground covers less than 5% or more than
95% (`min_foreground`, `max_foreground`). The papers' section numbers are not given, because
we know their contents from abstracts, released code and quotations.
"""
META_HEAD = """# What mim and `bgaug_mm::…` list. Made by tools/analysis_tools/recipe_table.py.
Collections:
  - Name: BackgroundAugmentations
    Metadata:
      Training Data: ImageNet-1k
      Architecture:
        - ResNet
    Paper:
      URL: https://arxiv.org/abs/2103.12719
      Title: "Characterizing and Improving the Robustness of Self-Supervised Learning \
through Background Augmentations"
    README: README.md

Models:
"""


def recipes() -> list[Path]:
    """The recipes, relative to configs/."""
    found = [*CONFIGS.glob('*.py'), *CONFIGS.glob('mmpretrain/*.py')]
    return sorted(path.relative_to(CONFIGS) for path in found)


def bases(path: Path) -> list[str]:
    """The entries of a config file's ``_base_``."""
    match = re.search(r"^_base_ = (\[.*?\]|'.*?')", path.read_text(), re.M | re.S)
    return re.findall(r"'(.+?)'", match[1]) if match else []


def local_files(path: Path) -> Iterator[Path]:
    """A config file and its bases in this repository."""
    yield path
    for base in bases(path):
        if '::' not in base:
            yield from local_files((path.parent / base).resolve())


def upstream(path: Path) -> str:
    """The base config in another package; 'bgaug_mm' for a recipe of our own algorithms."""
    found = (base for file in local_files(path) for base in bases(file) if '::' in base)
    return next((base for base in found if 'default_runtime' not in base), 'bgaug_mm')


def notes(path: Path, word: str) -> str:
    """What the comment lines ``# <word>: …`` of a config and its local bases say."""
    texts = (file.read_text() for file in local_files(path))
    note = rf'^# {word}: (.+(?:\n# (?!Source:|Ours:).+)*)'
    found = (part for text in texts for part in re.findall(note, text, re.M))
    return ' '.join(dict.fromkeys(part.replace('\n# ', ' ') for part in found))


def _operation(op: Mapping[str, Any]) -> str:
    """One background operation in words."""
    what = op.get('fill') or short_type(op.get('background') or {'type': 'RecentBackground'})
    edit = ', '.join(f'{key} {value}' for key, value in op.get('mask_edit', {}).items())
    return f'{short_type(op)} ({what}), p {op["prob"]}' + (f', mask {edit}' if edit else '')


def _place(view: list[dict[str, Any]]) -> str:
    """Where in a view the operation stands."""
    names = [short_type(step) for step in view]
    at = next(i for i, step in enumerate(view) if is_background_op(step))
    if at < names.index('RandomResizedCrop'):
        return 'before the crop'
    before = all(name in GEOMETRIC for name in names[:at])
    return 'before the photometric ops' if before else 'after the photometric ops'


def describe(config: Config) -> tuple[str, str]:
    """What a recipe does, and to which views."""
    pipeline = config.train_dataloader.dataset.pipeline
    multi_view = next(step for step in pipeline if short_type(step) == 'MultiView')
    views = per_view(multi_view)
    treated = [view for view in views if any(is_background_op(step) for step in view)]
    preprocessor = config.model.get('data_preprocessor') or {}
    what, which = [], ''
    if treated:
        op = next(step for step in treated[0] if is_background_op(step))
        what.append(_operation(op))
        which = f'{len(treated)} of {len(views)}, {_place(treated[0])}'
    elif preprocessor.get('background_op'):
        what.append(_operation(preprocessor.background_op))
        chosen = preprocessor.views
        count = len(views) if chosen == 'all' else len(chosen)
        which = f'{count} of {len(views)}, on the device'
    if short_type(config.model) == 'MatchedNegativesMoCo':
        what.append(f'{config.model.get("num_matched", 1)} matched negative')
    hooks = [h for h in config.get('custom_hooks', []) if 'HardViewSelection' in h['type']]
    if hooks:
        what.append(f'the hardest {hooks[0].get("num_views_out", 2)} of {len(views)} candidates')
        which = which or f'{len(views)} candidates'
    if short_type(config.model) == 'ImageMixture':
        what.append(f'image mixture ({config.model.mixture})')
        which = f'{len(views)} of {len(views)}, on the device'
    return ' + '.join(what) or 'none: the algorithm itself', which or f'{len(views)} views'


def table() -> str:
    """The page docs/recipes.md."""
    rows = [
        '| recipe | base | operation | views | masks | source | our choice |',
        '|---|---|---|---|---|---|---|',
    ]
    for name in recipes():
        path = CONFIGS / name
        config = Config.fromfile(str(path))
        what, views = describe(config)
        masks = 'soft' if 'SaliencyMaskDataset' in config.train_dataloader.dataset.type else 'none'
        link = f'[{name.with_suffix("")}](../configs/{name})'
        base = upstream(path)
        shown = f'{base.split("::")[0]}::…/{base.rsplit("/")[-1]}' if '::' in base else base
        rows.append(
            f'| {link} | `{shown}` | {what} | {views} '
            f'| {masks} | {notes(path, "Source")} | {notes(path, "Ours")} |'
        )
    return HEAD + '\n' + '\n'.join(rows) + '\n'


def metafile() -> str:
    """The text of configs/metafile.yml."""
    entries = []
    for name in recipes():
        config = Config.fromfile(str(CONFIGS / name))
        entries.append(
            f'  - Name: {"_".join(name.with_suffix("").parts)}\n'
            '    In Collection: BackgroundAugmentations\n'
            '    Metadata:\n'
            f'      Epochs: {config.train_cfg.max_epochs}\n'
            '    Results: null\n'
            f'    Config: configs/{name}\n'
        )
    return META_HEAD + ''.join(entries)


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.parse_args()
    write_bytes(ROOT / 'docs' / 'recipes.md', table().encode())
    write_bytes(CONFIGS / 'metafile.yml', metafile().encode())


if __name__ == '__main__':
    main()
