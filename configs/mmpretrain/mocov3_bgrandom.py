# configs/mocov3_bgrandom.py over mmpretrain: MoCo-v3, backgrounds of random images.
_base_ = [
    'mmpretrain::mocov3/mocov3_resnet50_8xb512-amp-coslr-100e_in1k.py',
    '../_base_/views/background_random.py',
]
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, scope='mmpretrain')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
