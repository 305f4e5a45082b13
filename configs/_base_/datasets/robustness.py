# What the robustness sets share: ImageNet's test crop and the accuracy in which a set's class
# subset or map and its several labels count. With a model's base this is a whole test config:
#   _base_ = ['mmpretrain::_base_/models/resnet50.py', 'bgaug_mm::_base_/datasets/imagenet_a.py',
#             'mmpretrain::_base_/default_runtime.py']
# and tools/test.py tests it (mmpretrain alone, not the classic stack).
# tools/evaluation/evaluate.py runs all sets, with BG-Gap and mCE, on both stacks.
data_preprocessor = dict(
    type='mmpretrain.ClsDataPreprocessor',
    num_classes=1000,
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    to_rgb=True)

test_pipeline = [
    dict(type='LoadImageFromFile'),
    # Pillow resizes with anti-aliasing, as the sets' authors did
    dict(type='mmpretrain.ResizeEdge', scale=256, edge='short', backend='pillow'),
    dict(type='mmpretrain.CenterCrop', crop_size=224),
    dict(type='mmpretrain.PackInputs'),
]

test_dataloader = dict(
    batch_size=128,
    num_workers=5,
    sampler=dict(type='DefaultSampler', shuffle=False),
    collate_fn=dict(type='default_collate'),
    dataset=dict(pipeline=test_pipeline))
test_evaluator = dict(type='bgaug_mm.RobustnessAccuracy')
test_cfg = dict()
