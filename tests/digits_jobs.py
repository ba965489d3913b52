"""Small jobs on scikit-learn's 8 x 8 digits, for tests that train."""

from __future__ import annotations

from typing import Any

from paribus.data import summarize
from paribus.engine.engine import Engine
from paribus.records import DataSpec, DescribeJob, Recipe, RunResult, Seeds, Training, TrainJob
from paribus.study.document import Arm, Protocol
from paribus.study.fingerprint import run_fingerprint

DIGITS = DataSpec("digits", 16, flatten=True)
SOFTMAX = {"Dense": {"units": 10, "activation": "softmax"}}
PLAIN = ({"Dense": {"units": 12, "activation": "relu"}}, SOFTMAX)
WIDER = ({"Dense": {"units": 20, "activation": "relu"}}, SOFTMAX)
DROPOUT = ({"Dropout": {"rate": 0.2}}, PLAIN[0], {"Dropout": {"rate": 0.3}}, SOFTMAX)
TWO_EPOCHS = Protocol(epochs=2, batch_size=100).training()


def arm(layers: Any = PLAIN, optimizer: Any = "Adam") -> Arm:
    """An arm as a study has it."""
    return Arm.model_validate({"layers": layers, "optimizer": optimizer})


def describe_job(
    written: Arm, name: str = "arm", training: Training = TWO_EPOCHS, data: DataSpec = DIGITS
) -> DescribeJob:
    """Ask for an arm's canonical form."""
    return DescribeJob(name, written.spec(), data, training)


def train_job(
    recipe: Recipe,
    seeds: Seeds | int = 0,
    training: Training = TWO_EPOCHS,
    name: str = "arm",
    data: DataSpec = DIGITS,
) -> TrainJob:
    """One run, with the fingerprint it would have in a study. ``seeds`` may be one seed for all streams."""
    streams = Seeds.of(seeds) if isinstance(seeds, int) else seeds
    fingerprint = run_fingerprint(recipe, training, data, summarize(data), streams)
    return TrainJob(fingerprint, name, streams, recipe, training, data)


def train(engine: Engine, layers: Any = PLAIN, seeds: Seeds | int = 0, training: Training = TWO_EPOCHS) -> RunResult:
    """Describe and train in one go, in this process."""
    return engine.run(train_job(engine.describe(describe_job(arm(layers))), seeds, training))
