# ResNet-50 up to res4 as the backbone and res5 with a norm behind it as the shared head: both
# start from the checkpoint, on images normalised as in pre-training (mmdet's C4 starts both
# from supervised caffe weights). MoCo's protocol recomputes the norms before evaluation.
_base_ = 'transfer.py'
r50_c4 = dict(
    data_preprocessor=dict(
        mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], bgr_to_rgb=True),
    backbone=dict(
        frozen_stages=-1,
        norm_cfg=_base_.norm,
        norm_eval=False,
        style='pytorch',
        init_cfg=None),
    roi_head=dict(shared_head=dict(
        _delete_=True, type='bgaug_mm.ResLayerExtraNorm', depth=50, norm_cfg=_base_.norm)))
custom_hooks = [*_base_.custom_hooks, dict(type='bgaug_mm.PreciseBNHook', num_iters=200)]
