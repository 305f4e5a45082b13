# Faster R-CNN R50-C4, VOC trainval07+12 -> test07: MoCo's protocol (He et al. 2020, section
# 4.2), 24k iterations of 16 images.
_base_ = ['mmdet::pascal_voc/faster-rcnn_r50-caffe-c4_ms-18k_voc0712.py', '../_base_/r50_c4.py']
model = _base_.r50_c4
# The years differ in this entry, and mmdet would not know which classes to report.
train_dataloader = dict(dataset=dict(ignore_keys=['dataset_type']))
train_cfg = dict(max_iters=24000, val_interval=6000)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.001, by_epoch=False, begin=0, end=100),
    dict(type='MultiStepLR', by_epoch=False, begin=0, end=24000,
         milestones=[18000, 22000], gamma=0.1)]
default_hooks = dict(checkpoint=dict(interval=6000))
val_evaluator = dict(_delete_=True, type='bgaug_mm.VOCAveragePrecision')
test_evaluator = dict(_delete_=True, type='bgaug_mm.VOCAveragePrecision')
