# A ViT of 4 layers and 96 channels on patches of 8 px: 48 px views train on a laptop's CPU.
tiny_vit = dict(
    type='mmpretrain.VisionTransformer',
    arch=dict(embed_dims=96, num_layers=4, num_heads=3, feedforward_channels=384),
    img_size=48,
    patch_size=8,
    drop_path_rate=0.0)
