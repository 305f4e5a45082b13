# ImageNet for DINO and iBOT: 2 global views of 224 px, each with its own recipe, and 8
# local ones of 96 px.
# Source: Caron et al. 2021 (arXiv 2104.14294), appendix C and the released defaults.
data_root = 'data/imagenet/'

flip_and_colour = [
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='RandomApply',
        transforms=[
            dict(
                type='bgaug_mm.ColorJitter',
                brightness=0.4, contrast=0.4, saturation=0.2, hue=0.1)
        ],
        prob=0.8),
    dict(
        type='bgaug_mm.RandomGrayscale',
        prob=0.2,
        keep_channels=True,
        channel_weights=(0.114, 0.587, 0.2989)),
]
global_crop = dict(
    type='bgaug_mm.RandomResizedCrop',
    size=224,
    scale=(0.4, 1.0),
    interpolation='bicubic',
    backend='torch')
local_crop = dict(global_crop, size=96, scale=(0.05, 0.4))
blur = dict(type='bgaug_mm.RandomGaussianBlur', sigma_min=0.1, sigma_max=2.0, prob=1.0)

global_pipeline1 = [global_crop, *flip_and_colour, blur]
global_pipeline2 = [
    global_crop,
    *flip_and_colour,
    dict(blur, prob=0.1),
    dict(type='bgaug_mm.Solarize', thr=128, prob=0.2),
]
local_pipeline = [local_crop, *flip_and_colour, dict(blur, prob=0.5)]

train_pipeline = [
    dict(type='bgaug_mm.SeedSample'),
    dict(type='LoadImageFromFile'),
    dict(
        type='bgaug_mm.MultiView',
        num_views=[1, 1, 8],
        transforms=[global_pipeline1, global_pipeline2, local_pipeline]),
    dict(type='bgaug_mm.PackSaliencyInputs'),
]

train_dataloader = dict(
    batch_size=64,
    num_workers=8,
    persistent_workers=True,
    pin_memory=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='bgaug_mm.default_collate'),
    dataset=dict(
        type='mmpretrain.ImageNet',
        data_root=data_root,
        split='train',
        pipeline=train_pipeline))
