# configs/barlowtwins_bgremove.py over mmpretrain: Barlow Twins, removed backgrounds.
_base_ = [
    'mmpretrain::barlowtwins/barlowtwins_resnet50_8xb256-coslr-300e_in1k.py',
    '../_base_/views/background_remove.py',
]
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, scope='mmpretrain')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
