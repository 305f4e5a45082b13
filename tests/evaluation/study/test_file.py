import pytest
import yaml

from bgaug_mm.evaluation.study.file import read_study
from bgaug_mm.evaluation.study.spec import Arm

CONTENT = {
    'config': 'x/{method}_{world}.py',
    'worlds': {'a': {'make': 'make.py', 'uniform': 0.1}},
    'methods': {'m': {'seeds': 2}},
    'arms': {'plain': None, 'swap': {'op': 'background_swap', 'prob': 0.5}},
    'masks': {'of': 'swap', 'edits': {'box': {'as_box': True}, 'gs': {'estimator': 'gs'}}},
}


@pytest.fixture
def read(tmp_path):
    def written(**changes):
        content = {key: value for key, value in {**CONTENT, **changes}.items() if value != {}}
        path = tmp_path / 's.yml'
        path.write_text(yaml.safe_dump(content, sort_keys=False))
        return read_study(path)

    return written


def test_masks_make_arms_of_an_arm(read):
    study = read()
    assert list(study.arms) == ['plain', 'swap', 'swap.box', 'swap.gs']
    assert study.arms['plain'] == Arm()
    assert study.arms['swap.gs'] == Arm(
        op='background_swap', prob=0.5, masks={'estimator': 'gs'}, late=True
    )
    assert read(masks={**CONTENT['masks'], 'late': False, 'methods': ['m']}).arms[
        'swap.box'
    ] == Arm(op='background_swap', prob=0.5, masks={'as_box': True}, methods=['m'])


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'wolrds': {'a': 1}}, "unknown ['wolrds']; there are config, worlds, methods"),
        ({'worlds': {'a': {'make': 'make.py'}}}, "['uniform'] is missing in `worlds.a`"),
        ({'methods': {'m': {'seed': 2}}}, "unknown ['seed'] in `methods.m`"),
        ({'methods': {'m': {'seeds': 0}}}, '`methods.m.seeds` must be at least 1, but got 0'),
        ({'methods': {'m': {'seeds': 1, 'epochs': 0}}}, '`methods.m.epochs` must be at least 1'),
        ({'epochs': 'forty'}, "`epochs` must be at least 1, but got 'forty'"),
        ({'methods': {'m/n': {'seeds': 1}}}, "`methods`: the name 'm/n' must be of letters"),
        ({'methods': {'m.n': {'seeds': 1}}}, "`methods`: the name 'm.n' must be of letters"),
        ({'worlds': {'a.b': CONTENT['worlds']['a']}}, "`worlds`: the name 'a.b' must be"),
        ({'arms': {'plain': None, 'swap.2': None}}, "`arms`: the name 'swap.2' must be"),
        (
            {'masks': {'of': 'swap', 'edits': {'box.5': {'as_box': True}}}},
            "`masks.edits`: the name 'box.5' must be of letters",
        ),
        (
            {'masks': {'of': 'swap', 'edits': {'b/x': {'as_box': True}}}},
            "`masks.edits`: the name 'b/x' must be of letters",
        ),
        ({'arms': {'plain': 3}}, '`arms.plain` must be a mapping, but is 3'),
        ({'config': {}}, "['config'] is missing"),
        ({'masks': {'of': 'plain'}}, "`masks.of` must name an arm with an `op`, but got 'plain'"),
        (
            {'arms': {'plain': {'methods': ['z']}}, 'masks': {}},
            "`arms.plain.methods` names ['z'], which are no `methods`",
        ),
    ],
)
def test_what_is_wrong_is_named(read, changes, message):
    with pytest.raises(ValueError) as caught:
        read(**changes)
    assert 's.yml: ' in str(caught.value) and message in str(caught.value)


def test_no_such_file_and_no_yaml(tmp_path):
    with pytest.raises(ValueError, match=r'nothing is neither a file nor a preset \(background'):
        read_study('nothing')
    (tmp_path / 'a.yml').write_text('a: [')
    with pytest.raises(ValueError, match=r'a\.yml: while parsing'):
        read_study(tmp_path / 'a.yml')


def test_the_preset_is_what_was_asked_for():
    study = read_study('background')
    assert {name: method.seeds for name, method in study.methods.items()} == {
        'simclr': 5, 'mocov2': 5, 'byol': 5, 'simsiam': 5
    }  # fmt: skip
    runs = {run[:3] for run in study.runs()}
    for world in ('digits', 'cutouts'):
        for method in study.methods:
            for arm in ('plain', 'control', 'bgremove', 'bgrandom'):
                assert (world, method, arm) in runs
        assert (world, 'mocov2', 'bgswap') in runs and (world, 'byol', 'bgswap') not in runs
        kinds = {arm for where, method, arm in runs if where == world and '.' in arm}
        assert kinds == {
            f'bgrandom.{kind}'
            for kind in (
                'dilated4',
                'eroded1',
                'eroded4',
                'wrong20',
                'boxes',
                'rbd',
                'gs',
                'mbplus',
                'spectral',
                'fine_grained',
                'u2netp',
            )
        }
