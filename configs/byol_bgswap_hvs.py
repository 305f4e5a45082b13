# byol_bgswap.py trained on the hardest of four views: both together.
_base_ = ['byol_bgswap.py', '_base_/hard_views/recipe_pairs.py']
from bgaug_mm.datasets.views import with_candidate_views

train_dataloader = with_candidate_views(_base_.train_dataloader, 4)
custom_hooks = [*_base_.get('custom_hooks', []), _base_.hard_views]
