"""``pb.judge``: from predictions that were made elsewhere to the answer that ``pb.compare`` gives."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from paribus.api.contrasts_argument import declare_contrasts
from paribus.api.results import Results
from paribus.data.predictions.read import read_predictions
from paribus.data.predictions.table import PredictionTable
from paribus.errors import UsageError, unknown_name
from paribus.results.judged_predictions import JudgedPredictions
from paribus.study.predictions_request import PredictionsRequest, check_judging

DEFAULT_NAME = "predictions"


def judge(
    predictions: Any,
    *,
    baseline: str | None = None,
    contrasts: Sequence[Any] | None = None,
    primary: Any = None,
    primary_share: float = 0.8,
    margin: float | None = None,
    level: float = 0.95,
    scope: str = "new data",
    name: str | None = None,
    question: str = "",
) -> Results:
    """Judge predictions of classifiers that were trained elsewhere, in any framework.

    A row is the answer of one run to one test example. Columns: ``arm``, ``seed`` (or ``run``; not needed where each
    arm has one run), ``example``, ``label``, and either ``prediction`` (the predicted class) or one column of
    probabilities for each class, ``p_<class>``; optionally ``group`` (examples that belong together). Every arm needs
    the same seeds, and every run answers every example.

    With one seed an arm the intervals are about these trained networks, and there is no verdict on the recipes.

    Args:
        predictions: a pandas frame (or whatever has ``to_pandas``), a mapping of column names to arrays, or the path of
            a ``.csv``, ``.parquet`` or ``.npz`` file.
        baseline: compare every other arm with this one only; by default every arm with every other.
        contrasts: compare only these: pairs of arms, triples with a metric (``test_accuracy``, or ``test_loss`` where
            there are probabilities), or mappings like ``[[contrasts]]`` of a study file.
        primary: the contrasts that were asked beforehand: a pair of arms or a list of those. They divide
            ``primary_share`` of the allowed error, the others the rest.
        primary_share: the share of the allowed error for all primary contrasts together.
        margin: differences smaller than this count as equivalent, in units of the metric (0.001 is 0.1 points of
            accuracy, which is the default there; losses have none).
        level: the confidence level at which all intervals hold at once.
        scope: the scope of the verdicts: "new data" or "this test set"; with folds "new data, new training sets" (the
            default there) or "these training sets".
        name: the name of the answer; by default that of the file.
        question: the question that is answered, in words.

    Returns:
        The answer, as ``pb.compare`` gives it. What only training shows (train accuracy, curves, networks) is absent.

    Raises:
        DataError: the table cannot be read, or is not complete; the message names row, rule and remedy.
        UsageError: an argument is invalid, or the examples belong to fewer than 10 groups.
        UnknownNameError: there is no such arm.

    Example:
        >>> import numpy as np, pandas as pd, paribus as pb
        >>> generator = np.random.default_rng(0)
        >>> rows = [
        ...     (arm, seed, example, example % 2, (example + (generator.random() < error)) % 2)
        ...     for arm, error in (("new", 0.1), ("old", 0.3))
        ...     for seed in range(5)
        ...     for example in range(200)
        ... ]
        >>> frame = pd.DataFrame(rows, columns=["arm", "seed", "example", "label", "prediction"])
        >>> pb.judge(frame).contrast("new", "old").verdict
        'better'
    """
    judged = judge_table(
        predictions,
        baseline=baseline,
        contrasts=contrasts,
        primary=primary,
        comparison={"primary_share": primary_share, "margin": margin, "level": level, "scope": scope},
        name=name,
        question=question,
    )
    return Results(judged.outcome(), source=judged)


def judge_table(
    predictions: Any,
    *,
    baseline: str | None,
    contrasts: Sequence[Any] | None,
    primary: Any,
    comparison: dict[str, Any],
    name: str | None,
    question: str,
    metric: str = "test_accuracy",
) -> JudgedPredictions:
    """Read a table of predictions and check the questions about it.

    Args:
        predictions: as for :func:`judge`; so are all others that are not named here.
        baseline: the arm that every other one is compared with.
        contrasts: the contrasts.
        primary: the primary contrasts.
        comparison: ``primary_share``, ``margin``, ``level`` and ``scope``, as in ``[comparison]`` of a study file.
        name: the name of the answer.
        question: the question, in words.
        metric: the metric of contrasts that do not name their own.

    Raises:
        UnknownNameError: there is no such arm.
        UsageError, DataError: as :func:`judge`.
    """
    table = read_predictions(predictions)
    if baseline is not None and baseline not in table.arms:
        raise unknown_name("arm", baseline, table.arms, "baseline")
    declared, effects = declare_contrasts(list(table.arms), contrasts, baseline, primary)
    if effects:
        raise UsageError(f"primary {effects[0]!r}: two arms are expected, like ('{table.arms[0]}', '{table.arms[-1]}')")
    all_pairs = baseline is None and contrasts is None
    if all_pairs and metric != "test_accuracy":
        # The setting ``all_pairs`` is about test accuracy.
        others = [{"a": a, "b": b} for a, b in combinations(table.arms, 2)]
        done = {frozenset((c["a"], c["b"])) for c in declared if c.get("metric", metric) == metric}
        declared += [pair for pair in others if frozenset(pair.values()) not in done]
    settings, checked = check_judging(
        {**comparison, "all_pairs": all_pairs and metric == "test_accuracy"},
        [{"metric": metric, **contrast} for contrast in declared],
        table.source,
    )
    if table.folds is not None and table.groups is not None and settings.scope == "these training sets":
        raise UsageError(
            f'{table.source}: groups of examples, and scope "these training sets": examples count as independent '
            'there; leave scope at "new data", where folds of whole groups need nothing more'
        )
    if table.folds is None and len(table.seeds) == 1 and settings.scope == "this test set":
        raise UsageError(
            f'{table.source}: one seed an arm, and scope is "this test set": nothing varies there, so that there is no '
            'interval. Add runs with other seeds, or leave scope at "new data"'
        )
    return JudgedPredictions(
        PredictionsRequest(
            name=name or _make_name(table),
            question=question,
            arms=table.arms,
            seeds=len(table.seeds),
            comparison=settings,
            contrasts=checked,
            source=Path(table.source).name,
            fingerprint=table.fingerprint,
            examples=len(table.examples),
            classes=table.classes,
            groups=None if table.groups is None else int(table.groups.max()) + 1,
            notes=table.notes,
            folds=None if table.folds is None else int(table.folds.max()) + 1,
            repeats=1 if table.folds is None else len(table.folds),
        ),
        table,
    )


def _make_name(table: PredictionTable) -> str:
    """The name of the file as a study could have it."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(table.source).stem).strip("-._")
    return stem or DEFAULT_NAME
