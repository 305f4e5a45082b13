"""Rate and time left, for people and for log files."""

import io

import pytest

from bgaug_mm.saliency import progress as module
from bgaug_mm.saliency.progress import Progress


class Clock:
    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, 'time', clock)
    return clock


def test_text(clock: Clock) -> None:
    progress = Progress(10000, name='masks', unit='images', file=io.StringIO())
    assert progress.text() == 'masks 0/10000 (0.0%)'
    clock.now = 10
    progress.advance(25)
    assert progress.text() == 'masks 25/10000 (0.2%), 2.5 images/s, 1:06:30 left'
    progress.advance(9975)
    assert progress.text() == 'masks 10000/10000 (100.0%), 1e+03 images/s, 0:00 left'


def test_a_line_now_and_then(clock: Clock) -> None:
    file = io.StringIO()
    progress = Progress(100, name='masks', unit='images', file=file)
    for _ in range(80):
        clock.now += 0.5
        progress.advance(1)
    progress.close()
    assert len(file.getvalue().splitlines()) == 3  # after 15 s, 30 s and at the end
    assert '\r' not in file.getvalue()


def test_a_bar_on_a_terminal(clock: Clock) -> None:
    file = io.StringIO()
    file.isatty = lambda: True
    progress = Progress(4, name='masks', unit='images', file=file)
    clock.now = 1
    progress.advance(2)
    progress.close()
    assert file.getvalue().startswith('\r[██████████··········] masks 2/4 (50.0%), 2 images/s')
    assert file.getvalue().endswith('\n')


def test_nothing_to_do() -> None:
    file = io.StringIO()
    Progress(0, name='masks', unit='images', file=file).close()
    assert file.getvalue() == 'masks 0/0 (100.0%)\n'
