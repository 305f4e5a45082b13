# configs/simclr_bgrandom.py over mmpretrain: SimCLR, backgrounds of random images.
_base_ = [
    'mmpretrain::simclr/simclr_resnet50_8xb32-coslr-200e_in1k.py',
    '../_base_/views/background_random.py',
]
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, scope='mmpretrain')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
