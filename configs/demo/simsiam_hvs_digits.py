# SimSiam on a small world, trained on the hardest of four views.
_base_ = ['simsiam_digits.py', '../_base_/hard_views/pairs.py']
from bgaug_mm.datasets.views import with_candidate_views

train_dataloader = with_candidate_views(_base_.train_dataloader, 4)
custom_hooks = [*_base_.custom_hooks, _base_.hard_views]
