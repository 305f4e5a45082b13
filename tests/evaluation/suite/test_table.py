from bgaug_mm.evaluation import format_score, score_table


def test_table_is_aligned():
    scores = {'plain': {'original': 81.26, 'x': None}, 'b': {'original': 100.0, 'x': 3}}
    assert score_table(scores, ['original', 'x']) == (
        '      original      x\n'
        'plain     81.3      -\n'
        'b        100.0    3.0'
    )  # fmt: skip


def test_missing_scores_are_dashes():
    assert format_score(None) == '-'
    assert score_table({'a': {}}, ['k']).splitlines()[1].split() == ['a', '-']
    assert score_table({}, ['k']).split() == ['k']
