# SimSiam on the hardest two of four views, on a small world.
_base_ = 'simsiam_digits.py'
from bgaug_mm.datasets.views import with_candidate_views

train_dataloader = with_candidate_views(_base_.train_dataloader, 4)
custom_hooks = [*_base_.custom_hooks, dict(type='bgaug_mm.HardViewSelectionHook')]
