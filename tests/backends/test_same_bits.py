"""The promise of equal bits: a run is its job's, whatever runs beside it, before it, and with how many workers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import numpy as np
import pytest

from paribus.backends.local import LocalBackend
from paribus.data import summarize
from paribus.engine.engine import Engine
from paribus.records import Described, DescribeJob, Ended, RunResult, Seeds, TrainJob
from paribus.study.document import Arm, StudyDocument
from paribus.study.load import load_study
from paribus.study.overrides import override
from paribus.study.plan import list_jobs

DOCUMENT = override(load_study("digits"), seeds=2, epochs=3)
CONVNET = (
    {"Reshape": {"target_shape": [8, 8, 1]}},
    {"Conv2D": {"filters": 4, "kernel_size": 3, "padding": "same", "activation": "relu"}},
    {"SeparableConv2D": {"filters": 8, "kernel_size": 3, "activation": "relu"}},
    {"MaxPooling2D": {"pool_size": 2}},
    {"Dropout": {"rate": 0.2}},
    {"Flatten": {}},
    {"Dense": {"units": 10, "activation": "softmax"}},
)


@pytest.fixture(scope="module")
def pools() -> Iterator[dict[int, LocalBackend]]:
    """Backends with one and with two workers."""
    with ExitStack() as stack:
        yield {workers: stack.enter_context(LocalBackend(workers)) for workers in (1, 2)}


@pytest.fixture(scope="module")
def jobs(pools: dict[int, LocalBackend]) -> tuple[TrainJob, ...]:
    """The study digits with two seeds: six runs."""
    return jobs_of(DOCUMENT, pools[2])


def jobs_of(document: StudyDocument, backend: LocalBackend) -> tuple[TrainJob, ...]:
    spec, training = document.data.spec(), document.protocol.training()
    asked = [DescribeJob(name, arm.spec(), spec, training) for name, arm in document.arms.items()]
    recipes = {event.arm: event.recipe for event in backend.run(asked) if isinstance(event, Described)}
    return list_jobs(document, recipes, summarize(spec), [Seeds.of(seed) for seed in range(document.seeds)])


def computed(backend: LocalBackend, jobs: Sequence[TrainJob]) -> dict[str, RunResult]:
    return {event.result.fingerprint: event.result for event in backend.run(jobs) if isinstance(event, Ended)}


@pytest.fixture(scope="module")
def reference(pools: dict[int, LocalBackend], jobs: tuple[TrainJob, ...]) -> dict[str, RunResult]:
    """All six runs in their order, with one worker."""
    return computed(pools[1], jobs)


def assert_same(found: dict[str, RunResult], reference: dict[str, RunResult]) -> None:
    """Every digest, score, curve, weight and prediction is equal to the last bit."""
    for fingerprint, result in found.items():
        expected = reference[fingerprint]
        assert result.weights_digest == expected.weights_digest
        assert (result.scores, result.curve) == (expected.scores, expected.curve)
        assert result.weights is not None
        assert expected.weights is not None
        assert list(result.weights) == list(expected.weights)
        for path, value in result.weights.items():
            np.testing.assert_array_equal(value, expected.weights[path])
        assert result.predictions is not None
        assert expected.predictions is not None
        for name in ("predicted", "confidence", "true_probability"):
            np.testing.assert_array_equal(getattr(result.predictions, name), getattr(expected.predictions, name))


def test_runs_differ_from_each_other(reference: dict[str, RunResult]) -> None:
    """What is equal below is not equal by being always the same."""
    assert len({result.weights_digest for result in reference.values()}) == 6


def test_two_workers(
    pools: dict[int, LocalBackend], jobs: tuple[TrainJob, ...], reference: dict[str, RunResult]
) -> None:
    found = computed(pools[2], jobs)
    assert found.keys() == reference.keys()
    assert_same(found, reference)


def test_again_and_backwards(
    pools: dict[int, LocalBackend], jobs: tuple[TrainJob, ...], reference: dict[str, RunResult]
) -> None:
    """The same worker has compiled everything by now, and has computed other runs before."""
    assert_same(computed(pools[1], jobs[::-1]), reference)


def test_alone_in_a_new_process(jobs: tuple[TrainJob, ...], reference: dict[str, RunResult]) -> None:
    """What was the last of six is the first and only one here: large-dropout, which uses all three streams."""
    with LocalBackend(1) as backend:
        found = computed(backend, jobs[-1:])
    assert len(found) == 1
    assert_same(found, reference)


def test_in_the_process_that_asks(engine: Engine, jobs: tuple[TrainJob, ...], reference: dict[str, RunResult]) -> None:
    assert_same({job.fingerprint: engine.run(job) for job in (jobs[0], jobs[-1])}, reference)


def test_more_epochs_start_as_fewer_do(
    pools: dict[int, LocalBackend], jobs: tuple[TrainJob, ...], reference: dict[str, RunResult]
) -> None:
    """How long a run will be changes nothing about its beginning."""
    longer = override(DOCUMENT, seeds=1, epochs=4)
    longer = longer.model_copy(update={"arms": {"large-dropout": longer.arms["large-dropout"]}, "contrasts": ()})
    job = jobs[-2]
    assert (job.arm, job.seeds.seed) == ("large-dropout", 0)
    (run,) = computed(
        pools[1],
        list_jobs(longer, {job.arm: job.recipe}, summarize(job.data), [job.seeds]),
    ).values()
    assert run.curve.fit_loss[:3] == reference[job.fingerprint].curve.fit_loss
    assert run.weights_digest != reference[job.fingerprint].weights_digest


def test_a_network_with_convolutions(pools: dict[int, LocalBackend], engine: Engine) -> None:
    """Whole epochs with kernels of our own: with one worker, with two, and in the process that asks."""
    arm = Arm.model_validate({"layers": CONVNET, "optimizer": "Adam"})
    convnet = DOCUMENT.model_copy(update={"arms": {"convnet": arm}, "contrasts": ()})
    jobs = jobs_of(convnet, pools[2])
    alone = computed(pools[1], jobs)
    assert len({result.weights_digest for result in alone.values()}) == 2
    assert_same(computed(pools[2], jobs[::-1]), alone)
    assert_same({job.fingerprint: engine.run(job) for job in jobs}, alone)
