"""What features are worth: probes on frozen backbones, and the background gap."""

from ..checkpoints import (
    config_from_text,
    load_backbone_weights,
    read_checkpoint,
    stored_config,
)
from .attacks.attack import FGSM, PGD, Attack, AttackResult, attack_accuracy
from .attacks.input_gradients import GradientShare, gradient_share
from .measures import Measure
from .networks.classifier import FrozenClassifier, LoadedClassifier, load_classifier
from .networks.features import (
    FrozenBackbone,
    build_frozen_backbone,
    extract_features,
    load_frozen_backbone,
)
from .predictions import SetPredictions, load_predictions, save_predictions
from .probes.background_gap import (
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
from .probes.feature_bank import FeatureBank, extract_feature_bank, open_feature_bank
from .probes.knn import knn_predict
from .probes.labelled_images import LabelledImages, list_labelled_images
from .probes.linear_probe import LinearProbe, fit_linear_probe
from .probes.minibatch_probe import fit_linear_probe_in_batches
from .probes.probe_file import load_linear_probe, save_linear_probe
from .probes.structure import structure_scores
from .robustness.evaluator import evaluate_robustness
from .robustness.sets import ROBUSTNESS_SETS
from .statistics import Estimate, bootstrap, over_seeds, paired_difference
from .suite.options import SuiteOptions
from .suite.results import Evaluation, read_runs
from .suite.run_result import RunResult
from .suite.table import COLUMNS
from .suite.world import evaluate_world

__all__ = [
    'COLUMNS',
    'FGSM',
    'OPTIONAL_SETS',
    'PGD',
    'ROBUSTNESS_SETS',
    'TEST_SETS',
    'Attack',
    'AttackResult',
    'Estimate',
    'Evaluation',
    'FeatureBank',
    'FrozenBackbone',
    'FrozenClassifier',
    'GradientShare',
    'ImageSet',
    'LabelledFeatures',
    'LabelledImages',
    'LinearProbe',
    'LoadedClassifier',
    'Measure',
    'RunResult',
    'SetPredictions',
    'SuiteOptions',
    'attack_accuracy',
    'bootstrap',
    'build_frozen_backbone',
    'config_from_text',
    'embedding_spread',
    'evaluate_backbone',
    'evaluate_robustness',
    'evaluate_world',
    'extract_feature_bank',
    'extract_features',
    'fit_linear_probe',
    'fit_linear_probe_in_batches',
    'foreground_preference',
    'gap_scores',
    'gradient_share',
    'knn_predict',
    'list_labelled_images',
    'list_triplets',
    'list_world',
    'load_backbone_weights',
    'load_classifier',
    'load_frozen_backbone',
    'load_linear_probe',
    'load_predictions',
    'open_feature_bank',
    'over_seeds',
    'paired_difference',
    'read_checkpoint',
    'read_runs',
    'save_linear_probe',
    'save_predictions',
    'stored_config',
    'structure_scores',
]
