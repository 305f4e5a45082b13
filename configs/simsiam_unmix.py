# SimSiam (R50, 8x32, 200 epochs) with mixtures of images (Un-Mix).
# Source: Shen et al. 2022 (AAAI, arXiv 2003.05438).
# Ours: the mixture on the predicting side alone; weight of the extra term.
_base_ = 'mmselfsup::selfsup/simsiam/simsiam_resnet50_8xb32-coslr-200e_in1k.py'
from bgaug_mm.datasets.views import seed_samples

train_dataloader = seed_samples(_base_.train_dataloader, scope='mmselfsup')
model = dict(
    type='bgaug_mm.ImageMixture', algorithm='mmselfsup.SimSiam',
    mixture='unmix')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
