# iBOT on a small world, over dino_digits.py.
_base_ = 'dino_digits.py'

block_mask = dict(type='bgaug_mm.RandomBlockMask', patch_size=8)
_base_.train_pipeline[2].transforms = [
    [*_base_.global_pipeline, block_mask], _base_.local_pipeline
]
_base_.train_pipeline[3].with_block_mask = True
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))

model = dict(
    type='bgaug_mm.IBOT',
    backbone=dict(out_type='raw'),
    patch_loss=dict(warmup_epochs=5))
