# The network that is kept: twice as long on the mean of all cues' refined maps.
_base_ = 'learn_cue.py'

custom_hooks = []
param_scheduler = [
    dict(
        type='LinearLR', start_factor=1e-2, by_epoch=True, begin=0, end=1,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR', T_max=11, by_epoch=True, begin=1, end=12,
        convert_to_iter_based=True),
]
train_cfg = dict(max_epochs=12)
