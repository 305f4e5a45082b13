"""Made worlds: objects on backgrounds with a known class-background correlation."""

from .command import add_world_options, make_world
from .composing import (
    CHALLENGE_SETS,
    SETS,
    ComposedImage,
    Fold,
    Triplet,
    WorldSource,
    compose_world,
    count_images,
    paired_background,
)
from .digits import Digits, Photos
from .files import background_crop, opaque_box, read_rgb, read_rgba, split_items
from .image_folders import Cutouts, Textures, file_digest
from .pools import ObjectPool, PlatePool, PooledSource
from .writing import WorldFile, write_world

__all__ = [
    'CHALLENGE_SETS',
    'SETS',
    'ComposedImage',
    'Cutouts',
    'Digits',
    'Fold',
    'ObjectPool',
    'Photos',
    'PlatePool',
    'PooledSource',
    'Textures',
    'Triplet',
    'WorldFile',
    'WorldSource',
    'add_world_options',
    'background_crop',
    'compose_world',
    'count_images',
    'file_digest',
    'make_world',
    'opaque_box',
    'paired_background',
    'read_rgb',
    'read_rgba',
    'split_items',
    'write_world',
]
