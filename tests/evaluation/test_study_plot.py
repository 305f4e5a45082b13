import numpy as np
import pytest
from PIL import Image

from bgaug_mm.evaluation.study import Arm, Method, Study, World
from bgaug_mm.evaluation.study_plot import plot
from bgaug_mm.evaluation.study_results import Results


def results(worlds=('a', 'b'), net=20.0):
    study = Study(
        config='x',
        worlds={name: World(make='x', uniform=0.1) for name in ('a', 'b')},
        methods={'m': Method(seeds=2)},
        arms={'plain': Arm(), 'control': Arm(uniform=True), 'swap': Arm(op='x')},
    )
    row = {'bg_gap': 30.0, 'net_gap': net, 'mixed_rand': 50.0}
    return Results(
        study=study,
        scores={
            (world, 'm', arm): {0: row, 1: {**row, 'mixed_rand': 55.0}}
            for world in worlds
            for arm in study.arms
        },
    )


def test_a_panel_a_world_and_measure(tmp_path):
    plot(results(), tmp_path / 'two.png')
    plot(results(['a'], net=None), tmp_path / 'one.png')
    two, one = (Image.open(tmp_path / f'{name}.png') for name in ('two', 'one'))
    assert two.size[0] > 1.7 * one.size[0]
    assert len(np.unique(np.asarray(one.convert('RGB')).reshape(-1, 3), axis=0)) > 20
    with pytest.raises(ValueError, match='nothing to draw: no results'):
        plot(results([]), tmp_path / 'none.png')
