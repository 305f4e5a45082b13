"""What the figures of the suites are called, what they mean, and in what order they stand."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..probes.background_gap import OPTIONAL_SETS, TEST_SETS

#: Heading of a table → the figures in it; a name may be a regular expression.
GROUPS = {
    'Linear probe': (*TEST_SETS, *OPTIONAL_SETS, 'worst_background', 'bg_gap', 'net_gap'),
    'Nearest neighbours': (*(f'knn_{name}' for name in (*TEST_SETS, 'no_fg')), 'knn_bg_gap'),
    'Features': ('fgpref', 'heat', 'gradient', 'object_area', 'spread'),
    'Structure': ('undistorted', r'gamma_.*', r'patches_.*', r'pixels_.*'),
    'Attacks': ('attacked', r'fgsm_.*', r'pgd_[\d.]+', r'pgd_.*'),
    'ImageNet and its variations': (
        *('imagenet', 'imagenet_real', r'imagenet_v2.*', 'imagenet_a', 'imagenet_r'),
        *('imagenet_sketch', 'objectnet'),
    ),
    'ImageNet-9': (r'imagenet9_.*', 'backgrounds_challenge'),
    'Errors under corruption (ImageNet-C)': (
        *('imagenet_c_mce', 'imagenet_c_relative_mce', r'imagenet_c_ce_.*'),
    ),
    'Accuracy under corruption (ImageNet-C)': (r'imagenet_c_.*',),
}
#: Figures that are not in percent.
NUMBERS = {'spread'}
_MEANINGS = {
    'original': 'objects on backgrounds that go with their class as often as in training',
    'mixed_same': 'objects on another background of the same class',
    'mixed_rand': 'objects on a background of a random class',
    'mixed_next': "objects on the next class's background",
    'only_fg': 'objects on plain grey',
    'only_bg': 'backgrounds without objects: what is right here was read off the background',
    'no_fg': 'objects cut out, their shape left: right by shape and background',
    'adversarial': 'objects on every background class in turn',
    'worst_background': 'objects named right on every background class',
    'bg_gap': 'mixed_same minus mixed_rand; smaller is better',
    'net_gap': 'bg_gap minus that of the control, trained where backgrounds say nothing',
    'fgpref': 'how often the same object elsewhere is more similar than another object on the '
    'same background',
    'heat': 'share of the heat map of the true class that lies on the object, images of mixed_rand',
    'gradient': 'the same of the energy of the input gradient',
    'object_area': 'share of those images that the object covers: heat spread evenly gives this',
    'spread': 'of the normalised training features: 1 spread over the sphere, 0 collapsed; '
    'a number, not percent',
    'attacked': 'the attacked images as they are: some of mixed_rand, or of the set noted below',
    r'fgsm_l2_(.+)': 'one gradient step of length \\1, all pixels together, of an image of 0 to 1',
    r'pgd_l2_([\d.]+)': 'gradient steps within the length \\1',
    r'pgd_(\w+)_l2_([\d.]+)': 'the same within the length \\2, on the \\1 alone',
    r'fgsm_(.+)': 'one signed gradient step of \\1/255 a pixel',
    r'pgd_([\d.]+)': 'gradient steps within \\1/255 a pixel',
    r'pgd_(\w+)_([\d.]+)': 'the same within \\2/255, on the \\1 alone',
    'undistorted': 'the distorted images as they are: some of original, or of the set noted below',
    r'gamma_(.+)': 'their values raised to the power \\1',
    r'patches_(.+)': 'cut into \\1 x \\1 patches that change places',
    r'pixels_(.+)': 'cut into \\1 x \\1 patches whose pixels change places within',
    'imagenet': 'the validation set',
    'imagenet_real': 'its images with all the classes that they show, any of which is right',
    r'imagenet_v2(.*)': 'photographs gathered anew',
    'imagenet_a': 'photographs that networks get wrong, among 200 classes',
    'imagenet_r': 'drawings, toys, statues of 200 classes',
    'imagenet_sketch': 'black and white sketches',
    'objectnet': 'household objects turned and misplaced, of the classes that ImageNet has',
    'imagenet9_original': 'photographs of nine groups of classes',
    'imagenet9_mixed_same': 'objects on another background of the same group',
    'imagenet9_mixed_rand': 'objects on the background of a random group',
    'imagenet9_mixed_next': "objects on the next group's background",
    'imagenet9_only_fg': 'objects on black',
    'imagenet9_only_bg_b': "backgrounds, the object's box black",
    'imagenet9_only_bg_t': "backgrounds, the object's box tiled over",
    'imagenet9_no_fg': 'objects cut out, their shape left black',
    'imagenet9_bg_gap': 'mixed_same minus mixed_rand; smaller is better',
    'backgrounds_challenge': 'objects named right on every background of the set',
    'imagenet_c_mce': "mean of the errors below, AlexNet's being 100; smaller is better",
    'imagenet_c_relative_mce': "the same of what corruption adds to the error, AlexNet's being "
    '100; smaller is better',
    r'imagenet_c_ce_(.+)': "error under \\1, all severities, in percent of AlexNet's; smaller is "
    'better',
    r'imagenet_c_([a-z_]+)_(\d)': 'under \\1 of severity \\2',
}


def meaning(name: str) -> str:
    """What a figure is, in a line; empty for one that is not of the suites."""
    prefix = 'by nearest neighbours: ' if name.startswith('knn_') else ''
    name = name.removeprefix('knn_')
    for pattern, text in _MEANINGS.items():
        match = re.fullmatch(pattern, name)
        if match:
            return prefix + match.expand(text)
    return ''


def grouped(names: Iterable[str]) -> dict[str, list[str]]:
    """Headings and the figures under them; what no group knows comes last."""
    left, found = list(names), {}
    for title, patterns in GROUPS.items():
        chosen = [name for pattern in patterns for name in left if re.fullmatch(pattern, name)]
        found[title] = list(dict.fromkeys(chosen))
        left = [name for name in left if name not in chosen]
    found['Figures'] = left
    return {title: chosen for title, chosen in found.items() if chosen}
