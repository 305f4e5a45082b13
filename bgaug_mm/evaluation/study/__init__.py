"""A whole study as jobs that can be interrupted: ``tools/evaluation/study.py``."""

from .config import background_op, run_config, treat
from .file import read_study
from .known import read_known
from .masks import make_masks
from .plan import plan
from .plot import plot_study
from .report import markdown
from .results import Results, collect
from .spec import Arm, Method, Run, Study, World

__all__ = [
    'Arm',
    'Method',
    'Results',
    'Run',
    'Study',
    'World',
    'background_op',
    'collect',
    'make_masks',
    'markdown',
    'plan',
    'plot_study',
    'read_known',
    'read_study',
    'run_config',
    'treat',
]
