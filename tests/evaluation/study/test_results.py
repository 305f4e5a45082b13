import json

import pytest

from bgaug_mm.evaluation.jobs import Job
from bgaug_mm.evaluation.study.results import collect
from bgaug_mm.evaluation.study.spec import Arm, Method, Run, Study, World

STUDY = Study(
    config='x',
    title='T',
    worlds={'w': World(make='x', uniform=0.1), 'v': World(make='x', uniform=0.1)},
    methods={'m': Method(seeds=3)},
    arms={
        'plain': Arm(),
        'control': Arm(uniform=True),
        'swap': Arm(op='background_swap'),
        'swap.box': Arm(op='background_swap', masks={'as_box': True}),
    },
)


def job(folder, run, content, needs=()):
    path = folder / f'{run.name.replace("/", "-")}.json'
    if content is not None:
        path.write_text(json.dumps(content))
    return Job(name=run.name, folder=folder, done=path, prepare=list, run=run, needs=needs)


def scores(same, rand):
    return {'scores': {'mixed_same': same, 'mixed_rand': rand, 'bg_gap': same - rand,
                       'fgpref': None}}  # fmt: skip


@pytest.fixture
def jobs(tmp_path):
    """Gaps of plain 50, 40; control 10, 0; swap 20, 15 and, on boxes, 30."""
    masks = tmp_path / 'masks.json'
    masks.write_text(json.dumps({'iou': 60.0, 'kept': 100.0, 'removed': 70.0}))
    rows = {
        ('plain', 0): (80.0, 30.0), ('plain', 1): (80.0, 40.0),
        ('control', 0): (60.0, 50.0), ('control', 1): (60.0, 60.0),
        ('swap', 0): (80.0, 60.0), ('swap', 1): (75.0, 60.0),
    }  # fmt: skip
    return [
        *(
            job(tmp_path, Run('w', 'm', arm, seed), {**scores(*row), 'feature_std': 0.9})
            for (arm, seed), row in rows.items()
        ),
        Job(name='masks w', folder=tmp_path, done=masks, prepare=list),
        job(tmp_path, Run('w', 'm', 'swap.box', 0), scores(80.0, 50.0), ['masks w']),
        job(tmp_path, Run('w', 'm', 'plain', 2), None),
    ]  # fmt: skip


def test_estimates_and_paired_differences(jobs):
    results = collect(STUDY, jobs)
    assert results.arms('w', 'm') == ['plain', 'control', 'swap', 'swap.box']
    assert results.arms('v', 'm') == []
    place = ('w', 'm', 'swap')
    assert results.estimate(*place, 'bg_gap').mean == 17.5
    assert results.estimate(*place, 'bg_gap').count == 2
    assert results.estimate(*place, 'fgpref') is None
    assert results.estimate('w', 'm', 'plain', 'net_gap').mean == 40  # 40 and 40
    assert results.estimate('w', 'm', 'plain', 'projection_spread').mean == 90
    assert results.estimate('w', 'm', 'control', 'net_gap') is None
    assert results.difference(*place, 'mixed_rand').mean == 25  # 30 and 20
    assert results.difference(*place, 'net_gap').mean == -27.5  # -30 and -25
    assert results.closed(*place).mean == pytest.approx((75 + 62.5) / 2)


def test_only_seeds_of_both_are_paired(jobs):
    results = collect(STUDY, jobs)
    place = ('w', 'm', 'swap.box')
    assert results.difference(*place, 'mixed_rand').count == 1
    assert results.difference(*place, 'mixed_rand', 'swap').mean == -10
    assert results.estimate(*place, 'mask_iou').mean == 60
    assert results.closed(*place).mean == pytest.approx(50)
    assert results.gain_kept(*place, 'swap').mean == pytest.approx(100 * 20 / 30)
    assert results.gain_kept(*place, 'plain') is None, 'which gains nothing over itself'


@pytest.mark.parametrize(('gains', 'share'), [((30.0, 30.2), 50), ((30.0, 20.0), None)])
def test_a_gain_that_is_not_known_has_no_shares(tmp_path, gains, share):
    found = [
        job(tmp_path, Run('w', 'm', arm, seed), scores(80.0, 20.0 + part * gain))
        for seed, gain in enumerate(gains)
        for arm, part in (('plain', 0), ('swap', 1), ('swap.box', 0.5))
    ]
    kept = collect(STUDY, found).gain_kept('w', 'm', 'swap.box', 'swap')
    assert (kept and kept.mean) == (share and pytest.approx(share))


def test_without_a_control_or_a_gap(jobs, tmp_path):
    some = [one for one in jobs if one.run and one.run.arm != 'control' and not one.needs]
    results = collect(STUDY, some)
    assert results.estimate('w', 'm', 'plain', 'net_gap') is None
    assert results.closed('w', 'm', 'swap') is None
    level = job(tmp_path, Run('w', 'm', 'plain', 0), scores(50.0, 50.0))
    results = collect(STUDY, [level, *some[1:]])
    assert results.closed('w', 'm', 'swap', 'bg_gap') is None, 'there is nothing to close'


def test_json(jobs):
    content = json.loads(json.dumps(collect(STUDY, jobs).to_json()))
    assert content['runs']['w/m/swap/1']['net_gap'] == 15
    found = content['estimates']['w/m/swap']['mixed_rand']
    assert found['value']['mean'] == 60 and found['minus_base']['mean'] == 25
    assert found['minus_base']['low'] < 25 < found['minus_base']['high']
    assert content['estimates']['w/m/swap.box']['mixed_rand']['value']['low'] is None
    assert (content['base'], content['control']) == ('plain', 'control')


def test_a_damaged_result(jobs):
    jobs[0].done.write_text('{')
    with pytest.raises(ValueError, match=r'w-m-plain-0\.json is damaged .* delete it'):
        collect(STUDY, jobs)
