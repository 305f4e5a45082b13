import math

import numpy as np
import pytest

from bgaug_mm.saliency import RBD, build_estimator
from bgaug_mm.saliency.rbd import (
    boundary_connectivity,
    optimal_saliency,
    top_percent,
    weight,
    weighted_contrast,
)
from bgaug_mm.saliency.superpixels import graph_of_labels

GROUND, OBJECT = (40, 90, 60), (200, 40, 40)


def disc(*centers, radius=50, shape=(300, 400)):
    """Uniform discs on uniform ground, and where they are."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    inside = np.zeros(shape, dtype=bool)
    for row, column in centers:
        inside |= (rows - row) ** 2 + (columns - column) ** 2 < radius**2
    return np.where(inside[..., None], OBJECT, GROUND).astype(np.uint8), inside


@pytest.fixture(params=range(2))
def graph(request):
    """20 superpixels of similar random colours, three of them apart."""
    draw = np.random.default_rng(request.param)
    labels = np.arange(20).reshape(4, 5).repeat(10, 0).repeat(10, 1)
    color = np.array([50.0, 0, 0]) + draw.normal(0, 8, (20, 3))
    color[[7, 8, 12]] += 40
    return graph_of_labels(color[labels], labels, band=8)


def test_weight_by_hand():
    np.testing.assert_allclose(
        weight(np.array([0, 2, 6, 6.01]), 2), [1, math.exp(-0.5), math.exp(-4.5), 0]
    )
    np.testing.assert_array_equal(weight(np.array([0, 1e-3]), 0), [1, 0])


def test_top_percent(graph):
    assert top_percent(graph) == pytest.approx(np.sort(graph.distance.ravel())[-4:].mean())


def test_boundary_connectivity_against_loops(graph):
    """The paper's sums over all shortest paths, found by relaxing every edge."""
    n, far = len(graph), graph.distance
    clip = np.mean([min(far[i, j] for j in range(n) if graph.near[i, j]) for i in range(n)])
    first = np.mean([min(far[i, j] for j in range(n) if graph.adjacent[i, j]) for i in range(n)])
    sigma = max(5, min(10, 3 * first, top_percent(graph) / 10))
    path = np.full((n, n), np.inf)
    for i in range(n):
        path[i, i] = 0
        for _ in range(n):
            for j in range(n):
                for k in range(n):
                    if graph.adjacent[j, k] or (graph.border[j] and graph.border[k] and j != k):
                        path[i, k] = min(path[i, k], path[i, j] + max(0, far[j, k] - clip))
    expected = []
    for i in range(n):
        near = [math.exp(-(d**2) / (2 * sigma**2)) if d <= 3 * sigma else 0 for d in path[i]]
        length = sum(w for w, border in zip(near, graph.border, strict=True) if border)
        expected.append(length / math.sqrt(sum(near)))
    np.testing.assert_allclose(boundary_connectivity(graph), expected)


def test_boundary_connectivity_of_a_frame_by_hand():
    """6×6 superpixels, the inner 2×2 of another colour, more than 3σ = 30 away."""
    labels = np.arange(36).reshape(6, 6).repeat(10, 0).repeat(10, 1)
    lab = np.zeros((60, 60, 3))
    lab[20:40, 20:40, 0] = 60
    found = boundary_connectivity(graph_of_labels(lab, labels, band=8))
    inner = np.isin(np.arange(36), [14, 15, 20, 21])
    np.testing.assert_allclose(found[inner], 0)
    np.testing.assert_allclose(found[~inner], 20 / math.sqrt(32))  # border ones, and all of them


def test_weighted_contrast_against_loops(graph):
    background = np.random.default_rng(0).random(20)
    contrast = np.zeros(20)
    for i in range(20):
        for j in range(20):
            apart = math.dist(graph.position[i], graph.position[j])
            contrast[i] += graph.distance[i, j] * math.exp(-(apart**2) / 0.32) * background[j]
    contrast = (contrast - contrast.min()) / (contrast.max() - contrast.min())
    found = weighted_contrast(graph, background)
    kept = found > 0
    np.testing.assert_allclose(found[kept], contrast[kept])
    assert kept[[7, 8, 12]].all() and 0 < kept.sum() < 10
    assert contrast[~kept].max() < contrast[kept].min()  # a threshold parts them


