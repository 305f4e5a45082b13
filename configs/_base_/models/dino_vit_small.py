# DINO with ViT-S/16.
# Source: Caron et al. 2021 (arXiv 2104.14294), released defaults; the teacher's warm-up
# is that of the longer runs.
model = dict(
    type='bgaug_mm.DINO',
    base_momentum=0.996,
    data_preprocessor=dict(
        type='mmpretrain.SelfSupDataPreprocessor',
        mean=(123.675, 116.28, 103.53),
        std=(58.395, 57.12, 57.375),
        to_rgb=True),
    backbone=dict(
        type='mmpretrain.VisionTransformer',
        arch='deit-small',
        img_size=224,
        patch_size=16,
        drop_path_rate=0.1),
    head=dict(
        type='bgaug_mm.DINOHead',
        in_channels=384,
        out_channels=65536,
        hidden_channels=2048,
        bottleneck_channels=256),
    loss=dict(
        student_temp=0.1,
        warmup_teacher_temp=0.04,
        teacher_temp=0.07,
        warmup_epochs=30,
        center_momentum=0.9))
