from bgaug_mm.evaluation.evenly import evenly


def test_evenly():
    assert evenly(10, 3) == [0, 3, 6]
    assert evenly(3, 10) == [0, 1, 2]
    assert evenly(0, 4) == []
