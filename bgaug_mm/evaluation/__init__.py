"""What features are worth: probes on frozen backbones, and the background gap."""

from .background_gap import (
    OPTIONAL_SETS,
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
from .checkpoint_weights import load_backbone_weights, read_checkpoint, stored_config
from .classifier import FrozenClassifier
from .features import (
    FrozenBackbone,
    build_frozen_backbone,
    extract_features,
    load_frozen_backbone,
)
from .knn import knn_predict
from .linear_probe import LinearProbe, fit_linear_probe
from .predictions import SetPredictions, load_predictions, save_predictions
from .statistics import Estimate, bootstrap, over_seeds, paired_difference
from .table import COLUMNS, format_score, score_table

__all__ = [
    'COLUMNS',
    'OPTIONAL_SETS',
    'TEST_SETS',
    'Estimate',
    'FrozenBackbone',
    'FrozenClassifier',
    'ImageSet',
    'LabelledFeatures',
    'LinearProbe',
    'SetPredictions',
    'bootstrap',
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
    'load_predictions',
    'over_seeds',
    'paired_difference',
    'read_checkpoint',
    'save_predictions',
    'score_table',
    'stored_config',
]