def test_optimal_saliency_minimises_the_cost(graph):
    """The cost of §5 as a sum, whose gradient is zero at the result."""
    draw = np.random.default_rng(0)
    background, foreground = draw.random(20), draw.random(20)
    background[0] = 1000
    sigma = min(3 * graph.nearest(graph.adjacent), 0.2 * top_percent(graph), 20)
    links = np.zeros((20, 20))
    for i in range(20):
        for j in range(20):
            if graph.near[i, j] or (i != j and graph.border[i] and graph.border[j]):
                d = graph.distance[i, j]
                links[i, j] = math.exp(-(d**2) / (2 * sigma**2)) if d <= 3 * sigma else 0
            links[i, j] += 0.1 * graph.adjacent[i, j]

    def cost(s):
        smooth = sum(links[i, j] * (s[i] - s[j]) ** 2 for i in range(20) for j in range(20)) / 2
        return (5 * background * s**2).sum() + (foreground * (s - 1) ** 2).sum() + smooth

    found = optimal_saliency(graph, background, foreground)
    for i in range(20):
        step = np.zeros(20)
        step[i] = 1e-4
        slope = (cost(found + step) - cost(found - step)) / 2e-4
        curvature = (cost(found + step) + cost(found - step) - 2 * cost(found)) / 1e-8
        assert abs(slope) < 1e-4 * curvature


@pytest.mark.parametrize('optimize', [True, False])
@pytest.mark.parametrize('centers', [[(150, 200)], [(100, 110), (190, 290)]])
def test_discs_stand_out(centers, optimize):
    image, inside = disc(*centers)
    saliency = RBD(optimize=optimize)(image)
    assert saliency.shape == inside.shape and saliency.dtype == np.float32
    assert (saliency[inside] > 0.5).all() and (saliency[~inside] < 0.01).all()
    assert saliency[inside].mean() > (0.95 if optimize else 0.8)
    parts = [saliency[row, column] for row, column in centers]
    assert max(parts) - min(parts) < 0.1


def test_a_disc_at_the_border_is_found_until_it_owns_its_own_border():
    """What it has of the border must be short against the root of its area."""
    image, inside = disc((20, 200), radius=60)
    saliency = RBD()(image)
    assert saliency[inside].mean() > 0.9 and saliency[~inside].max() < 0.01
    image = np.full((300, 400, 3), GROUND, np.uint8)
    image[:60] = OBJECT  # a strip along a side: more border than the root of its area
    assert not RBD()(image).any()


@pytest.mark.parametrize('cell', [2, 50])
def test_neither_colour_of_a_chequerboard_stands_out(cell):
    """Finer than superpixels it is uniform; coarser, either colour holds half the border."""
    rows, columns = np.mgrid[:300, :400] // cell
    image = np.where((rows + columns)[..., None] % 2, OBJECT, GROUND).astype(np.uint8)
    assert not RBD()(image).any()


def test_connectivity_of_a_chequerboard_by_hand():
    """Cells of a colour touch at corners, so it is one region of half the border and area."""
    labels = np.arange(64).reshape(8, 8).repeat(10, 0).repeat(10, 1)
    lab = np.where((labels // 8 + labels % 8)[..., None] % 2, 90.0, 10.0) * [1, 0, 0]
    found = boundary_connectivity(graph_of_labels(lab, labels, band=8))
    np.testing.assert_allclose(found, 14 / math.sqrt(32))


def test_colour_and_place_of_a_disc_may_change():
    image, inside = disc((150, 200))
    saliency = RBD()(image)
    np.testing.assert_allclose(RBD()(image[:, ::-1])[:, ::-1][inside].mean(), 1, atol=0.05)
    swapped = np.where(inside[..., None], GROUND, OBJECT).astype(np.uint8)
    assert abs(RBD()(swapped) - saliency).mean() < 0.01


@pytest.mark.parametrize(
    'shape', [(1, 1), (1, 400), (400, 1), (2, 3), (10, 400), (20, 30), (64, 64)]
)
def test_maps_of_any_image_are_finite(shape):
    draw = np.random.default_rng(0)
    for image in (
        draw.integers(0, 256, (*shape, 3), dtype=np.uint8),
        np.where(draw.random((*shape, 1)) < 0.5, 0, 255).repeat(3, 2).astype(np.uint8),
    ):
        saliency = RBD()(image)
        assert saliency.shape == shape and np.isfinite(saliency).all()
    assert not RBD()(np.full((*shape, 3), 255, np.uint8)).any()


def test_same_map_twice_by_its_name():
    from skimage.data import chelsea

    image = chelsea()
    image.flags.writeable = False
    saliency = build_estimator('rbd', size=200)(image)
    assert saliency.shape == image.shape[:2] and (saliency.min(), saliency.max()) == (0, 1)
    np.testing.assert_array_equal(saliency, RBD(200)(image))
    with pytest.raises(ValueError, match="estimator 'rbd'.*sigma"):
        build_estimator('rbd', sigma=1)
