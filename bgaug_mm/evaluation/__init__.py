"""What features are worth: probes on frozen backbones, and the background gap."""

from .background_gap import (
    TEST_SETS,
    ImageSet,
    LabelledFeatures,
    embedding_spread,
    evaluate_backbone,
    foreground_preference,
    gap_scores,
    list_triplets,
    list_world,
)
from .checkpoint_config import config_from_text
from .classifier import FrozenClassifier
from .features import (
    FrozenBackbone,
    build_frozen_backbone,
    extract_features,
    load_backbone_weights,
    load_frozen_backbone,
    read_checkpoint,
    stored_config,
)
from .knn import knn_predict
from .linear_probe import LinearProbe, fit_linear_probe
from .table import COLUMNS, format_score, score_table

__all__ = [
    'COLUMNS',
    'TEST_SETS',
    'FrozenBackbone',
    'FrozenClassifier',
    'ImageSet',
    'LabelledFeatures',
    'LinearProbe',
    'build_frozen_backbone',
    'config_from_text',
    'embedding_spread',
    'evaluate_backbone',
    'extract_features',
    'fit_linear_probe',
    'foreground_preference',
    'format_score',
    'gap_scores',
    'knn_predict',
    'list_triplets',
    'list_world',
    'load_backbone_weights',
    'load_frozen_backbone',
    'read_checkpoint',
    'score_table',
    'stored_config',
]
