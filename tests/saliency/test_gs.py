import numpy as np
import pytest

from bgaug_mm.saliency import GS, build_estimator
from bgaug_mm.saliency.gs import border_contrast, distance_to_border
from bgaug_mm.saliency.superpixels import graph_of_labels

GROUND, OBJECT = (40, 90, 60), (200, 40, 40)


def disc(row, column, radius=60, shape=(300, 400)):
    """A uniform disc on uniform ground, and where it is."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    inside = (rows - row) ** 2 + (columns - column) ** 2 < radius**2
    return np.where(inside[..., None], OBJECT, GROUND).astype(np.uint8), inside


@pytest.fixture(params=range(3))
def graph(request):
    """42 superpixels of random colours."""
    labels = np.arange(42).reshape(6, 7).repeat(10, 0).repeat(10, 1)
    color = np.random.default_rng(request.param).uniform(0, 60, (42, 3))
    return graph_of_labels(color[labels], labels, band=8)


def test_distance_against_loops(graph):
    """The cheapest path from any border superpixel, by relaxing every edge."""
    entry = np.random.default_rng(0).uniform(0, 20, 42)
    clip = graph.nearest(graph.near)
    cost = np.where(graph.border, entry, np.inf)
    for _ in range(42):
        for i in range(42):
            for j in range(42):
                if graph.adjacent[i, j]:
                    cost[i] = min(cost[i], cost[j] + max(0, graph.distance[i, j] - clip))
    np.testing.assert_allclose(distance_to_border(graph, entry), cost)
    free = distance_to_border(graph, np.zeros(42))
    assert not free[graph.border].any() and (free <= cost).all()


def test_distance_by_hand():
    """Rings: the middle is two steps from the border."""
    labels = np.arange(25).reshape(5, 5).repeat(10, 0).repeat(10, 1)
    lab = np.zeros((50, 50, 3))
    lab[10:40, 10:40, 0] = 30
    lab[20:30, 20:30, 0] = 70
    found = distance_to_border(graph_of_labels(lab, labels, band=8), np.zeros(25)).reshape(5, 5)
    clip = 40 / 25  # only the middle has nobody of its colour near
    assert found[0, 2] == 0
    assert found[1, 2] == pytest.approx(30 - clip)
    assert found[2, 2] == pytest.approx(70 - 2 * clip)


def test_border_contrast_by_hand():
    """Of five in a row, two are 30 from the rest; half of four others are two."""
    labels = np.arange(5)[None].repeat(10, 0).repeat(10, 1)
    lab = np.zeros((10, 50, 3))
    lab[:, 30:, 0] = 30
    graph = graph_of_labels(lab, labels, band=8)
    np.testing.assert_allclose(border_contrast(graph), [0, 0, 0, 15, 15])


def test_disc_stands_out():
    image, inside = disc(150, 200)
    saliency = GS()(image)
    assert (saliency[inside] > 0.95).all() and (saliency[~inside] < 0.01).all()


def test_disc_at_the_border_is_background_unless_entry_costs():
    image, inside = disc(20, 200)
    assert not GS()(image).any()  # all is joined to the border at no cost
    saliency = GS(border_cost='contrast')(image)
    assert saliency[inside].mean() > 0.95 and saliency[~inside].max() < 0.01


def test_two_discs_and_their_distance_in_colour():
    image, inside = disc(150, 110, radius=50)
    other = disc(150, 290, radius=50)[1]
    image[other] = (120, 65, 50)  # half way to the ground
    saliency = GS()(image)
    assert saliency[inside].mean() > 0.95 and 0.2 < saliency[other].mean() < 0.8
    assert saliency[~(inside | other)].max() < 0.01


@pytest.mark.parametrize('cell', [1, 100])
def test_neither_colour_of_a_chequerboard_stands_out(cell):
    """Finer than superpixels it is uniform; coarser, either colour reaches the border."""
    rows, columns = np.mgrid[:300, :400] // cell
    image = np.where((rows + columns)[..., None] % 2, OBJECT, GROUND).astype(np.uint8)
    assert not GS()(image).any()


@pytest.mark.parametrize('border_cost', ['zero', 'contrast'])
@pytest.mark.parametrize('shape', [(1, 1), (1, 400), (400, 1), (2, 3), (10, 400), (64, 64)])
def test_maps_of_any_image_are_finite(shape, border_cost):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    saliency = GS(border_cost=border_cost)(image)
    assert saliency.shape == shape and np.isfinite(saliency).all()
    assert not GS(border_cost=border_cost)(np.full_like(image, 9)).any()


def test_same_map_twice_by_its_name():
    from skimage.data import chelsea

    image = chelsea()
    np.testing.assert_array_equal(build_estimator('gs', size=200)(image), GS(200)(image))


def test_bad_option():
    with pytest.raises(ValueError, match=r"`border_cost` must be one of \('zero', 'contrast'\)"):
        GS(border_cost='some')
