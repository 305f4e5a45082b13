# AdamW, 5e-4 for each 256 images (8x64 here), 10 epochs warm-up, cosine; weight decay
# from 0.04 to 0.4, not on biases and norms; in mixed precision.
# Source: Caron et al. 2021 (arXiv 2104.14294), section 3.2.
# Ours: the gradient's norm is clipped as a whole, the released code clips each
# parameter's.
optim_wrapper = dict(
    type='AmpOptimWrapper',
    loss_scale='dynamic',
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.04),
    clip_grad=dict(max_norm=3.0),
    paramwise_cfg=dict(norm_decay_mult=0.0, bias_decay_mult=0.0, flat_decay_mult=0.0))
param_scheduler = [
    dict(
        type='LinearLR', start_factor=1e-6, by_epoch=True, begin=0, end=10,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingLR', T_max=90, eta_min=1e-6, by_epoch=True, begin=10, end=100,
        convert_to_iter_based=True),
    dict(
        type='CosineAnnealingParamScheduler', param_name='weight_decay', eta_min_ratio=10,
        T_max=100, by_epoch=True, begin=0, end=100, convert_to_iter_based=True),
]
train_cfg = dict(type='EpochBasedTrainLoop', max_epochs=100)
auto_scale_lr = dict(base_batch_size=512)
custom_hooks = [dict(type='bgaug_mm.FreezeLastLayerHook', epochs=1)]
