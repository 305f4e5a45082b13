"""Everything that makes foreign packages load, one remedy a function."""

from .adversarial_toolbox import import_adversarial_toolbox
from .checkpoints import CheckpointError, allow_checkpoint_globals, load_checkpoints_safely
from .config_paths import config_path, resolve_base_paths
from .mmselfsup import install_import_remedies

__all__ = [
    'CheckpointError',
    'allow_checkpoint_globals',
    'config_path',
    'import_adversarial_toolbox',
    'install',
]


def install() -> None:
    """Apply every remedy whose cause is present (idempotent)."""
    install_import_remedies()
    resolve_base_paths()
    load_checkpoints_safely()
