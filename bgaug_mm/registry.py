"""Child registries of mmengine's, scope ``bgaug_mm``.

``type='bgaug_mm.X'`` in a config imports what defines ``X``; no
``custom_imports`` needed. Registries that hold nothing of ours exist so that a
config inherited through ``bgaug_mm::…`` (mmengine then builds its parts in the
scope ``bgaug_mm``) finds upstream's modules through the parent, without a
warning.
"""

from mmengine import registry as _root
from mmengine.registry import Registry

_SCOPE = 'bgaug_mm'
_EMPTY = ['bgaug_mm.registry']  # nothing to import, and nothing to warn about


def _child(name: str, parent: Registry, locations: list[str] | None = None) -> Registry:
    return Registry(name, parent=parent, scope=_SCOPE, locations=locations or _EMPTY)


DATASETS = _child('dataset', _root.DATASETS, ['bgaug_mm.datasets'])
TRANSFORMS = _child('transform', _root.TRANSFORMS, ['bgaug_mm.datasets.transforms'])
HOOKS = _child('hook', _root.HOOKS, ['bgaug_mm.engine.hooks', 'bgaug_mm.detection'])

#: Sources of background images for BackgroundSwap (a registry of our own).
BACKGROUNDS = Registry('background', scope=_SCOPE, locations=['bgaug_mm.datasets.backgrounds'])

#: Per-sample losses of the algorithms, for HardViewSelectionHook (a registry of our own).
VIEW_SCORERS = Registry(
    'view scorer', scope=_SCOPE, locations=['bgaug_mm.engine.hard_views.scorers']
)

#: Estimators of saliency masks (a registry of our own).
SALIENCY_ESTIMATORS = Registry('saliency estimator', scope=_SCOPE, locations=['bgaug_mm.saliency'])

MODELS = _child('model', _root.MODELS, ['bgaug_mm.models', 'bgaug_mm.detection'])
MODEL_WRAPPERS = _child('model_wrapper', _root.MODEL_WRAPPERS)
WEIGHT_INITIALIZERS = _child('weight initializer', _root.WEIGHT_INITIALIZERS)
RUNNERS = _child('runner', _root.RUNNERS)
RUNNER_CONSTRUCTORS = _child('runner constructor', _root.RUNNER_CONSTRUCTORS)
LOOPS = _child('loop', _root.LOOPS)
DATA_SAMPLERS = _child('data sampler', _root.DATA_SAMPLERS)
OPTIMIZERS = _child('optimizer', _root.OPTIMIZERS)
OPTIM_WRAPPERS = _child('optim_wrapper', _root.OPTIM_WRAPPERS)
OPTIM_WRAPPER_CONSTRUCTORS = _child(
    'optimizer wrapper constructor', _root.OPTIM_WRAPPER_CONSTRUCTORS
)
PARAM_SCHEDULERS = _child('parameter scheduler', _root.PARAM_SCHEDULERS)
METRICS = _child(
    'metric', _root.METRICS, ['bgaug_mm.evaluation.robustness.metric', 'bgaug_mm.detection']
)
EVALUATOR = _child('evaluator', _root.EVALUATOR)
TASK_UTILS = _child('task util', _root.TASK_UTILS)
VISUALIZERS = _child('visualizer', _root.VISUALIZERS)
VISBACKENDS = _child('visualizer backend', _root.VISBACKENDS)
LOG_PROCESSORS = _child('log_processor', _root.LOG_PROCESSORS)
FUNCTIONS = _child('function', _root.FUNCTIONS, ['bgaug_mm.datasets'])
INFERENCERS = _child('inferencer', _root.INFERENCERS)
