"""Masks made with other settings are not mixed."""

from pathlib import Path

import pytest

from bgaug_mm.saliency.mask_settings import require_settings


def settings(**estimator):
    return {'estimator': {'type': 'onnx', **estimator}, 'threshold': None}


def test_same_and_other_settings(tmp_path: Path) -> None:
    path = tmp_path / 'out/_report/settings.json'
    require_settings(path, settings(size=400, mean=(1, 2)))
    before = path.read_bytes()
    require_settings(path, settings(mean=(1, 2), size=400))
    assert path.read_bytes() == before
    with pytest.raises(
        ValueError,
        match=r"out' were made with other settings \(estimator.size was 400, now 300; "
        r'threshold was None, now 0.5\).*--overwrite',
    ):
        require_settings(path, {**settings(size=300, mean=(1, 2)), 'threshold': 0.5})
    with pytest.raises(ValueError, match='estimator.size was 400, now None'):
        require_settings(path, settings(mean=(1, 2)))


def test_weights_count_by_their_content(tmp_path: Path) -> None:
    path, weights = tmp_path / 'settings.json', tmp_path / 'net.onnx'
    weights.write_bytes(b'weights')
    require_settings(path, settings(path=str(weights)))
    require_settings(path, settings(path=str(weights)))
    weights.write_bytes(b'other weights')
    with pytest.raises(ValueError, match="sha256.path was '"):
        require_settings(path, settings(path=str(weights)))


def test_damaged(tmp_path: Path) -> None:
    (tmp_path / 'settings.json').write_text('{')
    with pytest.raises(ValueError, match="settings.json' is damaged .*--overwrite"):
        require_settings(tmp_path / 'settings.json', settings())
