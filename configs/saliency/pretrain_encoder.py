# BYOL of the saliency network's encoder on a folder of images, before any cue: what
#   tools/train.py configs/saliency/pretrain_encoder.py --data IMAGES --work-dir ENCODER
# leaves is what learn_saliency.py IMAGES OUT --init ENCODER/epoch_40.pth starts from.
# Needs mmselfsup beside mmpretrain.
_base_ = '../demo/byol_digits.py'

view_pipeline = _base_.view_pipeline
view_pipeline[0].update(size=128, scale=(0.2, 1.0))
view_pipeline.insert(1, dict(type='RandomFlip', prob=0.5))
train_pipeline = _base_.train_pipeline
train_pipeline[2].update(transforms=[view_pipeline])

data_root = 'data/saliency/images'
train_dataloader = dict(
    dataset=dict(
        type='mmpretrain.CustomDataset',
        data_root=data_root,
        data_prefix='',
        with_label=False,
        pipeline=train_pipeline))

# only the deepest stage, 128 channels at stride 32, is what the projector reads
model = dict(backbone=dict(_delete_=True, type='bgaug_mm.SaliencyEncoder', out_indices=(4, )))
