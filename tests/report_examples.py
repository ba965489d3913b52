"""Outcomes for the report's tests: answers drawn from known accuracies, judged by the same code as real runs."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from paribus.analysis import error_shares
from paribus.data import load, summarize
from paribus.outcome.outcome import Outcome
from paribus.records import Curve, Environment, LayerSummary, Predictions, Recipe, RunResult, Scores, Status
from paribus.results.assemble import assemble_outcome
from paribus.results.scores import list_added_metrics
from paribus.store.base import StoredArm, StoredRun
from paribus.store.memory import MemoryStore
from paribus.study.document import Arm, StudyDocument
from paribus.study.load import load_study
from paribus.study.request import StudyRequest, list_seeds

ENVIRONMENT = Environment(
    "0.1.0", "3.11.9", "3.15.1", "0.10.2", "0.10.2", "2.4.0", "Linux-x86_64", "Example CPU 3000", "cpu", "--flags=none"
)
NOTEBOOK = {"simple": 0.9205, "deep-dropout": 0.9805, "wide": 0.977, "big-dropout": 0.9826, "big": 0.9799}
"""Test accuracies of the notebook's five networks, about as they are."""

End = Callable[[str, int], Status | None]


def finished(arm: str, seed: int) -> Status | None:
    """How every run ends unless a test says otherwise; None stands for a run that is not there."""
    return Status.FINISHED


def outcome(document: StudyDocument, accuracy: Mapping[str, float], *, end: End = finished) -> Outcome:
    """What a study would say if its arms had these expected accuracies; keeps everything in memory."""
    data, spec = summarize(document.data.spec()), document.data.spec()
    labels = load(spec).y_test
    store = MemoryStore()
    stored = []
    for name, arm in document.arms.items():
        runs = [StoredRun(seeds, fingerprint(name, seeds.init)) for seeds in list_seeds(document)]
        for run in runs:
            status = end(name, run.seeds.init)
            if status is not None:
                store.record(result(document, name, run, accuracy[name], labels, data.classes, status))
        stored.append(StoredArm(name, recipe(arm, math.prod(data.input_shape)), tuple(runs)))
    request = StudyRequest(document, data, document.name, document, {arm.name: arm.recipe for arm in stored})
    return assemble_outcome(request, stored, store)


def notebook(seeds: int = 5, *, end: End = finished) -> Outcome:
    """The built-in study of the notebook's five networks, on MNIST's labels; from seed 0 on, judged once."""
    document = load_study("mnist-mlps")
    comparison = document.comparison.model_copy(update={"looks": ()})
    changed = document.model_copy(update={"seeds": seeds, "first_seed": 0, "comparison": comparison})
    return outcome(changed, NOTEBOOK, end=end)


def factorial(seeds: int = 5) -> Outcome:
    """Three architectures, each without and with dropout."""
    document = load_study("dropout-or-architecture").model_copy(update={"seeds": seeds})
    base = {"deep": 0.979, "wide": 0.977, "big": 0.98}
    return outcome(document, {n: base[n.split("-")[0]] + 0.002 * n.endswith("dropout") for n in document.arms})


def tiny_factorial(seeds: int = 2) -> Outcome:
    """Two widths, each without and with dropout, on scikit-learn's digits."""
    arms = {
        f"{width}-{dropout}": {
            "levels": {"width": width, "dropout": dropout},
            "layers": [{"Dense": {"units": 16 if width == "small" else 64}}, {"Dense": {"units": 10}}],
        }
        for width in ("small", "large")
        for dropout in ("off", "on")
    }
    return tiny(seeds, arms=arms, contrasts=[], comparison={"factorial": True})


def tiny(seeds: int = 3, *, end: End = finished, **changes: object) -> Outcome:
    """Small arms on scikit-learn's digits: quick. ``changes`` replace fields of the study."""
    document = load_study("digits").model_dump(exclude_none=True) | {"seeds": seeds} | changes
    study = StudyDocument.model_validate(document)
    return outcome(study, {name: 0.9 + 0.03 * (index % 3) for index, name in enumerate(study.arms)}, end=end)


@cache
def twelve(seeds: int = 2) -> Outcome:
    """Twelve arms, all 66 pairs compared."""
    arms = {
        f"relu-{units}-by-{depth}": {"layers": [{"Dense": {"units": units}}] * depth + [{"Dense": {"units": 10}}]}
        for units in (8, 16, 32, 64, 128, 256)
        for depth in (1, 2)
    }
    return tiny(seeds, arms=arms, contrasts=[], comparison={"all_pairs": True})


def on_table(path: Path, columns: int = 5, seeds: int = 3) -> Outcome:
    """A study of a table that is written to ``path``, judged on AUC, with weighed classes and standardized features.

    Its features are numbers, the last one words; a class is "yes" or "no".
    """
    draw = np.random.default_rng(2)
    names = [f"feature_{column}" for column in range(columns - 1)]
    rows = [
        [*(f"{value:.3f}" for value in draw.normal(size=columns - 1)), draw.choice(["basic", "pro"]), label]
        for label in draw.choice(["no", "yes"], 200)
    ]
    path.write_text("\n".join(",".join(row) for row in [[*names, "plan", "churned"], *rows]), encoding="utf-8")
    document = StudyDocument.model_validate(
        {
            "name": "churn",
            "seeds": seeds,
            "data": {"source": str(path), "label": "churned", "standardize": True},
            "protocol": {"epochs": 4, "metrics": ["AUC"], "class_weight": {"yes": 9.0}, "validation_split": 0.2},
            "arms": {
                name: {"layers": [{"Dense": {"units": units, "activation": "softmax"}}]}
                for name, units in (("narrow", 2), ("wide", 64))
            },
            "contrasts": [
                {"a": "wide", "b": "narrow", "metric": "test_auc", "primary": True},
                {"a": "wide", "b": "narrow"},
            ],
        }
    )
    return outcome(document, {"narrow": 0.7, "wide": 0.8})


