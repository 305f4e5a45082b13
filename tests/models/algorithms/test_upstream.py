"""Classes made of a mixin and an algorithm of either library."""

import pickle
import subprocess
import sys

import pytest
import torch
from torch import nn

from bgaug_mm.models.algorithms import image_mixture, matched_negatives_moco
from bgaug_mm.models.algorithms.image_mixture import Mixing
from bgaug_mm.models.algorithms.matched_negatives_moco import MatchedNegatives
from bgaug_mm.models.algorithms.upstream import combine, criterion, recorded, upstream_module

KINDS = [(MatchedNegatives, 'MoCo'), (Mixing, 'BYOL'), (Mixing, 'SimSiam')]
BACKENDS = ['mmselfsup', 'mmpretrain']


@pytest.mark.parametrize('backend', BACKENDS)
@pytest.mark.parametrize(('mixin', 'name'), KINDS)
def test_combined_class(mixin, name, backend):
    made = combine(mixin, f'{backend}.{name}')
    assert made is combine(mixin, f'{backend}.{name}')
    assert made.__mro__[1] is mixin
    upstream = made.__mro__[2]
    assert (upstream.__name__, upstream.__module__.split('.')[0]) == (name, backend)
    assert pickle.loads(pickle.dumps(made)) is made


def test_class_is_found_by_a_fresh_process():
    """What unpickling does there: an attribute of the module, made on demand."""
    for module, name in (
        (matched_negatives_moco, 'MatchedNegatives_mmpretrain_MoCo'),
        (image_mixture, 'Mixing_mmselfsup_BYOL'),
    ):
        assert getattr(module, name).__name__ == name
        with pytest.raises(AttributeError, match="has no attribute 'Other_mmselfsup_MoCo'"):
            getattr(module, 'Other_mmselfsup_MoCo')  # noqa: B009


def test_unknown_backend():
    with pytest.raises(ValueError, match=r"`backend` must be one of \['mmpretrain', 'mmselfsup'\]"):
        combine(Mixing, 'lightly.BYOL')


@pytest.mark.parametrize('backend', BACKENDS)
def test_upstreams_module_and_criterion(build, backend):
    model = build('MatchedNegativesMoCo', backend)
    module = upstream_module(model)
    assert module.__name__.startswith(f'{backend}.') and module.batch_shuffle_ddp
    assert type(criterion(model.head)).__name__ == 'CrossEntropyLoss'


def test_recorded_takes_each_call_and_leaves_no_hook():
    layer = nn.Linear(2, 3)
    with recorded(layer, lambda args, output: output) as outputs:
        expected = [layer(torch.ones(1, 2)), layer(torch.zeros(1, 2))]
    layer(torch.ones(1, 2))
    assert len(outputs) == 2 and outputs[0] is expected[0] and outputs[1] is expected[1]
    with pytest.raises(RuntimeError), recorded(layer, lambda args, output: args[0]):
        layer(torch.ones(1, 7))
    assert not layer._forward_hooks


def test_importing_ours_imports_neither_library():
    code = 'import sys, bgaug_mm.models; print({"mmselfsup", "mmpretrain"} & set(sys.modules))'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == 'set()'
