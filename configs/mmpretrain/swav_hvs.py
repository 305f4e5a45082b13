# configs/swav_hvs.py over mmpretrain: SwAV, the hardest 2 + 6 of 4 + 12 crops.
_base_ = [
    'mmpretrain::swav/swav_resnet50_8xb32-mcrop-coslr-200e_in1k-224px-96px.py',
    '../_base_/hard_views/multi_crop.py',
]
from bgaug_mm.datasets.views import with_candidate_views

train_dataloader = with_candidate_views(_base_.train_dataloader, (4, 12), scope='mmpretrain')
custom_hooks = [*_base_.get('custom_hooks', []), _base_.hard_views]
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
