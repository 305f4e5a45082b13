import pytest

from bgaug_mm.evaluation.study.spec import Arm, Method, Run, Study, World


def study(**changes):
    values = dict(
        config='x/{method}_{world}.py',
        worlds={name: World(make='make.py {out}', uniform=0.5) for name in 'ab'},
        methods={'m': Method(seeds=2), 'n': Method(seeds=1)},
        arms={
            'plain': Arm(),
            'control': Arm(uniform=True),
            'swap': Arm(op='background_swap', methods=['m']),
            'swap.box': Arm(op='background_swap', masks={'as_box': True}, methods=['m'], late=True),
        },
    )  # fmt: skip
    return Study(**{**values, **changes})


def names(runs):
    return [run.name for run in runs]


def test_order():
    """Seed by seed, a method's arms together; what is late comes last."""
    assert names(study().runs()) == [
        'a/m/plain/0', 'a/m/control/0', 'a/m/swap/0',
        'b/m/plain/0', 'b/m/control/0', 'b/m/swap/0',
        'a/n/plain/0', 'a/n/control/0', 'b/n/plain/0', 'b/n/control/0',
        'a/m/plain/1', 'a/m/control/1', 'a/m/swap/1',
        'b/m/plain/1', 'b/m/control/1', 'b/m/swap/1',
        'a/m/swap.box/0', 'b/m/swap.box/0', 'a/m/swap.box/1', 'b/m/swap.box/1',
    ]  # fmt: skip


def test_only():
    assert study().runs(['a/m/swap'])[0] == Run('a', 'm', 'swap', 0)
    assert names(study().runs(['a/m/swap'])) == ['a/m/swap/0', 'a/m/swap/1']
    assert names(study().runs(['b/n/*', '*/swap.box/1'])) == [
        'b/n/plain/0', 'b/n/control/0', 'a/m/swap.box/1', 'b/m/swap.box/1'
    ]  # fmt: skip
    with pytest.raises(ValueError, match="no run fits 'c/m'; names are like a/m/plain/0"):
        study().runs(['a', 'c/m'])


def test_base_and_control():
    assert study().base == 'plain'
    assert study().control == 'control'
    assert study(arms={'plain': Arm()}).control is None


def test_quick():
    quick = study(methods={'m': Method(seeds=5), 'n': Method(seeds=1)}).quick()
    assert quick.epochs == 2
    assert [method.seeds for method in quick.methods.values()] == [2, 1]
    assert quick.worlds['a'].make == 'make.py {out} --per-class 64 --test-per-class 8'
    assert 'trial' in quick.title


def test_sources(tmp_path):
    given = study().with_sources({'b': str(tmp_path)})
    assert given.worlds['b'].source == str(tmp_path) and given.worlds['a'].source is None
    with pytest.raises(ValueError, match='`--source c=…`: the worlds are a, b'):
        study().with_sources({'c': str(tmp_path)})
    with pytest.raises(ValueError, match=r'`--source a=.*no`: there is no such folder'):
        study().with_sources({'a': str(tmp_path / 'no')})
