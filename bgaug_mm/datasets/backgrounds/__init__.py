"""Sources of backgrounds for BackgroundSwap, one file a source."""

from .base import Background
from .folder import FolderBackground
from .grey import GreyBackground
from .recent import RecentBackground

__all__ = ['Background', 'FolderBackground', 'GreyBackground', 'RecentBackground']
