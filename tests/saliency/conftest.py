"""A vision transformer small enough to be worked out by hand."""

import pytest


@pytest.fixture
def tiny_vit():
    """Makes mmpretrain's VisionTransformer: 4 × 4 pixel patches, 2 heads of 4, 2 layers."""
    torch = pytest.importorskip('torch')

    def make(kind='mmpretrain.VisionTransformer', out_type='raw', **options):
        __import__(kind.split('.')[0] + '.models')
        from mmengine.registry import MODELS

        arch = dict(embed_dims=8, num_layers=2, num_heads=2, feedforward_channels=16)
        options = dict(arch=arch, img_size=16, patch_size=4) | options
        if 'MAE' not in kind:  # mmselfsup's has no such option
            options['out_type'] = out_type
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            model = MODELS.build(dict(type=kind, **options))
            for weight in model.parameters():
                if weight.requires_grad:  # not MAE's fixed position embedding
                    torch.nn.init.normal_(weight, std=0.5)
        model.eval()  # whose result is None here
        return model

    return make
