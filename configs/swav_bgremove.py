# SwAV (R50, 8x32, 2x224 + 6x96, 200 epochs) with removed backgrounds, large crops only.
_base_ = [
    'mmselfsup::selfsup/swav/swav_resnet50_8xb32-mcrop-2-6-coslr-200e_in1k-224-96.py',
    '_base_/views/background_remove.py',
]
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, scope='mmselfsup', views='large')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
