"""Pictures of data and of results."""

from .bar_chart import bar_chart
from .contact_sheet import contact_sheet
from .files import write_bytes

__all__ = ['bar_chart', 'contact_sheet', 'write_bytes']
