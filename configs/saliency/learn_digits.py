# A round of a cue on digits on photos, seconds an epoch on a laptop. All rounds:
# tools/saliency/learn_saliency.py data/digits_on_photos/train work_dirs/saliency_digits
#   --cues mbplus gs --cue-config configs/saliency/learn_digits.py
#   --fused-config configs/saliency/learn_digits.py
_base_ = 'learn_cue.py'

data_root = 'data/digits_on_photos/'
train_pipeline = _base_.train_pipeline
train_pipeline[3].update(size=48)
train_dataloader = dict(
    batch_size=32,
    dataset=dict(
        mask_root='train_cue',  # tools/saliency/generate_masks.py writes it
        dataset=dict(data_root=data_root, data_prefix='train'),
        pipeline=train_pipeline))
custom_hooks = [dict(type='bgaug_mm.AveragePredictionsHook', size=48)]
