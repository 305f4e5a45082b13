"""What network weights are of, told from their names and shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_BLOCK = re.compile(r'layer(\d+)\.(\d+)\.conv1\.weight')
_LAYER = re.compile(r'(?:layers|blocks)\.(\d+)\.')
#: Blocks a stage, and the depth with basic blocks and with bottlenecks.
_RESNETS: dict[tuple[int, ...], dict[int, int]] = {
    (2, 2, 2, 2): {2: 18},
    (3, 4, 6, 3): {2: 34, 3: 50},
    (3, 4, 23, 3): {3: 101},
    (3, 8, 36, 3): {3: 152},
}


def describe(weights: Mapping[str, Tensor]) -> str | None:
    """Architecture, depth and width of a backbone; None when it is neither ResNet nor ViT.

    Args:
        weights (Mapping[str, Tensor]): By the backbone's own names.

    Returns:
        str | None: E.g. ``'a ResNet-50, 64 wide'`` or ``'a ViT, 12 layers, 384 wide'``.
    """
    blocks = [tuple(map(int, match.groups())) for match in map(_BLOCK.match, weights) if match]
    if blocks:
        return _describe_resnet(weights, blocks)
    layers = {int(match[1]) for match in map(_LAYER.match, weights) if match}
    width = next((v.shape[-1] for k, v in weights.items() if k.endswith('attn.qkv.weight')), None)
    if layers and width:
        return f'a ViT, {len(layers)} layers, {width} wide'
    return None


def _describe_resnet(weights: Mapping[str, Tensor], blocks: list[tuple[int, ...]]) -> str:
    stages = sorted({stage for stage, _ in blocks})
    counts = tuple(sum(stage == one for one, _ in blocks) for stage in stages)
    first = f'layer{stages[0]}.0'
    convs = 3 if f'{first}.conv3.weight' in weights else 2
    kind = {2: 'basic blocks', 3: 'bottlenecks'}[convs]
    width = weights[f'{first}.conv1.weight'].shape[0] >> (stages[0] - 1)
    depth = _RESNETS.get(counts, {}).get(convs) if stages[0] == 1 else None
    if depth is not None:
        return f'a ResNet-{depth}, {width} wide'
    return f'a ResNet of {"+".join(map(str, counts))} {kind}, {width} wide'
