# MoCo-v2 (R50, 8x32, 200 epochs) with backgrounds of random images.
_base_ = [
    'mmselfsup::selfsup/mocov2/mocov2_resnet50_8xb32-coslr-200e_in1k.py',
    '_base_/views/background_random.py',
]
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, scope='mmselfsup')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
