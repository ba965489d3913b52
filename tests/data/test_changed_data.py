"""Data that changes between the summary and the training: refused with both fingerprints, and nothing is stored."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_files import csv
from in_process import InProcess
from paribus.backends.local import LocalBackend
from paribus.data import dataset, from_arrays, known, spool, summarize
from paribus.data.read_once import READ_DATA
from paribus.display.base import Silent
from paribus.engine.engine import Engine
from paribus.errors import DataError
from paribus.estimators.estimators import Estimators
from paribus.records import DescribeJob, Event, Job, Recipe, Seeds, TrainJob
from paribus.runner.jobs import describe_arms
from paribus.runner.run import run_study
from paribus.store.memory import MemoryStore
from paribus.study.document import Protocol
from paribus.study.load import parse_study
from paribus.study.plan import list_jobs

ROWS = "".join(f"{i % 7},{i % 3},{'ab'[i % 2]}\n" for i in range(60))
TABLE = "m,n,class\n" + ROWS
STUDY = """
name = "changing"
seeds = 1
[data]
source = "{source}"
label = "class"
[protocol]
epochs = 1
batch_size = 20
[arms.linear]
{recipe}
"""
NETWORK = 'layers = [{ Dense = { units = 2, activation = "softmax" } }]'
ESTIMATOR = 'estimator = "GaussianNB"'


class Changing(InProcess):
    """Rewrites a file once the arms are described: between the summary and the training."""

    def __init__(self, engine: Engine, path: Path) -> None:
        super().__init__(engine)
        self._path = path

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        if any(isinstance(job, TrainJob) for job in jobs):
            self._path.write_text("m,n,class\n" + ROWS.replace("6,", "5,"))
            READ_DATA.clear()
            self._engine = Engine()
        yield from super().run(jobs)


class ChangingWorkers(LocalBackend):
    """The same for worker processes."""

    def __init__(self, path: Path) -> None:
        super().__init__(1)
        self._path = path

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        if any(isinstance(job, TrainJob) for job in jobs):
            self._path.write_text("m,n,class\n" + ROWS.replace("6,", "5,"))
        yield from super().run(jobs)


def test_nothing_is_trained_on_other_data(tmp_path: Path, engine: Engine) -> None:
    spec = csv(TABLE)(tmp_path)
    document = parse_study(STUDY.format(source=spec.source, recipe=NETWORK), "study.toml")
    planned = summarize(document.data.spec())
    with MemoryStore() as store:
        with pytest.raises(DataError) as caught:
            run_study(document, store, Changing(engine, Path(spec.source)), Silent())
        jobs = list_jobs(document, {"linear": Recipe("{}", "{}", 1, ())}, planned, [Seeds.of(0)])
        assert not store.runs([job.fingerprint for job in jobs])
    now = summarize(document.data.spec())
    assert planned.fingerprint in str(caught.value)
    assert now.fingerprint in str(caught.value)
    assert now.fingerprint != planned.fingerprint
    assert str(caught.value).startswith(f"{spec.source}: the data has changed since this command read it")


def test_a_worker_process_refuses_it_too(tmp_path: Path) -> None:
    spec = csv(TABLE)(tmp_path)
    document = parse_study(STUDY.format(source=spec.source, recipe=ESTIMATOR), "study.toml")
    with MemoryStore() as store:
        with (
            ChangingWorkers(Path(spec.source)) as backend,
            pytest.raises(DataError, match="the data has changed since"),
        ):
            run_study(document, store, backend, Silent())
        data = summarize(document.data.spec())
        assert store.study("changing") is not None
        with LocalBackend(1) as again:
            outcome = run_study(document, store, again, Silent())
        assert outcome.data.fingerprint == data.fingerprint
        assert [len(arm.scored) for arm in outcome.arms] == [1]


def test_estimators_refuse_it(tmp_path: Path) -> None:
    spec = csv(TABLE)(tmp_path)
    training, estimators = Protocol().training(), Estimators(lambda *_: {})
    recipe = estimators.describe(DescribeJob("a", '{"estimator": {"GaussianNB": {}}}', spec, training))
    job = TrainJob("0" * 64, "a", Seeds.of(0), recipe, training, spec, summarize(spec).fingerprint)
    assert estimators.run(job).scores is not None
    with pytest.raises(DataError, match=f"fingerprint {job.data_fingerprint}, expected {'1' * 64}"):
        estimators.run(replace(job, data_fingerprint="1" * 64))
    assert estimators.run(job).scores is not None


def test_what_an_engine_holds_is_read_again_where_a_job_expects_other_data(tmp_path: Path, engine: Engine) -> None:
    spec = csv(TABLE)(tmp_path)
    document = parse_study(STUDY.format(source=spec.source, recipe=NETWORK), "study.toml")
    for content in (TABLE, TABLE.replace("6,", "5,")):
        Path(spec.source).write_text(content)
        with MemoryStore() as store:
            outcome = run_study(document, store, InProcess(engine), Silent())
            assert [len(arm.scored) for arm in outcome.arms] == [1]


def test_large_files_are_not_hashed_a_second_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker takes over the fingerprint with the stamps of the files, and hashes only where those differ."""
    x, labels = np.random.default_rng(0).random((40, 3), np.float32), np.arange(40) % 2
    spec = spool(from_arrays(x, labels, x, labels), tmp_path / "folder")
    data = summarize(spec)
    document = parse_study(
        STUDY.format(source=spec.source, recipe=ESTIMATOR).replace('label = "class"', ""), "study.toml"
    )
    with MemoryStore() as store:
        recipes = describe_arms(document, data, store, InProcess(Describing()))  # type: ignore[arg-type]
    (job,) = list_jobs(document, recipes, data, [Seeds.of(0)])
    assert {Path(name).name for name, *_ in job.data_files} >= {"x_train.npy", "y_test.npy"}
    # As in a worker: a process that knows nothing yet.
    monkeypatch.setattr(known, "_FINGERPRINTS", {})
    hashed: list[int] = []
    taken = dataset.content_fingerprint
    monkeypatch.setattr(dataset, "content_fingerprint", lambda *arrays: hashed.append(1) or taken(*arrays))
    assert Estimators(lambda *_: {}).run(job).scores is not None
    assert not hashed
    np.save(tmp_path / "folder" / "x_train.npy", x + 1)
    with pytest.raises(DataError, match="the data has changed"):
        Estimators(lambda *_: {}).run(job)
    assert hashed


class Describing:
    """What describes arms of estimators only."""

    def describe(self, job: DescribeJob) -> Recipe:
        return Estimators(lambda *_: {}).describe(job)
