# The same for images that their authors cropped to 224 px already: shown as they are.
_base_ = './robustness.py'

test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='mmpretrain.PackInputs'),
]
test_dataloader = dict(dataset=dict(pipeline=test_pipeline))
