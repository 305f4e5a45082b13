# configs/benchmarks/linear_resnet50_lars_90e.py over mmpretrain.
_base_ = 'mmpretrain::simsiam/benchmarks/resnet50_8xb512-linear-coslr-90e_in1k.py'
custom_hooks = [dict(type='bgaug_mm.PretrainedBackboneHook')]
