# configs/byol_mixsiam.py over mmpretrain: BYOL with mixtures of an image's views (MixSiam).
# Source: Guo et al. 2021 (arXiv 2111.02679).
# Ours: how views are mixed, maximum over the projections, added to the base loss.
_base_ = '../_base_/algorithms/mmpretrain_byol_8xb256.py'
from bgaug_mm.datasets.views import seed_samples

train_dataloader = seed_samples(_base_.train_dataloader, scope='mmpretrain')
model = dict(
    type='bgaug_mm.ImageMixture', algorithm='mmpretrain.BYOL',
    mixture='mixsiam')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
