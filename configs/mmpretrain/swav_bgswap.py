# configs/swav_bgswap.py over mmpretrain: SwAV, swapped backgrounds, large crops only.
_base_ = [
    'mmpretrain::swav/swav_resnet50_8xb32-mcrop-coslr-200e_in1k-224px-96px.py',
    '../_base_/views/background_swap.py',
]
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, scope='mmpretrain', views='large')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
