import numpy as np
import pytest
from PIL import Image

from bgaug_mm.evaluation.study.plot import plot_study
from bgaug_mm.evaluation.study.results import Results
from bgaug_mm.evaluation.study.spec import Arm, Method, Study, World


def results(worlds=('a', 'b'), net=20.0, masks=True):
    study = Study(
        config='x',
        worlds={name: World(make='x', uniform=0.1) for name in ('a', 'b')},
        methods={'m': Method(seeds=2)},
        arms={
            'plain': Arm(),
            'control': Arm(uniform=True),
            'swap': Arm(op='x'),
            'swap.box': Arm(op='x', masks={'as_box': True}),
        },
    )
    row = {'bg_gap': 30.0, 'net_gap': net, 'mixed_rand': 50.0}
    return Results(
        study=study,
        scores={
            (world, 'm', arm): {0: row, 1: {**row, 'mixed_rand': 55.0}}
            for world in worlds
            for arm in study.arms
            if masks or '.' not in arm
        },
    )


def test_a_panel_a_world_and_measure(tmp_path):
    plot_study(results(), tmp_path / 'two.png')
    plot_study(results(['a'], net=None, masks=False), tmp_path / 'one.png')
    two, one = (Image.open(tmp_path / f'{name}.png') for name in ('two', 'one'))
    assert two.size[0] > 1.4 * one.size[0] and two.size[1] > 1.3 * one.size[1]
    assert len(np.unique(np.asarray(one.convert('RGB')).reshape(-1, 3), axis=0)) > 20
    with pytest.raises(ValueError, match='nothing to draw: no results'):
        plot_study(results([]), tmp_path / 'none.png')
