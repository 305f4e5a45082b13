# mask-rcnn_r50-c4_1x.py for 24 epochs (mmselfsup's file of this name trains 12).
_base_ = 'mask-rcnn_r50-c4_1x.py'
train_cfg = dict(max_epochs=24)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=1000),
    dict(type='MultiStepLR', by_epoch=True, begin=0, end=24, milestones=[16, 22], gamma=0.1)]
