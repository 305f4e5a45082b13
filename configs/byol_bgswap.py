# BYOL (R50, 8x256, 200 epochs) with swapped backgrounds.
_base_ = [
    'mmselfsup::selfsup/byol/byol_resnet50_8xb256-amp-accum2-coslr-200e_in1k.py',
    '_base_/views/background_swap.py',
]
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, scope='mmselfsup')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
