"""Pictures of data and of results."""

from .bar_chart import bar_chart
from .contact_sheet import contact_sheet
from .html_report import Section, html_report
from .sample_views import SampleViews, build_training_dataset, sample_views

__all__ = [
    'SampleViews',
    'Section',
    'bar_chart',
    'build_training_dataset',
    'contact_sheet',
    'html_report',
    'sample_views',
]
