import numpy as np
import torch

from bgaug_mm.saliency import build_estimator
from bgaug_mm.saliency.vit_features import PatchFeatures


def test_score_is_the_stretched_mean_of_the_heads(tiny_vit):
    attention = torch.tensor([[0.1, 0.1, 0.2, 0.0, 0.1, 0.1], [0.3, 0.1, 0.0, 0.0, 0.1, 0.1]])
    features = PatchFeatures(torch.zeros(2, 6, 4), attention, (2, 3))
    result = build_estimator('attention', backbone=tiny_vit()).score(features)
    np.testing.assert_allclose(result, [[1, 0.5, 0.5], [0, 0.5, 0.5]], atol=1e-6)


def test_equal_attention_is_no_saliency(tiny_vit):
    features = PatchFeatures(torch.zeros(2, 6, 4), torch.full((2, 6), 0.1), (2, 3))
    assert not build_estimator('attention', backbone=tiny_vit()).score(features).any()


def test_what_the_class_token_asks_for_is_salient(tiny_vit):
    """Weights by hand: keys are the patches' red, the class token asks for red."""
    vit = tiny_vit()
    with torch.no_grad():
        for weight in vit.parameters():
            weight.zero_()
        for layer in vit.layers:
            layer.ln1.weight.fill_(1)
        vit.cls_token[..., 1] = 1  # so that its query is not nothing
        vit.patch_embed.projection.weight[0, 0] = 1 / 16  # mean red to channel 0
        # A LayerNorm takes scale away: channel 1 is 1 everywhere, as what to compare with.
        vit.patch_embed.projection.bias[1] = 1
        qkv = vit.layers[-1].attn.qkv
        qkv.weight[0, 1] = qkv.weight[4, 1] = 5  # queries of both heads
        qkv.weight[8, 0] = qkv.weight[12, 0] = 5  # keys of both heads
    image = np.full((16, 16, 3), 100, np.uint8)
    image[4:12, 8:12] = (255, 100, 100)
    saliency = build_estimator('attention', backbone=vit)(image)
    assert saliency[5:11, 9:11].min() > 0.7 and saliency[:, :6].max() < 0.1
