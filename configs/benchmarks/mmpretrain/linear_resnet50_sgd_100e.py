# configs/benchmarks/linear_resnet50_sgd_100e.py over mmpretrain.
_base_ = 'mmpretrain::mocov2/benchmarks/resnet50_8xb32-linear-steplr-100e_in1k.py'
custom_hooks = [dict(type='bgaug_mm.PretrainedBackboneHook')]
