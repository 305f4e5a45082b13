import pytest
from mmengine.config import Config

from bgaug_mm.compat.config_paths import config_root
from bgaug_mm.evaluation.study.config import background_op, run_config
from bgaug_mm.evaluation.study.spec import Arm, Method, Run, Study, World

ARMS = {
    'plain': Arm(),
    'strong': Arm(op='background_swap_strong'),
    'matched': Arm(op='background_swap', prob=0.5, matched_negatives=True),
    'box': Arm(op={'type': 'bgaug_mm.BackgroundRemove', 'prob': 0.3}, masks={'as_box': True}),
}


def study(**changes):
    values = dict(
        config='bgaug_mm::demo/{method}_{world}.py',
        worlds={'digits': World(make='x', uniform=0.1)},
        methods={'byol': Method(seeds=1), 'mocov2': Method(seeds=1)},
        arms=ARMS,
    )
    return Study(**{**values, **changes})


def shipped(name):
    return Config.fromfile(str(config_root() / 'demo' / f'{name}.py'))


@pytest.mark.parametrize(
    ('method', 'arm', 'recipe'),
    [
        ('byol', 'plain', 'byol_digits'),
        ('byol', 'strong', 'byol_bgswap_digits'),
        ('mocov2', 'matched', 'mocov2_bgswap_digits'),
    ],
)
def test_a_treated_recipe_is_the_shipped_one(method, arm, recipe):
    config, expected = run_config(study(), Run('digits', method, arm, 3)), shipped(recipe)
    assert config.train_dataloader.to_dict() == expected.train_dataloader.to_dict()
    assert config.model.to_dict() == expected.model.to_dict()
    assert config.randomness == dict(seed=3)


def test_masks_options_and_epochs():
    changed = study(options={'train_dataloader.num_workers': 0}, epochs=4)
    config = run_config(changed, Run('digits', 'byol', 'box', 0), 'masks/here')
    dataset = config.train_dataloader.dataset
    assert dataset.mask_root == 'masks/here'
    assert dataset.pipeline[3].transforms[0][1].prob == 0.3
    assert config.train_dataloader.num_workers == 0
    assert config.train_cfg.max_epochs == 4 and config.param_scheduler[-1].end == 4
    assert shipped('byol_digits').train_cfg.max_epochs == 40
    again = run_config(study(), Run('digits', 'byol', 'plain', 0))
    assert again.train_cfg.max_epochs == 40, 'the shipped config is not changed'


def test_epochs_of_one_method():
    longer = study(methods={'byol': Method(seeds=1, epochs=80), 'mocov2': Method(seeds=1)})
    config = run_config(longer, Run('digits', 'byol', 'plain', 0))
    assert config.train_cfg.max_epochs == 80 and config.param_scheduler[-1].end == 80
    other = run_config(longer, Run('digits', 'mocov2', 'plain', 0))
    assert other.train_cfg.max_epochs == shipped('mocov2_digits').train_cfg.max_epochs
    quick = run_config(longer.quick(), Run('digits', 'byol', 'plain', 0))
    assert quick.train_cfg.max_epochs == 2, 'the study wins'


def test_operations():
    op = background_op('background_remove')
    assert op['type'] == 'bgaug_mm.BackgroundRemove'
    op['prob'] = 7
    assert background_op('background_remove')['prob'] == 0.2
    with pytest.raises(ValueError, match="`op` must be one of background_dilo, .*'nothing'"):
        background_op('nothing')
    with pytest.raises(ValueError, match='has no background_op'):
        background_op('cutouts')
