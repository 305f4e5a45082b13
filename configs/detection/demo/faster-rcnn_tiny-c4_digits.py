# The VOC protocol on the mini set, on a CPU: the demos' ResNet-18 (16 channels where a ResNet-50
# has 64) up to res4, res5 and a norm behind it, 600 iterations of 8 images of 160 to 256 px.
# Data: python tools/dataset_converters/make_detection_world.py \
#     data/digits_detection --foregrounds digits
_base_ = '../voc0712/faster-rcnn_r50-c4_24k.py'
model = dict(
    backbone=dict(depth=18, stem_channels=16, base_channels=16),
    rpn_head=dict(
        in_channels=64, feat_channels=64, anchor_generator=dict(scales=[1, 2, 4, 8, 16])),
    roi_head=dict(
        shared_head=dict(depth=18, base_channels=16),
        bbox_roi_extractor=dict(out_channels=64, roi_layer=dict(output_size=8)),
        bbox_head=dict(in_channels=128, roi_feat_size=4, num_classes=4)),
    train_cfg=dict(
        rpn=dict(sampler=dict(num=64)),
        rpn_proposal=dict(nms_pre=500, max_per_img=200),
        rcnn=dict(sampler=dict(num=32))),
    test_cfg=dict(rpn=dict(nms_pre=300, max_per_img=100)))

data_root = 'data/digits_detection/'
digits = dict(
    data_root=data_root,
    metainfo=dict(classes=('0', '2', '6', '7')),
    data_prefix=dict(sub_data_root='VOC2007/'))
shorter_side = dict(
    type='RandomChoiceResize', scales=[(256, side) for side in (160, 192, 224, 256)],
    keep_ratio=True)
resize = dict(type='Resize', scale=(224, 224), keep_ratio=True)
train_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(
    _delete_=True,
    type='VOCDataset',
    ann_file='VOC2007/ImageSets/Main/trainval.txt',
    filter_cfg=dict(filter_empty_gt=True, min_size=32),
    pipeline=[*_base_.train_pipeline[:2], shorter_side, *_base_.train_pipeline[3:]],
    **digits))
val_dataloader = dict(batch_size=8, num_workers=1, dataset=dict(
    pipeline=[_base_.test_pipeline[0], resize, *_base_.test_pipeline[2:]], **digits))
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
