"""On few cores the evaluation is compiled when training has begun, in no run's seconds, and to the same bits."""

from __future__ import annotations

import dataclasses
import gc
import time
import weakref
from typing import Any

import numpy as np
import pytest

from digits_jobs import DIGITS, SOFTMAX, TWO_EPOCHS, arm, describe_job, train_job
from paribus.data import load
from paribus.engine import compile as module
from paribus.engine import steps
from paribus.engine.engine import Engine
from paribus.engine.lanes import Lanes
from paribus.engine.splits import splits
from paribus.records import RunResult

DENSE = ({"Flatten": {}}, SOFTMAX)
SLOW = 3.0
FEW, MANY = 10**6, 0


def train(monkeypatch: pytest.MonkeyPatch, few: int, validation_split: float = 0.0) -> tuple[RunResult, list[str]]:
    """A run, and what happened in which order; where ``few`` cores are few. Tracing the evaluation is slow."""
    engine, events, program = Engine(), list[str](), steps.evaluation_program
    recipe = engine.describe(describe_job(arm(DENSE)))

    def slow(*arguments: Any) -> Any:
        events.append("evaluation")
        time.sleep(SLOW)
        return program(*arguments)

    monkeypatch.setattr(module, "FEW_CORES", few)
    monkeypatch.setattr(steps, "evaluation_program", slow)
    training = dataclasses.replace(TWO_EPOCHS, validation_split=validation_split)
    result = engine.run(train_job(recipe, training=training), lambda _: events.append("epoch"))
    monkeypatch.undo()
    return result, events


def test_when_it_is_compiled_changes_no_bit_and_is_no_part_of_a_runs_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    late, events = train(monkeypatch, FEW)
    assert events == ["epoch", "epoch", "evaluation"]
    early, events = train(monkeypatch, MANY)
    assert events == ["evaluation", "epoch", "epoch"]
    assert late.weights_digest == early.weights_digest
    assert late.scores == early.scores
    assert late.predictions is not None
    assert early.predictions is not None
    np.testing.assert_array_equal(late.predictions.confidence, early.predictions.confidence)
    assert max(late.seconds, early.seconds) < SLOW


def test_what_is_validated_after_each_epoch_is_compiled_before_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    result, events = train(monkeypatch, FEW, validation_split=0.2)
    assert events == ["evaluation", "epoch", "epoch"]
    assert result.seconds < SLOW


def test_what_is_to_be_compiled_holds_no_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of many folds stay, their data does not."""
    monkeypatch.setattr(module, "FEW_CORES", FEW)
    job = train_job(Engine().describe(describe_job(arm(DENSE))))
    data = splits(load(DIGITS), 0.0)
    held = [weakref.ref(split.x) for split in (data.train, data.test)]
    programs = module.compiled(job, data, Lanes())
    del data
    gc.collect()
    assert [array() for array in held] == [None, None]
    assert programs.evaluate.ready() > 0
