"""Networks of one line, whose output is known."""

import hashlib

import numpy as np
import pytest

onnx = pytest.importorskip('onnx', reason='the saliency extra is not installed')
pytest.importorskip('onnxruntime', reason='the saliency extra is not installed')

from bgaug_mm.saliency import OnnxNetwork, build_estimator  # noqa: E402

PLAIN = dict(mean=(0, 0, 0), std=(1, 1, 1), stretch=False)


def write(path, shape=('n', 3, 8, 8), outputs=('Mean',), *, second_input=False):
    """A network with the channels' mean, maximum or minimum as outputs."""
    given = [onnx.helper.make_tensor_value_info('image', onnx.TensorProto.FLOAT, shape)]
    if second_input:
        given.append(onnx.helper.make_tensor_value_info('more', onnx.TensorProto.FLOAT, shape))
    nodes, results = [], []
    for name in outputs:
        kind = 'Identity' if name == 'Identity' else f'Reduce{name}'
        options = {} if kind == 'Identity' else dict(axes=[1], keepdims=1)
        nodes.append(onnx.helper.make_node(kind, ['image'], [name], **options))
        results.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    graph = onnx.helper.make_graph(nodes, 'net', given, results)
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid('', 13)], ir_version=8
    )
    path.write_bytes(model.SerializeToString())
    return path


@pytest.fixture
def images():
    draw = np.random.default_rng(0)
    return [draw.integers(0, 256, (8, 8, 3)).astype(np.uint8) for _ in range(5)]


def test_values_are_divided_and_normalised(tmp_path, images):
    path = write(tmp_path / 'net.onnx', outputs=['Max', 'Mean'])
    network = OnnxNetwork(path=path, output=1, **PLAIN)
    np.testing.assert_allclose(network(images[0]), images[0].mean(axis=2) / 255, atol=1e-6)
    network = OnnxNetwork(path=path, output=0, **PLAIN | dict(mean=(0, 0, -5), std=(9, 9, 9)))
    np.testing.assert_allclose(network(images[0]), (images[0][..., 2] / 255 + 5) / 9, atol=1e-6)
    network = OnnxNetwork(path=path, output=1, **PLAIN, divisor=None)
    expected = images[0].mean(axis=2) / images[0].max()
    np.testing.assert_allclose(network(images[0]), expected, atol=1e-6)


def test_defaults_are_imagenets_and_the_map_is_stretched(tmp_path, images):
    network = build_estimator('onnx', path=write(tmp_path / 'a network ü.onnx'))
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    values = ((images[0] / 255 - mean) / std).mean(axis=2)
    expected = (values - values.min()) / (values.max() - values.min())
    np.testing.assert_allclose(network(images[0]), expected, atol=1e-5)
    assert not network(np.full((8, 8, 3), 50, np.uint8)).any()


def test_images_of_any_size_come_back_in_their_size(tmp_path):
    network = OnnxNetwork(path=write(tmp_path / 'net.onnx'), **PLAIN)
    for shape in ((1, 1), (3, 50), (40, 20)):
        result = network(np.full((*shape, 3), 51, np.uint8))
        np.testing.assert_allclose(result, np.full(shape, 0.2), atol=1e-6)


@pytest.mark.parametrize(('fixed', 'sizes'), [('n', [3, 2]), (1, [1] * 5), (4, [4, 4])])
def test_batches(tmp_path, images, monkeypatch, fixed, sizes):
    path = write(tmp_path / 'net.onnx', (fixed, 3, 8, 8))
    network, seen = OnnxNetwork(path=path, batch_size=3, **PLAIN), []
    run = network._run
    monkeypatch.setattr(network, '_run', lambda x: seen.append(len(x)) or run(x))
    results = network.batch(images)
    assert seen == sizes and len(results) == 5
    for image, result in zip(images, results, strict=True):
        np.testing.assert_allclose(result, image.mean(axis=2) / 255, atol=1e-6)


