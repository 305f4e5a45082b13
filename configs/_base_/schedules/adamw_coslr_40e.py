# adamw_coslr_20e.py over 40 epochs.
_base_ = 'adamw_coslr_20e.py'
param_scheduler = [
    dict(_base_.param_scheduler[0], end=2),
    dict(_base_.param_scheduler[1], T_max=38, begin=2, end=40),
]
train_cfg = dict(max_epochs=40)
