# DINO on a small world, trained on the hardest 2 + 4 of 4 + 8 crops.
_base_ = ['dino_digits.py', '../_base_/hard_views/multi_crop.py']
from bgaug_mm.datasets.views import with_candidate_views

train_dataloader = with_candidate_views(_base_.train_dataloader, (4, 8))
custom_hooks = [*_base_.custom_hooks, dict(_base_.hard_views, num_views_out=6)]
