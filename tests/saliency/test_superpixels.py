import numpy as np
import pytest
from scipy.sparse.csgraph import dijkstra
from skimage.color import rgb2lab
from skimage.measure import label

from bgaug_mm.saliency.superpixels import (
    SuperpixelEstimator,
    graph_of_labels,
    merge_free,
    superpixel_graph,
)


class Rows(SuperpixelEstimator):
    """Rates a superpixel by its row."""

    def rate(self, graph):
        self.count = len(graph)
        return graph.position[:, 0]


@pytest.fixture
def grid():
    """Twelve superpixels of 10×10 pixels in three rows, of random colours."""
    labels = np.arange(12).reshape(3, 4).repeat(10, 0).repeat(10, 1)
    color = np.random.default_rng(0).uniform(0, 100, (12, 3))
    return graph_of_labels(color[labels], labels, band=8), color


def test_quantities_of_a_grid_by_hand(grid):
    graph, color = grid
    assert len(graph) == 12
    np.testing.assert_allclose(graph.position[6], [0.5, 0.625])  # row 1 of 3, column 2 of 4
    np.testing.assert_allclose(graph.distance[2, 7], np.linalg.norm(color[2] - color[7]))
    assert np.flatnonzero(graph.adjacent[4]).tolist() == [0, 1, 5, 8, 9]
    assert np.flatnonzero(graph.near[4]).tolist() == [0, 1, 2, 5, 6, 8, 9, 10]
    assert np.flatnonzero(~graph.border).tolist() == [5, 6]
    assert graph.linked.sum() == 10 * 9 and not graph.linked[[5, 6]].any()
    np.testing.assert_array_equal(graph.to_pixels(np.arange(12.0))[::10, ::10].ravel(), range(12))


def test_band_is_in_pixels():
    labels = np.arange(9).reshape(3, 3).repeat(10, 0).repeat(10, 1)
    lab = np.zeros((30, 30, 3))
    assert graph_of_labels(lab, labels, band=10).border.sum() == 8
    assert graph_of_labels(lab, labels, band=11).border.all()


def test_nearest_is_a_mean_of_smallest_distances(grid):
    graph, _ = grid
    naive = [
        min(graph.distance[i, j] for j in range(12) if graph.adjacent[i, j]) for i in range(12)
    ]
    assert graph.nearest(graph.adjacent) == pytest.approx(np.mean(naive))
    assert graph.nearest(graph.near) <= graph.nearest(graph.adjacent)


def shortest_paths(edges, cost):
    """Floyd and Warshall, in loops."""
    count = len(cost)
    length = np.where(edges, cost, np.inf)
    np.fill_diagonal(length, 0)
    for k in range(count):
        for i in range(count):
            for j in range(count):
                length[i, j] = min(length[i, j], length[i, k] + length[k, j])
    return length


@pytest.mark.parametrize('seed', range(5))
def test_paths_of_the_joined_graph_are_those_of_the_graph(seed):
    draw = np.random.default_rng(seed)
    edges = np.triu(draw.random((20, 20)) < 0.15, 1)
    edges |= edges.T
    cost = np.maximum(np.triu(draw.uniform(-1, 2, (20, 20)), 1), 0)
    cost += cost.T
    joined, group = merge_free(edges, cost)
    assert len(np.unique(group)) == joined.shape[0] < 20
    assert (joined.data > 0).all()
    found = dijkstra(joined)[group][:, group]
    np.testing.assert_allclose(found, shortest_paths(edges, cost))


def test_superpixels_of_a_picture():
    from skimage.data import astronaut

    image = astronaut()[:300, :400]
    before = image.copy()
    image.flags.writeable = False
    graph = superpixel_graph(image)
    np.testing.assert_array_equal(image, before)
    assert 150 <= len(graph) <= 250
    assert np.array_equal(np.unique(graph.labels), np.arange(len(graph)))
    assert label(graph.labels + 1, connectivity=1).max() == len(graph)  # connected
    lab = rgb2lab(image)
    mean = [lab[graph.labels == i].mean(axis=0) for i in (3, 50)]
    assert graph.distance[3, 50] == pytest.approx(np.linalg.norm(mean[0] - mean[1]), abs=0.05)
    again = superpixel_graph(image)
    np.testing.assert_array_equal(graph.labels, again.labels)
    np.testing.assert_array_equal(graph.distance, again.distance)
    assert len(superpixel_graph(image, pixels=300)) > 1.5 * len(graph)


def test_superpixels_follow_edges():
    image = np.full((300, 400, 3), 60, dtype=np.uint8)
    image[100:203, 150:267] = (200, 40, 40)
    labels = superpixel_graph(image).labels
    inside = np.zeros(labels.shape, dtype=bool)
    inside[100:203, 150:267] = True
    assert not set(labels[inside]) & set(labels[~inside])


def test_small_and_noisy_images_have_enough_superpixels():
    draw = np.random.default_rng(0)
    small = draw.integers(100, 110, (96, 96, 3), dtype=np.uint8)
    assert len(superpixel_graph(small)) >= 100
    noise = np.clip(draw.normal(128, 80, (300, 400, 3)), 0, 255).astype(np.uint8)
    assert len(superpixel_graph(noise)) >= 100


def test_estimator_stretches_ratings_and_has_none_of_one_superpixel():
    image = np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    saliency = Rows()(image)
    assert (saliency.min(), saliency.max()) == (0, 1)
    assert saliency[:8].mean() < 0.1 and saliency[-8:].mean() > 0.9
    assert not Rows()(np.zeros((3, 3, 3), np.uint8)).any()


def test_options_reach_the_superpixels():
    image = np.random.default_rng(0).integers(100, 120, (96, 96, 3), dtype=np.uint8)
    estimator = Rows(48, pixels=36, compactness=1000, iterations=1)
    estimator(image)
    assert estimator.count == (48 // 4) ** 2  # 4×4 pixels are the smallest; a regular grid
    Rows.__init__(estimator, pixels=36)
    estimator(image)
    assert estimator.count > 200


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(pixels=0), '`pixels` must be at least 1, but got 0'),
        (dict(iterations=0), '`iterations` must be at least 1, but got 0'),
        (dict(compactness=0), '`compactness` must be above 0, but got 0'),
        (dict(size=0), '`size` must be at least 1, but got 0'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        Rows(**options)
