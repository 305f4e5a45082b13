import argparse
import json
import os

import numpy as np
import pytest

from bgaug_mm.datasets.worlds import add_world_options, make_world
from bgaug_mm.datasets.worlds.command import correlation


class Source:
    """Two classes, four backgrounds, nothing to see."""

    classes = ('a', 'b')
    backgrounds = ('w', 'x', 'y', 'z')

    def foreground(self, rng, fold, label):
        return np.zeros((16, 16, 3), np.uint8), np.zeros((16, 16), np.uint8)

    def background(self, rng, fold, background):
        return np.full((16, 16, 3), background, np.uint8)


def run(out, *options, source=Source, **more):
    parser = argparse.ArgumentParser()
    add_world_options(parser, per_class=3, test_per_class=2)
    args = parser.parse_args([str(out), '--size', '16', *options])
    make_world('maker', args, source, **more)


def test_correlation():
    assert correlation('0.25') == 0.25
    assert correlation('uniform') is None
    with pytest.raises(ValueError, match='even'):
        correlation('even')


def test_world_manifest_and_progress(tmp_path, capsys):
    out = tmp_path / 'world'
    run(
        out, '--rho', 'uniform', '--seed', '1',
        recorded=lambda source: {'more': 1},
        noted=lambda source: {'note': 'n'},
        challenge=True,
    )  # fmt: skip
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['maker'] == 'maker'
    assert manifest['args'] == {
        'size': 16, 'seed': 1, 'rho': 0.25, 'per_class': 3, 'test_per_class': 2, 'more': 1
    }  # fmt: skip
    assert manifest['pairing'] == {'a': 'x', 'b': 'y'}
    assert manifest['note'] == 'n'
    assert (out / 'samples.png').is_file()
    total = 2 * (3 + 2 * (7 + 1 + 4))
    assert f'images {total}/{total} (100.0%)' in capsys.readouterr().err
    run(out, '--rho', '0.25', '--seed', '1', recorded=lambda source: {'more': 1}, challenge=True)
    assert 'already there' in capsys.readouterr().out


def test_without_challenge_there_is_no_picture(tmp_path):
    run(tmp_path / 'world')
    assert not (tmp_path / 'world/samples.png').exists()
    assert not (tmp_path / 'world/adversarial').exists()


def test_an_interruption_and_an_error_are_one_line_and_leave_nothing(tmp_path):
    class Interrupted(Source):
        def background(self, rng, fold, background):
            raise KeyboardInterrupt

    class Broken(Source):
        def background(self, rng, fold, background):
            raise ValueError('sand.jpg is not an image')

    for source, message in (
        (Interrupted, 'maker: interrupted; nothing was written'),
        (Broken, r'maker: sand\.jpg is not an image'),
    ):
        with pytest.raises(SystemExit, match=message):
            run(tmp_path / 'world', source=source)
        assert os.listdir(tmp_path) == []
