# iBOT with ViT-S/16 (8x64, 100 epochs), over dino.py: blocks of patches are masked in half
# of the global views.
# Source: Zhou et al. 2022 (arXiv 2111.07832), released settings, but for the crops, which
# are DINO's (the released run: globals of 0.25-1, 10 locals of 0.05-0.25, 800 epochs at 1024).
_base_ = 'dino.py'

block_mask = dict(
    type='bgaug_mm.RandomBlockMask', patch_size=16, prob=0.5, ratio=(0.1, 0.5))
_base_.train_pipeline[2].transforms = [
    [*_base_.global_pipeline1, block_mask],
    [*_base_.global_pipeline2, block_mask],
    _base_.local_pipeline,
]
_base_.train_pipeline[3].with_block_mask = True
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))

model = dict(
    type='bgaug_mm.IBOT',
    backbone=dict(out_type='raw'),
    head=dict(out_channels=8192, norm_last_layer=False),
    patch_loss=dict(
        student_temp=0.1,
        warmup_teacher_temp=0.04,
        teacher_temp=0.07,
        warmup_epochs=30,
        center_momentum=0.9))
