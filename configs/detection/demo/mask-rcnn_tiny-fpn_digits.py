# The COCO protocol on the mini set, on a CPU: the demos' ResNet-18 (16 channels where a ResNet-50
# has 64) with an FPN, 8 epochs of 600 images.
# Data: python tools/dataset_converters/make_detection_world.py data/digits_detection
_base_ = ['../coco/mask-rcnn_r50-fpn_1x.py', '../_base_/digits.py']
model = dict(
    backbone=dict(depth=18, stem_channels=16, base_channels=16),
    neck=dict(in_channels=[16, 32, 64, 128], out_channels=64),
    rpn_head=dict(in_channels=64, feat_channels=64, anchor_generator=dict(scales=[4])),
    roi_head=dict(
        bbox_roi_extractor=dict(out_channels=64),
        bbox_head=dict(
            in_channels=64, conv_out_channels=64, fc_out_channels=256, num_classes=4),
        mask_roi_extractor=dict(out_channels=64),
        mask_head=dict(in_channels=64, conv_out_channels=64, num_convs=2, num_classes=4)),
    train_cfg=_base_.digits.train_cfg,
    test_cfg=_base_.digits.test_cfg)

data_root = 'data/digits_detection/'
place = dict(
    data_root=data_root,
    metainfo=dict(classes=_base_.digits.classes),
    data_prefix=dict(img='VOC2007/JPEGImages/'))
train_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(
    ann_file='annotations/instances_train.json',
    pipeline=[
        *_base_.train_pipeline[:2], _base_.digits.shorter_side, *_base_.train_pipeline[4:]],
    **place))
val_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(
    ann_file='annotations/instances_val.json',
    pipeline=[_base_.test_pipeline[0], _base_.digits.resize, *_base_.test_pipeline[2:]],
    **place))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/instances_val.json')
test_evaluator = val_evaluator

train_cfg = dict(max_epochs=8, val_interval=8)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=50),
    dict(type='MultiStepLR', by_epoch=True, begin=0, end=8, milestones=[6, 7], gamma=0.1)]
default_hooks = dict(
    logger=dict(interval=25),
    checkpoint=dict(interval=8))
randomness = dict(seed=0)
