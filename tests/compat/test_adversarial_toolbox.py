"""Importing ART leaves logging alone; in a process of its own, which has not imported it."""

import subprocess
import sys

import pytest

CODE = """
import logging, os, sys
handler = logging.FileHandler('run.log')
logging.getLogger('run').addHandler(handler)
{imported}
print(handler.stream is not None)
"""


@pytest.mark.parametrize(
    ('imported', 'open_still'),
    [
        ('import art', False),  # the failing case; without it the remedy can go
        ('from bgaug_mm.compat import import_adversarial_toolbox as f; f(); import art', True),
    ],
)
def test_log_files_stay_open(tmp_path, monkeypatch, imported: str, open_still: bool) -> None:
    pytest.importorskip('art')
    monkeypatch.setenv('HOME', str(tmp_path))
    code = CODE.format(imported=imported)
    done = subprocess.run(
        [sys.executable, '-c', code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == str(open_still)
