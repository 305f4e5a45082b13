"""A few of many."""

from __future__ import annotations


def evenly(total: int, most: int) -> list[int]:
    """Indices of `most` of `total` things, or of all if they are fewer, evenly spaced."""
    count = min(most, total)
    return [index * total // count for index in range(count)]
