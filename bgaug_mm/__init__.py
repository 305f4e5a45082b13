"""Background augmentations, saliency masks and hard views for OpenMMLab.

Importing this package makes ``bgaug_mm::…`` config paths resolvable and makes
mmselfsup importable (see :mod:`bgaug_mm.compat`). It imports neither mmselfsup
nor mmpretrain: they are loaded when a config names their scope.
"""

from .environment import require
from .version import __version__

# Before anything imports them, so that the error names the install command.
require('torch', 'mmengine', 'mmcv', 'cv2')

from .compat import install  # noqa: E402

install()

__all__ = ['__version__']
