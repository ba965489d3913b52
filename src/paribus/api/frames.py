"""Tables of an outcome as pandas frames: curves, predictions on the test split, confusion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from paribus.errors import DataError, UsageError, unknown_name
from paribus.export.parquet_tables import CURVES
from paribus.outcome.outcome import Outcome
from paribus.report.answers import MAX_CONFUSED, MissingAnswers, StudyAnswers, read_answers
from paribus.report.json import known_run_fields, place_fields

if TYPE_CHECKING:
    import pandas as pd


def import_pandas(method: str) -> Any:
    """Import pandas for a method of ``Results``.

    Args:
        method: the method's name, for the error.

    Raises:
        UsageError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise UsageError(f"{method} needs pandas: pip install 'paribus[tables]'") from error
    return pandas


def list_runs(outcome: Outcome) -> pd.DataFrame:
    """One row a run: ``arm``, and the fields that the JSON has for a run.

    Raises:
        UsageError: pandas is not installed.
    """
    pandas = import_pandas("to_pandas")
    rows = [{"arm": arm.name, **known_run_fields(outcome, arm, run)} for arm in outcome.arms for run in arm.runs]
    frame: pd.DataFrame = pandas.DataFrame(rows)
    return frame


def list_curves(outcome: Outcome) -> pd.DataFrame:
    """One row for each measure of each epoch: ``arm``, ``seed``, ``epoch`` (from 1), ``measure``, ``value``.

    Raises:
        UsageError: these are predictions from elsewhere, or pandas is not installed.
    """
    pandas = import_pandas("curves")
    refuse_predictions(outcome, "curves")
    rows = [
        (arm.name, run.seeds.seed, epoch, measure, value)
        for arm in outcome.arms
        for run in arm.runs
        for measure in CURVES
        for epoch, value in enumerate(getattr(run.curve, measure), 1)
    ]
    frame: pd.DataFrame = pandas.DataFrame(rows, columns=["arm", "seed", "epoch", "measure", "value"])
    return frame


def list_predictions(outcome: Outcome) -> pd.DataFrame:
    """One row for each test example of each scored run, in the form that ``pb.judge`` reads.

    Columns: ``arm``, ``seed``, with folds ``repeat`` and ``fold``, ``example``, ``label``, ``prediction`` (both by
    name), ``confidence`` and ``true_probability``, which are nan where they are not known.

    Raises:
        UsageError: pandas is not installed.
        DataError: no run is scored, or the labels cannot be read any more.
        StoreError: predictions are damaged.
    """
    pandas = import_pandas("predictions")
    answers = _require_answers(outcome)
    names = list(answers.class_names)
    examples = np.arange(len(answers.labels)) if answers.example_names is None else np.asarray(answers.example_names)
    arms = [arm.name for arm in outcome.arms]
    labels = pandas.Categorical.from_codes(answers.labels, names)
    parts = []
    for code, arm in enumerate(outcome.arms):
        for run in arm.scored:
            predicted, tested = outcome.predictions(run.fingerprint), answers.list_tested(run.seeds)
            columns = {
                "arm": pandas.Categorical.from_codes(np.full(len(tested), code), arms),
                "seed": np.full(len(tested), run.seeds.seed),
                **{
                    name: np.full(len(tested), number)
                    for name, number in place_fields(run.seeds, answers.folds).items()
                },
                "example": examples[tested],
                "label": labels[tested],
                "prediction": pandas.Categorical.from_codes(predicted.predicted, names),
                "confidence": predicted.confidence,
                "true_probability": predicted.true_probability,
            }
            parts.append(pandas.DataFrame(columns))
    frame: pd.DataFrame = pandas.concat(parts, ignore_index=True)
    return frame


def tabulate_confusion(outcome: Outcome, arm: str) -> pd.DataFrame:
    """How often each class was predicted for each true class, summed over the seeds of an arm.

    Args:
        outcome: the outcome.
        arm: the name of the arm.

    Returns:
        Counts: true classes as rows, predicted classes as columns, both by name.

    Raises:
        UnknownNameError: there is no such arm.
        UsageError: there are too many classes, or pandas is not installed.
        DataError: no run of the arm is scored, or the labels cannot be read any more.
        StoreError: predictions are damaged.
    """
    pandas = import_pandas("confusion")
    if arm not in (known := [one.name for one in outcome.arms]):
        raise unknown_name("arm", arm, known)
    answers = _require_answers(outcome)
    if arm not in answers.by_arm:
        raise DataError(f"arm '{arm}' has no scored run, so that there is nothing to count; run the study again")
    confusion = answers.by_arm[arm].confusion
    if confusion is None:
        raise UsageError(
            f"confusion: {len(answers.class_names)} classes, and a matrix has at most {MAX_CONFUSED}; count the "
            "classes that you need in predictions()"
        )
    index, columns = (pandas.Index(answers.class_names, name=name) for name in ("label", "prediction"))
    frame: pd.DataFrame = pandas.DataFrame(confusion.counts, index=index, columns=columns)
    return frame


def refuse_predictions(outcome: Outcome, what: str) -> None:
    """Refuse what only training shows, where the answers are predictions from elsewhere.

    Args:
        outcome: the outcome.
        what: what was asked for, for the error.

    Raises:
        UsageError: these are predictions from elsewhere.
    """
    if outcome.predictions_request is not None:
        raise UsageError(f"{what}: these are predictions from elsewhere, of which no training is known")


def _require_answers(outcome: Outcome) -> StudyAnswers:
    answers = read_answers(outcome)
    if isinstance(answers, MissingAnswers):
        raise DataError(f"the predictions on the test split have no labels: {answers.reason}")
    return answers
