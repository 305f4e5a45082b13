# SimSiam (R50, 8x32, 200 epochs) with mixtures of an image's views (MixSiam).
# Source: Guo et al. 2021 (arXiv 2111.02679).
# Ours: how views are mixed, maximum over the projections, added to the base loss.
_base_ = 'mmselfsup::selfsup/simsiam/simsiam_resnet50_8xb32-coslr-200e_in1k.py'
from bgaug_mm.datasets.views import seed_samples

train_dataloader = seed_samples(_base_.train_dataloader, scope='mmselfsup')
model = dict(
    type='bgaug_mm.ImageMixture', algorithm='mmselfsup.SimSiam',
    mixture='mixsiam')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
