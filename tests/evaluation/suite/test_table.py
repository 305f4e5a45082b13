import numpy as np

from bgaug_mm.evaluation import COLUMNS
from bgaug_mm.evaluation.measures import Measure
from bgaug_mm.evaluation.statistics import over_seeds
from bgaug_mm.evaluation.suite.results import Evaluation
from bgaug_mm.evaluation.suite.run_result import RunResult
from bgaug_mm.evaluation.suite.table import cell, score_rows, text_table


def run(label, **values):
    measures = {name: Measure(['a', 'b'], np.array(pair)) for name, pair in values.items()}
    return RunResult(label=label, checkpoint='', data='w', measures=measures)


def test_a_row_a_figure_with_intervals_and_dashes():
    runs = [run('plain', original=[100.0, 100.0]), run('b c', only_fg=[0.0, 0.0])]
    rows = score_rows(Evaluation(suite='mini', runs=runs), ['original', 'only_fg', 'x'])
    assert rows == [
        ['', 'plain', 'b c'],
        ['original', '100.0 (100.0–100.0)', '-'],
        ['only_fg', '-', '0.0 (0.0–0.0)'],
        ['x', '-', '-'],
    ]
    assert [row[0] for row in score_rows(Evaluation(suite='mini', runs=runs))[1:]] == list(COLUMNS)


def test_cells():
    assert cell('original', None) == '-'
    assert cell('original', over_seeds([1.26])) == '1.3 (1 seed)'


def test_columns_are_aligned():
    assert text_table([['', 'a'], ['long', 'b'], ['x', '']]) == '      a\nlong  b\nx'
