"""Pictures of data and of results."""

from .bar_chart import bar_chart
from .contact_sheet import contact_sheet
from .device_views import has_device_op, with_device_views
from .html_report import Section, html_report
from .line_panels import Line, Panel, line_panels
from .mask_outline import with_outline
from .negative_views import matched_settings, with_matched_negatives
from .sample_views import (
    SampleViews,
    View,
    build_training_dataset,
    find_images,
    sample_views,
)
from .training_log import find_logs, read_scalars, read_validation, train_minutes
from .view_recipe import RECIPE_HEAD, Recipe, read_recipe
from .views_page import views_page
from .views_sheet import views_sheet

__all__ = [
    'RECIPE_HEAD',
    'Line',
    'Panel',
    'Recipe',
    'SampleViews',
    'Section',
    'View',
    'bar_chart',
    'build_training_dataset',
    'contact_sheet',
    'find_images',
    'find_logs',
    'has_device_op',
    'html_report',
    'line_panels',
    'matched_settings',
    'read_recipe',
    'read_scalars',
    'read_validation',
    'sample_views',
    'train_minutes',
    'views_page',
    'views_sheet',
    'with_device_views',
    'with_matched_negatives',
    'with_outline',
]
