# Mask R-CNN R50-C4 on COCO, 12 epochs of 16 images a batch: MoCo's protocol (He et al. 2020,
# section 4.2).
_base_ = ['mmdet::mask_rcnn/mask-rcnn_r50-caffe-c4_1x_coco.py', '../_base_/r50_c4.py']
model = _base_.r50_c4
# Detectron2, which the protocol was run in, also trains anchors across the image's border.
model.update(train_cfg=dict(rpn=dict(allowed_border=-1)))
train_dataloader = dict(dataset=dict(pipeline=[
    *_base_.train_pipeline[:2], _base_.short_side_640_800, *_base_.train_pipeline[3:]]))
