# The VOC protocol on the mini set, on a CPU: the demos' ResNet-18 (16 channels where a ResNet-50
# has 64) up to res4, res5 and a norm behind it, 600 iterations of 8 images.
# Data: python tools/dataset_converters/make_detection_world.py data/digits_detection
_base_ = ['../voc0712/faster-rcnn_r50-c4_24k.py', '../_base_/digits.py']
model = dict(
    backbone=dict(depth=18, stem_channels=16, base_channels=16),
    rpn_head=dict(
        in_channels=64, feat_channels=64, anchor_generator=dict(scales=[1, 2, 4, 8, 16])),
    roi_head=dict(
        shared_head=dict(depth=18, base_channels=16),
        bbox_roi_extractor=dict(out_channels=64, roi_layer=dict(output_size=8)),
        bbox_head=dict(in_channels=128, roi_feat_size=4, num_classes=4)),
    train_cfg=_base_.digits.train_cfg,
    test_cfg=_base_.digits.test_cfg)

data_root = 'data/digits_detection/'
place = dict(
    data_root=data_root,
    metainfo=dict(classes=_base_.digits.classes),
    data_prefix=dict(sub_data_root='VOC2007/'))
train_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(
    _delete_=True,
    type='VOCDataset',
    ann_file='VOC2007/ImageSets/Main/trainval.txt',
    filter_cfg=dict(filter_empty_gt=True, min_size=32),
    pipeline=[
        *_base_.train_pipeline[:2], _base_.digits.shorter_side, *_base_.train_pipeline[4:]],
    **place))
val_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(
    pipeline=[_base_.test_pipeline[0], _base_.digits.resize, *_base_.test_pipeline[2:]],
    **place))
test_dataloader = val_dataloader

train_cfg = dict(max_iters=600, val_interval=600)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=50),
    dict(type='MultiStepLR', by_epoch=False, begin=0, end=600, milestones=[450, 550], gamma=0.1)]
default_hooks = dict(
    logger=dict(interval=25),
    checkpoint=dict(interval=600))
custom_hooks = [*_base_.custom_hooks[:2], dict(type='bgaug_mm.PreciseBNHook', num_iters=25)]
randomness = dict(seed=0)