def test_input_size(tmp_path):
    fixed = write(tmp_path / 'fixed.onnx')
    assert OnnxNetwork(path=fixed).input_size == 8
    with pytest.raises(ValueError, match='takes images of side 8, but `input_size` is 16'):
        OnnxNetwork(path=fixed, input_size=16)
    free = write(tmp_path / 'free.onnx', ('n', 3, 'h', 'w'))
    assert OnnxNetwork(path=free).input_size == 320
    assert OnnxNetwork(path=free, input_size=16).input_size == 16
    with pytest.raises(ValueError, match='takes 8×16 pixels, not a square'):
        OnnxNetwork(path=write(tmp_path / 'wide.onnx', (1, 3, 8, 16)))
    with pytest.raises(ValueError, match='`input_size` must be at least 1, but got 0'):
        OnnxNetwork(path=free, input_size=0)
    assert OnnxNetwork(path=write(tmp_path / 'open.onnx', ('n', 'c', 8, 8))).input_size == 8


def test_a_file_that_is_no_network(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'no network .*gone\.onnx'):
        OnnxNetwork(path=tmp_path / 'gone.onnx')
    (tmp_path / 'text.onnx').write_text('not a network')
    with pytest.raises(ValueError, match=r'text\.onnx is no network that ONNX Runtime can run'):
        OnnxNetwork(path=tmp_path / 'text.onnx')
    whole = write(tmp_path / 'net.onnx').read_bytes()
    (tmp_path / 'cut.onnx').write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match=r'cut\.onnx is no network'):
        OnnxNetwork(path=tmp_path / 'cut.onnx')


def test_a_network_of_another_kind(tmp_path):
    grey = write(tmp_path / 'grey.onnx', ('n', 1, 8, 8))
    with pytest.raises(ValueError, match=r'one float32 input \(N, 3, H, W\), but has image'):
        OnnxNetwork(path=grey)
    two = write(tmp_path / 'two.onnx', second_input=True)
    with pytest.raises(ValueError, match='but has image .*, more '):
        OnnxNetwork(path=two)
    image = np.zeros((8, 8, 3), np.uint8)
    classes = write(tmp_path / 'channels.onnx', outputs=['Identity'])
    with pytest.raises(ValueError, match=r"'Identity' has shape \(1, 3, 8, 8\).*another `output`"):
        OnnxNetwork(path=classes)(image)
    with pytest.raises(ValueError, match=r'lies in \[.*\], not in \[0, 1\]; set `stretch=True`'):
        OnnxNetwork(path=write(tmp_path / 'net.onnx'), stretch=False)(image)


def test_sha256(tmp_path):
    path = write(tmp_path / 'net.onnx')
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    OnnxNetwork(path=path, sha256=digest)
    with pytest.raises(ValueError, match=f'has the sha256 {digest}, but 00 is expected'):
        OnnxNetwork(path=path, sha256='00')


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(output=1), '`output` must be in 0..0 for'),
        (dict(divisor=0), '`divisor` must be positive or None, but got 0'),
        (dict(std=(1, 0, 1)), '`std` must be three numbers'),
        (dict(mean=(1, 0)), '`mean` must be three numbers'),
        (dict(batch_size=0), '`batch_size` must be at least 1, but got 0'),
        (dict(threads=-1), '`threads` must be at least 0, but got -1'),
        (dict(device='gpu'), "`device` must be 'auto', 'cpu', 'cuda' or 'cuda:N', but got 'gpu'"),
    ],
)
def test_bad_options(tmp_path, options, message):
    with pytest.raises(ValueError) as error:
        OnnxNetwork(path=write(tmp_path / 'net.onnx'), **options)
    assert message in str(error.value)


def test_cuda_that_is_not_there(tmp_path, monkeypatch):
    import onnxruntime

    monkeypatch.setattr(onnxruntime, 'get_available_providers', lambda: ['CPUExecutionProvider'])
    with pytest.raises(ValueError, match='install onnxruntime-gpu'):
        OnnxNetwork(path=write(tmp_path / 'net.onnx'), device='cuda')
    OnnxNetwork(path=write(tmp_path / 'net.onnx'), device='auto')
