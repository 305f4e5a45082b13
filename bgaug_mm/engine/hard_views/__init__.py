"""Hard view selection: scorers turn views into losses, selection picks, the hook connects."""

from .crop_selection import crop_loss, select_crops
from .scoring import scoring
from .selection import candidate_pairs, choose, gather_views, select_pair

__all__ = [
    'candidate_pairs',
    'choose',
    'crop_loss',
    'gather_views',
    'scoring',
    'select_crops',
    'select_pair',
]
