"""docs/recipes.md and configs/metafile.yml say what the configs say."""

import runpy
from types import SimpleNamespace

import pytest


@pytest.fixture(scope='module')
def tool(root):
    path = root / 'tools/analysis_tools/recipe_table.py'
    return SimpleNamespace(**runpy.run_path(str(path)))


def test_page_and_model_index_are_up_to_date(tool, root):
    """After a change to the configs: python tools/analysis_tools/recipe_table.py."""
    assert (root / 'docs/recipes.md').read_text() == tool.table()
    assert (root / 'configs/metafile.yml').read_text() == tool.metafile()


def test_every_recipe_has_its_twin_sources_and_choices(tool):
    names = {str(name) for name in tool.recipes()}
    flat = {name for name in names if '/' not in name}
    ours = {name for name in flat if tool.upstream(tool.CONFIGS / name) == 'bgaug_mm'}
    assert {f'mmpretrain/{name}' for name in flat - ours} == names - flat and len(flat) > 20
    for name in names:
        path = tool.CONFIGS / name
        assert tool.notes(path, 'Source') and tool.notes(path, 'Ours'), name


def test_notes_come_from_the_bases_too_and_once(tool, tmp_path):
    (tmp_path / 'base.py').write_text('# A base.\n# Source: one.\n# Ours: two.\n')
    config = tmp_path / 'recipe.py'
    config.write_text(
        "# R.\n# Source: three\n# lines.\n_base_ = [\n    'pkg::a/b.py',\n    'base.py',\n]\n"
    )
    assert tool.notes(config, 'Source') == 'three lines. one.'
    assert tool.notes(config, 'Ours') == 'two.'
    assert tool.upstream(config) == 'pkg::a/b.py'
