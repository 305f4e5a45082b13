import pytest

from bgaug_mm.failures import one_line


@pytest.mark.parametrize(
    ('error', 'line'),
    [
        (ValueError('two\n  lines'), 'two lines'),
        (FileNotFoundError('x is missing'), 'x is missing'),
        (ValueError(), 'ValueError'),
        (AssertionError(), 'AssertionError'),
        (KeyError('x'), "KeyError: 'x'"),
        (AttributeError("'list' has\nno x"), "AttributeError: 'list' has no x"),
    ],
)
def test_one_line(error, line):
    assert one_line(error) == line
