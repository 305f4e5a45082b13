# byol_bgswap.py (mmpretrain) with the operation on the model's device, a whole batch at a time.
# Ours: on the device the donors are images of the batch, and photometric ops come before.
_base_ = 'byol_bgswap.py'
from bgaug_mm.datasets.device_views import on_device

train_dataloader, model = on_device(_base_)
