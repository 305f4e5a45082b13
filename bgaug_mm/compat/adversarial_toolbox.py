"""The Adversarial Robustness Toolbox without its changes to logging."""

from __future__ import annotations

import sys
from unittest import mock


def import_adversarial_toolbox() -> None:
    """Import ``art``, leaving the log handlers of this process as they are.

    Importing it calls ``logging.config.dictConfig``, which closes every handler there is: the
    log file of a Runner, and with it ``init_weights``, which writes there, would end in
    "'NoneType' object has no attribute 'write'". Seen with 1.20.1; can go when importing it
    configures no logging.
    """
    if 'art' not in sys.modules:
        with mock.patch('logging.config.dictConfig'):
            import art  # noqa: F401
