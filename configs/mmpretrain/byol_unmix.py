# configs/byol_unmix.py over mmpretrain: BYOL with mixtures of images (Un-Mix).
# Source: Shen et al. 2022 (AAAI, arXiv 2003.05438).
# Ours: the mixture on the predicting side alone; weight of the extra term.
_base_ = '../_base_/algorithms/mmpretrain_byol_8xb256.py'
from bgaug_mm.datasets.views import seed_samples

train_dataloader = seed_samples(_base_.train_dataloader, scope='mmpretrain')
model = dict(
    type='bgaug_mm.ImageMixture', algorithm='mmpretrain.BYOL',
    mixture='unmix')
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
