# Mask R-CNN R50-FPN on COCO, 12 epochs of 16 images a batch: MoCo's protocol (He et al. 2020,
# section 4.2) with the box head of mmselfsup's benchmark, four convolutions with norms.
_base_ = ['mmdet::mask_rcnn/mask-rcnn_r50_fpn_1x_coco.py', '../_base_/transfer.py']
model = dict(
    backbone=dict(frozen_stages=-1, norm_cfg=_base_.norm, norm_eval=False, init_cfg=None),
    neck=dict(norm_cfg=_base_.norm),
    roi_head=dict(
        bbox_head=dict(type='Shared4Conv1FCBBoxHead', norm_cfg=_base_.norm),
        mask_head=dict(norm_cfg=_base_.norm)))
train_dataloader = dict(dataset=dict(pipeline=[
    *_base_.train_pipeline[:2], _base_.short_side_640_800, *_base_.train_pipeline[3:]]))
