"""What a failure says of itself."""

from __future__ import annotations

#: What clear errors are made of; their text is enough.
_CLEAR = (ValueError, OSError, RuntimeError, ImportError)


def one_line(error: BaseException) -> str:
    """The text of an error in one line, with its type where the text alone may say too little.

    Args:
        error: Any. Of a ValueError, OSError, RuntimeError or ImportError the text is given, of
            others (``KeyError: 'x'``, ``AssertionError``) the type before it.
    """
    text = ' '.join(str(error).split())
    if text and isinstance(error, _CLEAR):
        return text
    return f'{type(error).__name__}: {text}' if text else type(error).__name__
