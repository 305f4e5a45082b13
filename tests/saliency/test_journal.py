"""The state of a run, through kills and shards."""

import io
from pathlib import Path

import pytest

from bgaug_mm.saliency.journal import FAILURES, SHARES, Journal, read_state, write_final
from bgaug_mm.saliency.mask_maker import Outcome
from bgaug_mm.saliency.worker_pool import WorkError

ODD = 'a b/"é,\n\udcff.jpg'  # a name with all that a format may stumble over


def test_appended_and_read(tmp_path: Path) -> None:
    assert read_state(tmp_path) == {}
    with Journal(tmp_path, (0, 2)) as journal:
        journal.append([Outcome('a.jpg', 0.123457), Outcome(ODD, None, 'it, is "empty"')])
        journal.append([])
        # at once, not when it is closed
        assert read_state(tmp_path) == {'a.jpg': 0.123457, ODD: 'it, is "empty"'}
    with Journal(tmp_path, (0, 2)) as journal:
        journal.append([Outcome(ODD, 1.0)])  # the image was repaired
    assert read_state(tmp_path) == {'a.jpg': 0.123457, ODD: 1.0}


def test_a_line_cut_by_a_kill(tmp_path: Path) -> None:
    with Journal(tmp_path, (0, 1)) as journal:
        journal.append([Outcome('a', 0.25), Outcome('b', 0.5)])
    path = tmp_path / 'journal/0-of-1.jsonl'
    path.write_bytes(path.read_bytes()[:-6])
    assert read_state(tmp_path) == {'a': 0.25}
    with Journal(tmp_path, (0, 1)) as journal:
        journal.append([Outcome('c', 0.75)])
    assert read_state(tmp_path) == {'a': 0.25, 'c': 0.75}


def test_shards_and_final_files(tmp_path: Path) -> None:
    write_final(tmp_path, {'b': 'broken', 'a': 0.5, 'c': 'gone', ODD: 0.25})
    assert (tmp_path / FAILURES).read_text() == 'image,reason\nb,broken\nc,gone\n'
    shares = (tmp_path / SHARES).read_text(errors='replace')
    assert shares.startswith('image,foreground_share\na,0.5\n"a b/""')
    assert read_state(tmp_path) == {'b': 'broken', 'a': 0.5, 'c': 'gone', ODD: 0.25}
    with Journal(tmp_path, (0, 2)) as first, Journal(tmp_path, (1, 2)) as second:
        first.append([Outcome('b', 0.75), Outcome('d', 1.0)])
        second.append([Outcome('d', None, 'an old failure')])
    assert read_state(tmp_path) == {'b': 0.75, 'a': 0.5, 'c': 'gone', 'd': 1.0, ODD: 0.25}


def test_one_process_a_shard(tmp_path: Path) -> None:
    with Journal(tmp_path, (0, 2)) as first, Journal(tmp_path, (1, 2)):
        with pytest.raises(WorkError, match=r"another process .*journal/0-of-2.jsonl' is locked"):
            Journal(tmp_path, (0, 2))
        first.append([Outcome('a', 0.5)])
    with Journal(tmp_path, (0, 2)):
        assert read_state(tmp_path) == {'a': 0.5}


class Half(io.BytesIO):
    """A disk with room for a part."""

    name = 'half'

    def write(self, content) -> int:
        return super().write(content[: len(content) // 2])


def test_full_disk(tmp_path: Path) -> None:
    with Journal(tmp_path, (0, 1)) as journal:
        journal._file.close()
        journal._file = open('/dev/full', 'wb', buffering=0)  # noqa: SIM115
        with pytest.raises(WorkError, match='/dev/full. cannot be written: No space left'):
            journal.append([Outcome('a', 0.5)])
        journal._file.close()
        journal._file = Half()
        with pytest.raises(WorkError, match='half. cannot be written: No space left'):
            journal.append([Outcome('a', 0.5)])
