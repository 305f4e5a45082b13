"""Made worlds: objects on backgrounds with a known class-background correlation."""

from .command import add_world_options, make_world
from .composing import SETS, ComposedImage, Fold, WorldSource, compose_world, paired_background
from .files import background_crop, opaque_box, read_rgb, read_rgba, split_items
from .writing import write_world

__all__ = [
    'SETS',
    'ComposedImage',
    'Fold',
    'WorldSource',
    'add_world_options',
    'background_crop',
    'compose_world',
    'make_world',
    'opaque_box',
    'paired_background',
    'read_rgb',
    'read_rgba',
    'split_items',
    'write_world',
]
