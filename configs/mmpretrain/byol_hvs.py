# configs/byol_hvs.py over mmpretrain: BYOL, the hardest of four views, one of each recipe.
_base_ = [
    '../_base_/algorithms/mmpretrain_byol_8xb256.py',
    '../_base_/hard_views/recipe_pairs.py',
]
from bgaug_mm.datasets.views import with_candidate_views

train_dataloader = with_candidate_views(_base_.train_dataloader, 4, scope='mmpretrain')
custom_hooks = [*_base_.get('custom_hooks', []), _base_.hard_views]
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
