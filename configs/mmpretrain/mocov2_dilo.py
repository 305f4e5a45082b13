# configs/mocov2_dilo.py over mmpretrain: MoCo-v2, DiLo: foregrounds on grey.
_base_ = [
    'mmpretrain::mocov2/mocov2_resnet50_8xb32-coslr-200e_in1k.py',
    '../_base_/views/background_dilo.py',
]
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, scope='mmpretrain', position='before_crop')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
