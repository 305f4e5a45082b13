# AdamW, 5% warm-up, cosine, 30 epochs: the settings of the small-scale protocol
# in docs/demo.md.
optim_wrapper = dict(
    type='OptimWrapper', optimizer=dict(type='AdamW', lr=2e-3, weight_decay=1e-4))
param_scheduler = [
    dict(
        type='LinearLR', start_factor=1e-3, by_epoch=True, begin=0, end=1.5,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR', T_max=28.5, by_epoch=True, begin=1.5, end=30,
        convert_to_iter_based=True),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=30)
