import json
import os

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.files import write_bytes, write_image, write_json


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


def test_json_and_image(tmp_path):
    write_json(tmp_path / 'a.json', {'x': [1, None]})
    assert json.loads((tmp_path / 'a.json').read_text()) == {'x': [1, None]}
    image = np.random.default_rng(0).integers(0, 256, (4, 5, 3)).astype(np.uint8)
    write_image(tmp_path / 'a.png', image)
    assert (np.asarray(Image.open(tmp_path / 'a.png')) == image).all()
