"""Background augmentations, saliency masks and hard views for OpenMMLab.

Importing this package makes ``bgaug_mm::…`` config paths resolvable and makes
mmselfsup importable (see :mod:`bgaug_mm.compat`). It imports neither mmselfsup
nor mmpretrain: they are loaded when a config names their scope.
"""

from .compat import install
from .version import __version__

install()

__all__ = ['__version__']