def with_primary(outcome: Outcome, *primary: int, share: float = 0.8) -> Outcome:
    """The same outcome with the contrasts at these indices primary, and the shares of the error divided accordingly."""
    flags = [index in primary for index in range(len(outcome.contrasts))]
    contrasts = tuple(
        replace(contrast, comparison=contrast.comparison and replace(contrast.comparison, share=part, primary=flag))
        for contrast, part, flag in zip(outcome.contrasts, error_shares(flags, share), flags, strict=True)
    )
    return replace(outcome, contrasts=contrasts)


def fingerprint(arm: str, seed: int) -> str:
    return hashlib.sha256(f"{arm}/{seed}".encode()).hexdigest()


def recipe(arm: Arm, inputs: int) -> Recipe:
    """The layers of a stack of Dense and Dropout, with their numbers of parameters."""
    rows, width = [], inputs
    for index, layer in enumerate(arm.layers or ()):
        ((kind, arguments),) = layer.items()
        units = int(str(arguments.get("units", width)))
        rows.append(
            LayerSummary(f"{kind.lower()}_{index}", kind, f"(None, {units})", (width + 1) * units * (kind == "Dense"))
        )
        width = units
    layers = [{"class_name": kind, "config": config} for layer in arm.layers or () for kind, config in layer.items()]
    config = json.dumps({"class_name": "Sequential", "config": {"layers": layers}}, sort_keys=True)
    return Recipe(config, json.dumps(arm.optimizer, sort_keys=True), sum(row.parameters for row in rows), tuple(rows))


def result(
    document: StudyDocument,
    arm: str,
    run: StoredRun,
    accuracy: float,
    labels: NDArray[np.int32],
    classes: int,
    status: Status,
) -> RunResult:
    """One run. Some examples are hard for everybody, some for one arm, the rest is chance."""
    seed = run.seeds.init
    if status is Status.FAILED:
        return RunResult(
            run.fingerprint, status, run.seeds, None, Curve((), ()), 2.0, None, None, "killed: out of memory"
        )
    everybody = np.random.default_rng(7).normal(size=len(labels))
    of_arm = np.random.default_rng(list(arm.encode())).normal(size=len(labels))
    draw = np.random.default_rng([*arm.encode(), seed])
    ease = everybody + 0.3 * of_arm + 0.35 * draw.normal(size=len(labels))
    expected = accuracy + 0.0008 * draw.normal()
    limit = float(np.quantile(ease, min(max(1 - expected, 0.0), 1.0)))
    right = ease > limit
    other = (labels + 1 + np.random.default_rng(8).integers(0, classes - 1, len(labels))) % classes
    predicted = np.where(right, labels, np.where(other == labels, (labels + 1) % classes, other)).astype(np.int32)
    confidence = (1 / classes + (1 - 1 / classes) / (1 + np.exp(-2.2 * np.abs(ease - limit) - 0.3))).astype(np.float32)
    true = np.where(right, confidence, (1 - confidence) / (classes - 1)).astype(np.float32)
    if status is Status.DIVERGED:
        predicted = np.zeros_like(labels)
        confidence = true = np.full(len(labels), np.nan, np.float32)
    test = float(np.mean(predicted == labels))
    train = test if status is Status.DIVERGED else min(1.0, test + 0.55 * (1 - test))
    curve = _curve(document, arm, test, train, draw, diverged=status is Status.DIVERGED)
    with np.errstate(divide="ignore"):
        test_loss = float(-np.log(np.maximum(true, 1e-7)).mean())
    # What a metric that the protocol adds would be is of no matter here: a number between 0 and 1 for each run.
    added = {metric.name: round(test - 0.05 + 0.002 * draw.normal(), 6) for metric in list_added_metrics(document)}
    scores = Scores(curve.fit_accuracy[-1], curve.fit_loss[-1], train, test_loss * 0.5, test, test_loss)
    return RunResult(
        fingerprint=run.fingerprint,
        status=status,
        seeds=run.seeds,
        scores=scores,
        curve=curve,
        seconds=40 + 10 * float(draw.random()),
        weights_digest=hashlib.sha256(f"weights of {arm}/{seed}".encode()).hexdigest(),
        environment=ENVIRONMENT,
        reason="loss is nan after epoch 2" if status is Status.DIVERGED else None,
        predictions=Predictions(predicted, confidence, true),
        weights={"dense/kernel": draw.normal(size=4).astype(np.float32)},
        metrics=added,
    )


def _curve(
    document: StudyDocument, arm: str, test: float, train: float, draw: np.random.Generator, *, diverged: bool
) -> Curve:
    epochs = document.protocol.epochs
    if diverged:
        return Curve((1.9, math.nan), (0.4, 0.1))
    dropped = any("Dropout" in layer for layer in document.arms[arm].layers or ())
    last = test - 0.0006 if dropped else train - 0.001
    fall = np.exp(-np.arange(epochs) / (0.18 * epochs))
    fit = last - (last - 0.85 * last) * (fall - fall[-1]) + 0.0004 * draw.normal(size=epochs)
    loss = 3.2 * (1 - fit) + 0.01
    val: tuple[tuple[float, ...], ...] = ()
    if document.protocol.validation_split:
        seen = test - 0.1 * (fall - fall[-1]) + 0.002 * draw.normal(size=epochs)
        val = (tuple((3.4 * (1 - seen)).tolist()), tuple(seen.tolist()))
    return Curve(tuple(loss.tolist()), tuple(fit.tolist()), *val)
