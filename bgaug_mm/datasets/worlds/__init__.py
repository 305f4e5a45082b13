"""Made worlds: objects on backgrounds with a known class-background correlation.

One object an image in many sets (``compose_world``), or several for detection
(``compose_scene``).
"""

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
from .detection import DetectionSet, detection_files
from .digits import Digits, Photos
from .files import background_crop, opaque_box, read_rgb, read_rgba, split_items
from .image_folders import Cutouts, Textures, file_digest
from .pools import ObjectPool, PlatePool, PooledSource
from .scenes import Scene, SceneOptions, compose_scene
from .writing import WorldFile, write_world

__all__ = [
    'CHALLENGE_SETS',
    'SETS',
    'ComposedImage',
    'Cutouts',
    'DetectionSet',
    'Digits',
    'Fold',
    'ObjectPool',
    'Photos',
    'PlatePool',
    'PooledSource',
    'Scene',
    'SceneOptions',
    'Textures',
    'Triplet',
    'WorldFile',
    'WorldSource',
    'add_world_options',
    'background_crop',
    'compose_scene',
    'compose_world',
    'count_images',
    'detection_files',
    'file_digest',
    'make_world',
    'opaque_box',
    'paired_background',
    'read_rgb',
    'read_rgba',
    'split_items',
    'write_world',
]
