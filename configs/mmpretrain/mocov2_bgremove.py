# configs/mocov2_bgremove.py over mmpretrain: MoCo-v2, removed backgrounds.
_base_ = [
    'mmpretrain::mocov2/mocov2_resnet50_8xb32-coslr-200e_in1k.py',
    '../_base_/views/background_remove.py',
]
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, scope='mmpretrain')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
