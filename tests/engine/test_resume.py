"""Which checkpoint an interrupted run goes on from."""

import os
from pathlib import Path
from unittest.mock import Mock

import pytest
import torch

from bgaug_mm.engine.resume import choose_resume_checkpoint


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    """Three checkpoints; ``last_checkpoint`` names the third."""
    for epoch in (1, 2, 3):
        path = tmp_path / f'epoch_{epoch}.pth'
        torch.save(dict(epoch=epoch), path)
        os.utime(path, (epoch, epoch))
    (tmp_path / 'last_checkpoint').write_text(str(tmp_path / 'epoch_3.pth'))
    return tmp_path


def chosen(work_dir: Path) -> str | None:
    path = choose_resume_checkpoint(str(work_dir))
    return path and os.path.basename(path)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def test_the_one_that_was_noted(work_dir):
    assert chosen(work_dir) == 'epoch_3.pth'
    (work_dir / 'last_checkpoint').write_text(str(work_dir / 'epoch_1.pth'))
    assert chosen(work_dir) == 'epoch_1.pth'


@pytest.mark.parametrize('note', ['', 'elsewhere/epoch_9.pth', None])
def test_note_is_empty_wrong_or_gone(work_dir, note):
    """Killed between opening and writing it; a work dir that was moved; copied files."""
    if note is None:
        (work_dir / 'last_checkpoint').unlink()
    else:
        (work_dir / 'last_checkpoint').write_text(note)
    assert chosen(work_dir) == 'epoch_3.pth'


def test_cut_short(work_dir):
    cut(work_dir / 'epoch_3.pth')
    assert chosen(work_dir) == 'epoch_2.pth'
    (work_dir / 'epoch_2.pth').unlink()
    assert chosen(work_dir) == 'epoch_1.pth'


def test_none_is_left(work_dir, tmp_path_factory, monkeypatch):
    said = Mock()
    monkeypatch.setattr('bgaug_mm.engine.resume.print_log', said)
    assert choose_resume_checkpoint(str(tmp_path_factory.mktemp('new'))) is None
    for path in work_dir.glob('*.pth'):
        cut(path)
    assert choose_resume_checkpoint(str(work_dir)) is None
    said.assert_called_once()
    assert said.call_args[0][0].startswith(f'No complete checkpoint in {work_dir}')
