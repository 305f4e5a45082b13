# ResNet-18 with a quarter of the usual widths (16-32-64-128): 48 px views train on
# a laptop's CPU.
tiny_resnet18 = dict(
    _delete_=True,
    type='mmcls.ResNet',
    depth=18,
    stem_channels=16,
    base_channels=16,
    out_indices=(3, ),
    norm_cfg=dict(type='BN'),
    zero_init_residual=False)
