# MoCo-v2 (R50, 8x32, 200 epochs) trained on the hardest of four views.
_base_ = [
    'mmselfsup::selfsup/mocov2/mocov2_resnet50_8xb32-coslr-200e_in1k.py',
    '_base_/hard_views/pairs.py',
]
from bgaug_mm.datasets.views import with_candidate_views

train_dataloader = with_candidate_views(_base_.train_dataloader, 4, scope='mmselfsup')
custom_hooks = [*_base_.get('custom_hooks', []), _base_.hard_views]
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
