import json
import sys

import pytest
import torch

SMALL = {
    'bgaug_mm::dino.py': dict(
        backbone=dict(
            arch=dict(
                _delete_=True, embed_dims=32, num_layers=2, num_heads=2, feedforward_channels=32
            ),
            img_size=32, drop_path_rate=0.0,
        ),
        head=dict(in_channels=32, out_channels=16, hidden_channels=16, bottleneck_channels=8),
    ),
    'bgaug_mm::mmpretrain/simsiam_hvs.py': dict(
        backbone=dict(depth=18, stem_channels=4, base_channels=4),
        neck=dict(in_channels=32, hid_channels=16, out_channels=16),
        head=dict(predictor=dict(in_channels=16, hid_channels=8, out_channels=16)),
    ),
}  # fmt: skip


@pytest.fixture(scope='module')
def bench(root):
    sys.path.insert(0, str(root / 'tools/benchmarks'))
    try:
        import bench_hard_views

        yield bench_hard_views
    finally:
        sys.path.remove(str(root / 'tools/benchmarks'))


def test_theory_by_hand(bench):
    from hard_view_cases import theory_dino, theory_two_view

    assert theory_two_view(4) == pytest.approx(10 / 6)
    assert theory_two_view(4, scale=0.5) == pytest.approx(7 / 6)
    assert theory_two_view(4, every=2) == pytest.approx(8 / 6)
    assert theory_two_view(4, scale=0.5, every=2) == pytest.approx(6.5 / 6)
    # figures of 12.6 F for 2 + 8 crops, 11 of scoring 4 + 16
    assert theory_dino() == pytest.approx(23.6 / 12.6, abs=0.01)
    assert theory_dino(reuse=True) == pytest.approx(21.6 / 12.6, abs=0.01)
    assert theory_dino(scale=0.5) == pytest.approx(15.3 / 12.6, abs=0.01)


def test_gains_by_hand(bench):
    # only the local crop 4 as seen from global view 0 has a loss: the exact choice takes both,
    # a random one with probability 1/2 · 1/2
    matrix = torch.zeros(1, 4, 20)
    matrix[0, 0, 4] = 18.0
    gains = bench.gains(matrix, repeats=20)
    assert gains['gain_exact'] == pytest.approx(1.0)
    assert gains['gain_random64'] == pytest.approx(1.0)  # missed once in 10^8 draws of 64
    independent = torch.randn(32, 4, 20, generator=torch.Generator().manual_seed(0))
    gains = bench.gains(independent, repeats=5)
    assert 0.7 < gains['gain_random64'] < gains['gain_random128'] < gains['gain_exact'] == 1


def test_ratios_are_medians_of_rounds(bench):
    times = dict(plain=[1.0, 2.0, 4.0], exact=[2.0, 3.0, 8.0])
    plain, exact = bench.ratios(times, dict(exact=1.7))
    assert plain['ratio'] == 1 and plain['theory'] is None
    assert (exact['ratio'], exact['lowest'], exact['highest']) == (2.0, 1.5, 2.0)
    assert exact['theory'] == 1.7 and exact['seconds'] == 3.0


def test_naive_choices_are_the_exact_ones_of_few(bench):
    """Of all combinations at hand the copied views are those of the worst one."""
    from hard_view_cases import build, crop_loss, crops, naive_crops

    cpu = torch.device('cpu')
    config = 'bgaug_mm::dino.py'
    runner = build(config, SMALL[config], device=cpu, amp=False)
    views = crops({32: (4, 0.4, 1.0), 16: (16, 0.05, 0.4)}, 3, cpu)
    assert [tuple(view.shape) for view in views[3:5]] == [(3, 3, 32, 32), (3, 3, 16, 16)]
    draws = bench.random_choices(5, torch.Generator().manual_seed(0))
    chosen = naive_crops(runner, views, draws)
    matrix = bench.loss_matrix(runner, views)
    best = torch.stack([crop_loss(matrix, d.expand(3, -1)) for d in draws], 1).argmax(1)
    for sample, number in enumerate(best):
        for view, index in zip(chosen, draws[number], strict=True):
            assert torch.equal(view[sample], views[index][sample])


def test_writes_a_table_and_a_file(bench, tmp_path, monkeypatch, capsys):
    file = tmp_path / 'out.json'
    build = bench.build
    monkeypatch.setattr(bench, 'build', lambda name, _, **built: build(name, SMALL[name], **built))
    options = dict(batch=2, dino_batch=2, size=64, rounds=1, gain_images=2, json=file)
    argv = [f'--{name.replace("_", "-")}={value}' for name, value in options.items()]
    monkeypatch.setattr(sys, 'argv', ['bench', *argv, '--cpu-time'])
    bench.main()
    result = json.loads(file.read_text())
    assert {'exact', 'half_res', 'every_2nd', 'both', 'naive'} == result['two_view'].keys()
    assert {'exact', 'teacher_reuse', 'half_res', 'naive'} <= result['dino'].keys()
    assert all(ratio > 0.5 for ratio in result['two_view'].values())
    assert result['dino']['gain_exact'] == 1
    assert 0 < result['dino']['gain_random64'] <= result['dino']['gain_random128'] <= 1
    theory = {row['row']: row['theory'] for row in result['rows']['two_view']}
    assert theory['exact'] == 1.667 and theory['naive'] is None
    assert 'two_view' in capsys.readouterr().out


def test_processor_time_is_for_the_cpu(bench, monkeypatch, capsys):
    monkeypatch.setattr(sys, 'argv', ['bench', '--device', 'cuda', '--cpu-time'])
    with pytest.raises(SystemExit):
        bench.main()
    assert '--cpu-time is for --device cpu, but got --device cuda' in capsys.readouterr().err
