"""Sources of backgrounds for BackgroundSwap, one file a source."""

from .base import Background
from .donor import DonorBackground
from .folder import FolderBackground
from .grey import GreyBackground
from .mean import MeanBackground
from .mixture import MixtureBackground
from .noise import NoiseBackground
from .recent import RecentBackground

__all__ = [
    'Background',
    'DonorBackground',
    'FolderBackground',
    'GreyBackground',
    'MeanBackground',
    'MixtureBackground',
    'NoiseBackground',
    'RecentBackground',
]
