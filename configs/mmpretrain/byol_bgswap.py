# configs/byol_bgswap.py over mmpretrain: BYOL, swapped backgrounds.
_base_ = [
    '../_base_/algorithms/mmpretrain_byol_8xb256.py',
    '../_base_/views/background_swap.py',
]
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, scope='mmpretrain')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
