"""Runs, recipes and studies for the store's tests, made of small numbers; and equality that knows nan and arrays."""

from __future__ import annotations

import math
import struct
from dataclasses import astuple

import numpy as np

from paribus.records import (
    Curve,
    DataSummary,
    Environment,
    LayerSummary,
    Predictions,
    Recipe,
    RunResult,
    Scores,
    Seeds,
    Status,
)
from paribus.store.base import Judgement, Store, StoredArm, StoredRun, anchor

NAN, INF = math.nan, math.inf
ENVIRONMENT = Environment("0.1.0", "3.11", "3.15", "0.10", "0.10", "2.4", "Linux", "some cpu", "cpu", "--flag")


def fingerprint(number: int) -> str:
    return f"{number:08x}" * 8


def run(number: int, status: str = "finished", version: int = 0, size: int = 6) -> RunResult:
    """Run ``number``; another ``version`` has other values in everything, ``size`` is that of a layer's weights."""
    if status == "failed":
        return RunResult(
            fingerprint(number), Status.FAILED, Seeds.of(number), None, Curve((), ()), 0.5, None, None, f"v{version}"
        )

    def values(size: int, top: int = 64) -> np.ndarray:
        """Numbers that are the same for ever: committed stores hold them."""
        return (np.arange(size) * 37 + number * 11 + version * 5) % top

    scores = Scores(0.5, NAN if status == "diverged" else -0.0, 0.25, 0.1 + number + version, 1 / 3, INF)
    return RunResult(
        fingerprint(number),
        Status(status),
        Seeds(number, number + 1, -number),
        scores,
        Curve((0.7, NAN), (0.1, -0.0), (1e-320, INF), (1.0, float(version))),
        1.5 + version,
        f"{version:064x}",
        ENVIRONMENT,
        "loss is nan" if status == "diverged" else None,
        Predictions(
            values(7, 10).astype(np.int32),
            (values(7) / 64).astype(np.float32),
            (values(7) / 128).astype(np.float32),
        ),
        {
            "dense/kernel": (values(2 * size) / 64).reshape(size, 2).astype(np.float32).T,
            "dense/bias": np.zeros(2, np.float32),
        },
    )


def recipe(number: int) -> Recipe:
    return Recipe(
        '{"layers": "Ü"}', '{"name": "adam"}', number, (LayerSummary("dense", "Dense", "(None, 10)", number),)
    )


def arm(name: str, numbers: list[int], version: int = 0, offset: int = 0) -> StoredArm:
    runs = tuple(StoredRun(Seeds.of(number), fingerprint(number + offset)) for number in numbers)
    return StoredArm(name, recipe(version), runs)


def judgement(number: int, seeds: int = 5, look: int | None = None) -> Judgement:
    """A judgement of the contrast of run ``number`` with the next one."""
    terms = [(fingerprint(number), 1.0), (fingerprint(number + 1), -1.0)]
    return Judgement(anchor("test_accuracy", terms), "test_accuracy", seeds, number % 2 == 1, 1 / 3, look)


DATA = DataSummary("mnist", "ab" * 32, 60_000, 10_000, (28, 28), 10)


def same_float(a: float, b: float) -> bool:
    return struct.pack("d", a) == struct.pack("d", b) or (math.isnan(a) and math.isnan(b))


def same_light(a: RunResult, b: RunResult) -> bool:
    """Equal but for predictions and weights; nan equals nan, 0.0 does not equal -0.0."""
    plain = ("fingerprint", "status", "seeds", "weights_digest", "environment", "reason")
    if any(getattr(a, name) != getattr(b, name) for name in (*plain, "ended")) or not same_float(a.seconds, b.seconds):
        return False
    if (a.scores is None) != (b.scores is None):
        return False
    if a.metrics.keys() != b.metrics.keys():
        return False
    pairs = [(value, b.metrics[name]) for name, value in a.metrics.items()]
    pairs += (
        [] if a.scores is None or b.scores is None else list(zip(astuple(a.scores), astuple(b.scores), strict=True))
    )
    for x, y in zip(astuple(a.curve), astuple(b.curve), strict=True):
        if len(x) != len(y):
            return False
        pairs += list(zip(x, y, strict=True))
    return all(same_float(x, y) for x, y in pairs)


def same_array(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def holds(store: Store, expected: RunResult) -> bool:
    """Whether the store has exactly this run, with its predictions and weights."""
    found = store.runs([expected.fingerprint]).get(expected.fingerprint)
    if found is None or not same_light(found, expected):
        return False
    if expected.weights is not None:
        weights = store.weights(expected.fingerprint)
        if weights.keys() != expected.weights.keys():
            return False
        if not all(same_array(weights[name], np.asarray(array)) for name, array in expected.weights.items()):
            return False
    if expected.predictions is not None:
        predictions = store.predictions(expected.fingerprint)
        for name in ("predicted", "confidence", "true_probability"):
            if not same_array(getattr(predictions, name), getattr(expected.predictions, name)):
                return False
    return True
