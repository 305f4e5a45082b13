# RetinaNet R50-FPN on COCO, 12 epochs of 16 images a batch, lr 0.01. The head, which all levels
# share, has no norms: their statistics would mix the levels.
_base_ = ['mmdet::retinanet/retinanet_r50_fpn_1x_coco.py', '../_base_/transfer.py']
model = dict(
    backbone=dict(frozen_stages=-1, norm_cfg=_base_.norm, norm_eval=False, init_cfg=None),
    neck=dict(norm_cfg=_base_.norm))
train_dataloader = dict(dataset=dict(pipeline=[
    *_base_.train_pipeline[:2], _base_.short_side_640_800, *_base_.train_pipeline[3:]]))
