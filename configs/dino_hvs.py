# DINO with ViT-S/16 (8x64, 100 epochs) trained on the hardest 2 + 8 of 4 + 16 crops.
_base_ = ['dino.py', '_base_/hard_views/multi_crop_recipes.py']
from bgaug_mm.datasets.views import with_candidate_views

train_dataloader = with_candidate_views(_base_.train_dataloader, (2, 2, 16))
custom_hooks = [*_base_.get('custom_hooks', []), _base_.hard_views]
