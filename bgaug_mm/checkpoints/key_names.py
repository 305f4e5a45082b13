"""Names of ResNet's and ViT's weights here, in torchvision, in timm and in detectron2."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from torch import Tensor

Pairs = Sequence[tuple[str, str]]

#: Where each part of a network is, here (mmselfsup, mmcls, mmpretrain, mmdet) and there. ``#``
#: is any number. Whatever stands behind a part's name is kept. The first match counts.
_PLAIN_STEM: Pairs = [('conv1', 'conv1'), ('bn1', 'bn1')]
#: ResNet-D's: three convolutions.
_DEEP_STEM: Pairs = [
    ('stem.0.conv', 'conv1.0'),
    ('stem.0.bn', 'conv1.1'),
    ('stem.1.conv', 'conv1.3'),
    ('stem.1.bn', 'conv1.4'),
    ('stem.2.conv', 'conv1.6'),
    ('stem.2.bn', 'bn1'),
]
_BLOCKS: Pairs = [(name, name) for name in ('layer#.#.conv#', 'layer#.#.bn#')]
_PROJECTION: Pairs = [(f'layer#.#.downsample.{i}', f'layer#.#.downsample.{i}') for i in (0, 1)]
#: torchvision's names, which OpenMMLab uses too.
_RESNET: Pairs = [*_PLAIN_STEM, *_BLOCKS, *_PROJECTION]
#: With pooling in front.
_POOLED: Pairs = [('layer#.#.downsample.2', 'layer#.#.downsample.2')]
_RESNET_TIMM: Pairs = [*_RESNET, *_POOLED]
_RESNET_D_TIMM: Pairs = [*_DEEP_STEM, *_BLOCKS, *_PROJECTION, *_POOLED]
#: detectron2/modeling/backbone/resnet.py: its stages count from the stem, a normalisation is
#: a part of its convolution.
_RESNET_DETECTRON2: Pairs = [
    ('bn1', 'stem.conv1.norm'),
    ('conv1', 'stem.conv1'),
    *(
        pair
        for stage in (1, 2, 3, 4)
        for pair in (
            (f'layer{stage}.#.bn#', f'res{stage + 1}.#.conv#.norm'),
            (f'layer{stage}.#.conv#', f'res{stage + 1}.#.conv#'),
            (f'layer{stage}.#.downsample.1', f'res{stage + 1}.#.shortcut.norm'),
            (f'layer{stage}.#.downsample.0', f'res{stage + 1}.#.shortcut'),
        )
    ),
]
_VIT_TIMM: Pairs = [
    ('cls_token', 'cls_token'),
    ('pos_embed', 'pos_embed'),
    ('patch_embed.projection', 'patch_embed.proj'),
    ('layers.#.ln1', 'blocks.#.norm1'),
    ('layers.#.attn.qkv', 'blocks.#.attn.qkv'),
    ('layers.#.attn.proj', 'blocks.#.attn.proj'),
    ('layers.#.attn.gamma1.weight', 'blocks.#.ls1.gamma'),
    ('layers.#.ln2', 'blocks.#.norm2'),
    ('layers.#.ffn.layers.0.0', 'blocks.#.mlp.fc1'),
    ('layers.#.ffn.layers.1', 'blocks.#.mlp.fc2'),
    ('layers.#.ffn.gamma2.weight', 'blocks.#.ls2.gamma'),
    ('ln1', 'norm'),
]
_LAYER = 'encoder.layers.encoder_layer_#'
#: nn.MultiheadAttention keeps query, key and value in one matrix, in the order of `qkv`.
_VIT_TORCHVISION: Pairs = [
    ('cls_token', 'class_token'),
    ('pos_embed', 'encoder.pos_embedding'),
    ('patch_embed.projection', 'conv_proj'),
    ('layers.#.ln1', f'{_LAYER}.ln_1'),
    ('layers.#.attn.qkv.weight', f'{_LAYER}.self_attention.in_proj_weight'),
    ('layers.#.attn.qkv.bias', f'{_LAYER}.self_attention.in_proj_bias'),
    ('layers.#.attn.proj', f'{_LAYER}.self_attention.out_proj'),
    ('layers.#.ln2', f'{_LAYER}.ln_2'),
    ('layers.#.ffn.layers.0.0', f'{_LAYER}.mlp.0'),
    ('layers.#.ffn.layers.1', f'{_LAYER}.mlp.3'),
    ('ln1', 'encoder.ln'),
]
_TABLES: dict[str, dict[str, Pairs]] = {
    'torchvision': {'ResNet': _RESNET, 'ViT': _VIT_TORCHVISION},
    # ResNet-D first: read back, its `conv1.0` is also something below a `conv1`
    'timm': {'ResNet-D': _RESNET_D_TIMM, 'ResNet': _RESNET_TIMM, 'ViT': _VIT_TIMM},
    'detectron2': {'ResNet': _RESNET_DETECTRON2},
}
LIBRARIES = tuple(_TABLES)
#: No part of the features: classifiers, and what stands for hidden patches in pre-training.
_NO_FEATURES = ('fc.', 'head.', 'heads.', 'linear.', 'mask_token')


def to_library(weights: Mapping[str, Tensor], library: str) -> dict[str, Tensor]:
    """Backbone weights under the names of another library; the tensors are the same.

    Equal weights are equal features where the architectures are: a plain or a deep-stem
    (``ResNetV1d``: timm alone) ResNet or ResNeXt of style ``pytorch``, whose blocks stride in
    their 3 x 3 convolution, and mmpretrain's VisionTransformer (timm, torchvision).

    Args:
        weights (Mapping[str, Tensor]): By the backbone's own names.
        library (str): ``'torchvision'``, ``'timm'`` or ``'detectron2'``.

    Returns:
        dict[str, Tensor]: Without a mask token.

    Raises:
        ValueError: If a weight has no place there, or the library is another.
    """
    return _convert(weights, library, back=False)


def from_library(weights: Mapping[str, Tensor], library: str) -> dict[str, Tensor]:
    """The inverse of :func:`to_library`; a classifier on top is left out."""
    return _convert(weights, library, back=True)


def _convert(weights: Mapping[str, Tensor], library: str, *, back: bool) -> dict[str, Tensor]:
    if library not in _TABLES:
        raise ValueError(f'`library` must be one of {", ".join(LIBRARIES)}, but got {library!r}')
    keys = [key for key in weights if not key.startswith(_NO_FEATURES)]
    tables = _TABLES[library].values()
    attempts = [
        _rename(keys, [pair[::-1] for pair in pairs] if back else pairs) for pairs in tables
    ]
    names = max(attempts, key=len)
    left = [f'{key} {tuple(weights[key].shape)}' for key in keys if key not in names]
    if left or not names:
        raise ValueError(
            f'{"OpenMMLab" if back else library} has no place for '
            f'{", ".join(left[:4]) or "no weights at all"}'
            + (f' and {len(left) - 4} more' if len(left) > 4 else '')
        )
    return {names[key]: weights[key] for key in keys}


def _rename(keys: Iterable[str], pairs: Pairs) -> dict[str, str]:
    """New names by old ones, of all that have one."""
    rules = [_rule(old, new) for old, new in pairs]
    names = {}
    for key in keys:
        found = (match.expand(new) for old, new in rules if (match := old.fullmatch(key)))
        if name := next(found, None):
            names[key] = name
    return names


def _rule(old: str, new: str) -> tuple[re.Pattern[str], str]:
    """Pattern and template, with a group for each ``#`` and one for what stands behind."""
    groups = old.count('#')
    for i in range(1, groups + 1):
        new = new.replace('#', rf'\g<{i}>', 1)
    pattern = re.escape(old).replace(r'\#', r'(\d+)') + r'((?:\..+)?)'
    return re.compile(pattern), rf'{new}\g<{groups + 1}>'
