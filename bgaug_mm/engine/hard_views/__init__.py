"""Hard view selection: scorers turn views into losses, selection picks, the hook connects."""

from .scoring import scoring
from .selection import candidate_pairs, choose, gather_views, select_pair

__all__ = ['candidate_pairs', 'choose', 'gather_views', 'scoring', 'select_pair']
