import copy
import pickle
from multiprocessing import get_context
from multiprocessing.reduction import ForkingPickler

from bgaug_mm.datasets.sample_stream import SampleStream


def test_starts_undriven_and_keeps_what_is_set() -> None:
    stream = SampleStream()
    assert (stream.seed, stream.epoch) == (-1, 0)
    assert stream.progress == 0.0
    stream.set(seed=2**40, epoch=7, progress=0.7)
    assert (stream.seed, stream.epoch, stream.progress) == (2**40, 7, 0.7)
    stream.set(seed=1, epoch=0)
    assert stream.progress == 0.0


def test_a_copied_pipeline_stays_driven() -> None:
    stream = SampleStream()
    copied = copy.deepcopy({'transform': stream})['transform']
    stream.set(seed=1, epoch=2, progress=0.25)
    assert (copied.seed, copied.epoch, copied.progress) == (1, 2, 0.25)


def test_is_shared_with_a_forked_worker() -> None:
    context = get_context('fork')
    stream, answers, started = SampleStream(), context.SimpleQueue(), context.Event()

    def report() -> None:
        started.wait(60)
        answers.put((stream.seed, stream.epoch, stream.progress))

    worker = context.Process(target=report)
    worker.start()
    stream.set(seed=3, epoch=4, progress=0.5)  # the worker was forked before
    started.set()
    assert answers.get() == (3, 4, 0.5)
    worker.join()


def test_is_shared_when_pickled_for_a_spawned_worker() -> None:
    stream = SampleStream()
    received = pickle.loads(ForkingPickler.dumps(stream))
    stream.set(seed=3, epoch=4, progress=0.5)
    assert (received.seed, received.epoch, received.progress) == (3, 4, 0.5)
