"""Finding the scorer of an algorithm."""

from unittest.mock import Mock

import pytest
from mmengine.registry import DefaultScope
from torch import nn

from bgaug_mm.engine.hard_views.scorers import GenericScorer, SimSiamScorer, build_scorer
from bgaug_mm.engine.hard_views.scorers import build as module
from bgaug_mm.registry import VIEW_SCORERS


class SimSiam(nn.Module):
    """Of any library."""


class Extended(SimSiam):
    """A user's."""


class Other(nn.Module):
    pass


def test_from_the_class_and_its_bases():
    assert isinstance(build_scorer('auto', SimSiam()), SimSiamScorer)
    assert isinstance(build_scorer('auto', Extended()), SimSiamScorer)


@pytest.mark.parametrize('backend', ['mmselfsup', 'mmpretrain'])
def test_of_our_extensions(backend):
    from bgaug_mm.models.algorithms.image_mixture import Mixing
    from bgaug_mm.models.algorithms.matched_negatives_moco import MatchedNegatives
    from bgaug_mm.models.algorithms.upstream import combine

    for mixin, algorithm in ((MatchedNegatives, 'MoCo'), (Mixing, 'BYOL')):
        extended = combine(mixin, f'{backend}.{algorithm}')
        scorer = build_scorer('auto', extended.__new__(extended))
        assert type(scorer).__name__ == f'{algorithm}Scorer'


def test_by_name_and_config():
    for scorer in (
        'GenericScorer',
        'bgaug_mm.GenericScorer',
        dict(type='bgaug_mm.GenericScorer'),
        GenericScorer(),
    ):
        assert isinstance(build_scorer(scorer, SimSiam()), GenericScorer)


def test_in_another_library_s_scope(monkeypatch):
    said = Mock()
    monkeypatch.setattr('mmengine.logging.print_log', said)
    with DefaultScope.overwrite_default_scope('mmselfsup'):
        for scorer in ('GenericScorer', dict(type='GenericScorer', _scope_='mmselfsup')):
            assert isinstance(build_scorer(scorer, SimSiam()), GenericScorer)
        assert not [call for call in said.call_args_list if 'Failed' in call[0][0]]
        VIEW_SCORERS.build(dict(type='GenericScorer'))  # what it is spared
        assert [call for call in said.call_args_list if 'Failed' in call[0][0]]


def test_unknown_names():
    with pytest.raises(ValueError, match="`scorer` must be 'auto' or one of .*'SimSiamScorer'"):
        build_scorer('simsiam', SimSiam())
    with pytest.raises(ValueError, match='`scorer` must be'):
        build_scorer({}, SimSiam())


def test_no_scorer(monkeypatch):
    with pytest.raises(
        ValueError, match="no scorer knows the loss of Other .known: .*BYOL.*'GenericScorer'"
    ):
        build_scorer('auto', Other())
    said = Mock()
    monkeypatch.setattr(module, 'print_log', said)
    assert isinstance(build_scorer('auto', Other(), strict=False), GenericScorer)
    said.assert_called_once()
    assert 'not its loss' in said.call_args[0][0]
