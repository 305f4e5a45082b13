import errno
import json
import os

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.files import lock, temporary_of, write_bytes, write_image, write_json


def test_write_makes_the_folder_and_replaces(tmp_path):
    path = tmp_path / 'a' / 'b.txt'
    write_bytes(path, b'one')
    write_bytes(path, b'two')
    assert path.read_bytes() == b'two'
    assert os.listdir(path.parent) == ['b.txt']
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'b.txt'
    write_bytes(path, b'one')

    def fail(*_):
        raise OSError('disk full')

    monkeypatch.setattr(os, 'replace', fail)
    with pytest.raises(OSError, match='disk full'):
        write_bytes(path, b'two')
    assert path.read_bytes() == b'one'
    assert os.listdir(tmp_path) == ['b.txt']


def test_an_interruption_just_after_stays_one(tmp_path, monkeypatch):
    replace = os.replace

    def late(*paths):
        replace(*paths)
        raise KeyboardInterrupt  # the signal was handled when the call came back

    monkeypatch.setattr(os, 'replace', late)
    with pytest.raises(KeyboardInterrupt):
        write_bytes(tmp_path / 'b.txt', b'one')
    assert (tmp_path / 'b.txt').read_bytes() == b'one' and os.listdir(tmp_path) == ['b.txt']


def test_a_full_disk_names_the_file(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, 'chmod', full)
    with pytest.raises(OSError, match=r"No space left on device: '.*b\.txt'"):
        write_bytes(tmp_path / 'b.txt', b'one')
    assert not os.listdir(tmp_path)


def test_temporary_files_are_known_by_their_names(tmp_path, monkeypatch):
    names = []
    monkeypatch.setattr(os, 'replace', lambda old, new: names.append(os.path.basename(old)))
    write_bytes(tmp_path / 'b.c.txt', b'one')
    assert [temporary_of(name) for name in names] == ['b.c.txt']
    assert [temporary_of(name) for name in ('b.c.txt', '.b.txt', '.b.Txt12345')] == [None] * 3


def test_lock(tmp_path):
    path = tmp_path / 'x'
    with open(path, 'ab') as file, open(path, 'ab') as other:
        assert lock(file) and not lock(other)
    with open(path, 'ab') as file:
        assert lock(file)


def test_json_and_image(tmp_path):
    write_json(tmp_path / 'a.json', {'x': [1, None]})
    assert json.loads((tmp_path / 'a.json').read_text()) == {'x': [1, None]}
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    write_image(tmp_path / 'a.png', image)
    assert (np.asarray(Image.open(tmp_path / 'a.png')) == image).all()
