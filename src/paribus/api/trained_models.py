"""Stored networks in this process: as Keras models, exported as files, and asked about examples."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from paribus.analysis.metrics import METRICS
from paribus.api.frames import import_pandas
from paribus.early_stopping import find_best_epoch
from paribus.errors import UsageError, unknown_name
from paribus.records import MEASURES, RunResult
from paribus.results.scores import list_added_metrics
from paribus.results.selection import RunSelection, SelectedRun, select_runs
from paribus.results.stored_study import StoredResults

if TYPE_CHECKING:
    import keras
    import pandas as pd

TARGETS = ("keras", "parquet", "mlflow", "tensorboard")
VALIDATION = {"val_accuracy": True, "val_loss": False}
"""Measures of the validation split, and whether higher is better."""


@dataclass(frozen=True, slots=True, eq=False)
class Exported:
    """What an export wrote.

    Attributes:
        folder: the folder.
        files: the files in it.
        selection: the runs that were asked for, also those that were left out.
        added: for MLflow: how many runs are new in the database; None for other targets.
        known: for MLflow: how many were in it already.
    """

    folder: Path
    files: tuple[Path, ...]
    selection: RunSelection
    added: int | None = None
    known: int | None = None


def export_runs(
    results: StoredResults,
    to: str,
    folder: Path | None = None,
    *,
    arms: Sequence[str] = (),
    seeds: Sequence[int] = (),
    replace: bool = False,
) -> Exported:
    """Export stored runs as files of other programs; ``paribus export`` and ``Results.export`` call this.

    Args:
        results: the study.
        to: one of ``TARGETS``.
        folder: the folder to write; ``STUDY-keras`` and so on by default.
        arms: only these; all by default.
        seeds: only these; all by default.
        replace: whether existing files may be replaced.

    Returns:
        The files, and the runs that were left out.

    Raises:
        UsageError: there is no such target, nothing is stored, or a file is there already.
        UnknownNameError: there is no such arm or seed.
        ModelError, StoreError, DataError, ParibusError: see the functions of ``paribus.export``.
    """
    if to not in TARGETS:
        raise unknown_name("target", to, TARGETS)
    if replace and to == "mlflow":
        raise UsageError("replace: runs are added to an MLflow database, and none is written twice; leave it out")
    selection = select_runs(results, arms, seeds)
    folder = folder or Path(f"{results.document.name}-{to}")
    match to:
        case "keras":
            from paribus.export.keras_files import export_networks

            require_jax("export")
            return Exported(folder, export_networks(selection, folder, replace=replace), selection)
        case "parquet":
            from paribus.export.parquet_tables import export_tables

            return Exported(folder, export_tables(selection, folder, replace=replace), selection)
        case "tensorboard":
            from paribus.export.tensorboard_events import export_events

            return Exported(folder, export_events(selection, folder, replace=replace), selection)
        case _:
            from paribus.export.mlflow_runs import export_runs as export_to_mlflow

            tracked = export_to_mlflow(selection, folder)
            return Exported(folder, (tracked.database,), selection, tracked.added, tracked.known)


def build_model(
    results: StoredResults, arm: str, seed: int | None = None, repeat: int | None = None, fold: int | None = None
) -> keras.Model:
    """The trained network of one run, built and compiled, with the weights that were stored.

    Args:
        results: the study.
        arm: the arm.
        seed: the seed.
        repeat: the repetition of a cross-validation, from 0.
        fold: the fold that the run was tested on, from 0.

    Raises:
        UnknownNameError: there is no such arm or seed, repetition or fold.
        UsageError: the arguments are those of no run or of several; the run did not finish, or is no network; or Keras
            does not run on JAX here.
        ModelError: the network cannot be built in this process.
        StoreError: the weights are damaged.
    """
    selection = select_runs(results, [arm], () if seed is None else [seed], repeat=repeat, fold=fold)
    _require_networks(selection)
    if len(selection.networks) > 1:
        raise UsageError(f"model: {_describe_several(selection, arm)}; say which, such as {_first(selection)}")
    (selected,) = selection.networks
    require_jax("model")
    from paribus.engine.inference import keras_model, set_weights

    model = keras_model(selected.arm.recipe, results.document.protocol.training(), arm)
    set_weights(model, results.store.weights(selected.run.fingerprint))
    return model


def _describe_several(selection: RunSelection, arm: str) -> str:
    names = [selected.place for selected in selection.networks]
    return f"arm '{arm}' has {len(names)} networks here ({', '.join(names[:6])}{' ...' if len(names) > 6 else ''})"


def _first(selection: RunSelection) -> str:
    selected = selection.networks[0]
    return f"model({selected.arm.name!r}, {selected.run.seeds.seed})"


def find_best_seed(
    results: StoredResults, arm: str, by: str | None = None, repeat: int | None = None, fold: int | None = None
) -> int:
    """The seed of an arm's best finished network, with folds of those that were tested on one fold.

    Args:
        results: the study.
        arm: the arm.
        by: ``val_accuracy`` or ``val_loss`` of the weights that are stored, or a metric such as ``test_accuracy``; by
            default the measure of the validation split that early stopping monitors, else ``val_accuracy``.
        repeat: the repetition, where examples were divided several times.
        fold: the fold.

    Raises:
        UnknownNameError: there is no such arm or measure, repetition or fold.
        UsageError: no network finished, or there is no validation split to select by (decision 0119); or the networks
            were trained and measured on different folds (decision 0136).
    """
    selection = select_runs(results, [arm], repeat=repeat, fold=fold)
    if len({selected.folds for selected in selection.runs}) > 1:
        raise UsageError(
            f"best_model: the networks of arm '{arm}' were trained on different training parts and measured on "
            "different examples, so that none of them is the best one. `predict` answers by all of them; "
            f"model({arm!r}, fold=0) is one of them, best_model({arm!r}, fold=0) the best seed of a fold; one "
            "network for all examples comes from the study without `folds`"
        )
    _require_networks(selection)
    rule = results.document.protocol.training().early_stopping
    if by is None:
        by = "val_accuracy" if rule is None else rule.monitor
        if not any(selected.run.curve.val_loss for selected in selection.networks):
            raise UsageError(
                f"arm '{arm}': there is no validation split to select a network by. Of networks that are selected by "
                "test accuracy, the test accuracy is too high: run the study with `validation_split`, take any seed "
                '(`model(arm, 0)`), or say by="test_accuracy"'
            )
    metrics = (*METRICS.values(), *list_added_metrics(results.document))
    higher = {**VALIDATION, **{metric.name: metric.higher_is_better for metric in metrics}}
    if by not in higher:
        raise unknown_name("measure", by, higher)

    def value(selected: SelectedRun) -> float | None:
        run = selected.run
        if by in VALIDATION:
            curve = getattr(run.curve, by)
            return curve[find_best_epoch(rule, run.curve) - 1] if curve else None
        return _measure(run, by)

    values = {selected.run.seeds.seed: value(selected) for selected in selection.networks}
    known = {seed: v for seed, v in values.items() if seed is not None and v is not None and np.isfinite(v)}
    if not known:
        raise UsageError(f"arm '{arm}': no run has a value of {by}; select by another measure")
    sign = 1 if higher[by] else -1
    return max(known, key=lambda seed: (sign * known[seed], -seed))


def predict_frame(
    results: StoredResults,
    examples: Any,
    *,
    arms: Sequence[str] = (),
    repeat: int | None = None,
    fold: int | None = None,
    invert: bool | None = None,
) -> pd.DataFrame:
    """Predictions of the stored networks for new examples: a row for each example of each run.

    Args:
        results: the study.
        examples: an array of one example or several, in the data's own numbers; or files, as for ``paribus predict``.
        arms: only these; all by default.
        repeat: with folds, only networks of this repetition.
        fold: with folds, only networks that were tested on this fold.
        invert: whether black and white of pictures are exchanged; by default where their border says so.

    Returns:
        Columns ``arm``, ``seed``, with folds ``repeat`` and ``fold``, ``example``, ``prediction`` and
        ``p_<class>`` for each class.

    Raises:
        UsageError: no network finished, pandas is not installed, or Keras does not run on JAX here.
        DataError: a file cannot be read, or examples have another shape than the data's.
        ModelError, StoreError: a network cannot be built, weights are damaged.
    """
    pandas = import_pandas("predict")
    selection = select_runs(results, arms, repeat=repeat, fold=fold)
    _require_networks(selection)
    from paribus.predict.inputs import read_array, read_inputs

    spec = results.document.data.spec()
    if isinstance(examples, str | os.PathLike):
        examples = [examples]
    is_files = isinstance(examples, list | tuple) and all(isinstance(one, str | os.PathLike) for one in examples)
    if is_files and examples:
        inputs = read_inputs([Path(file).expanduser() for file in examples], spec, invert)
    else:
        inputs = read_array(np.asarray(examples), "examples", spec)
    require_jax("predict")
    from paribus.predict.arms import predict_arms

    names = inputs.data.class_names
    places = [one.file if one.index is None else f"{one.file}[{one.index}]" for one in inputs.inputs]
    labels = places if is_files else list(range(len(inputs.inputs)))
    parts = []
    for answers in predict_arms(selection, inputs):
        for row, seed in enumerate(answers.seeds):
            columns = {
                "arm": answers.arm,
                "seed": seed,
                **({} if (at := answers.folds[row]) is None else {"repeat": at.repeat, "fold": at.fold}),
                "example": labels,
                "prediction": [names[index] for index in answers.predicted[row]],
                **{f"p_{name}": answers.probabilities[row, :, index] for index, name in enumerate(names)},
            }
            parts.append(pandas.DataFrame(columns))
    frame: pd.DataFrame = pandas.concat(parts, ignore_index=True)
    return frame


def require_jax(what: str) -> None:
    """Refuse to build networks where Keras runs on another backend than they were trained on.

    Args:
        what: what was asked for, for the error.

    Raises:
        UsageError: Keras runs on another backend in this process.
    """
    import keras

    backend = keras.backend.backend()
    if backend != "jax":
        raise UsageError(
            f"{what}: Keras runs on {backend} in this process, and stored networks are built on JAX; set KERAS_BACKEND "
            "to jax before Keras is imported, or write files that load on any backend: `paribus export --to keras`"
        )


def _require_networks(selection: RunSelection) -> None:
    if selection.networks:
        return
    name = selection.results.document.name
    if selection.unfinished:
        first = selection.unfinished[0]
        raise UsageError(f"study '{name}': {first.name} {first.run.status}: {first.run.reason}; name another run")
    kinds = ", ".join(f"'{arm}' is scikit-learn's {kind}" for arm, kind in selection.estimators.items())
    raise UsageError(
        f"study '{name}': {kinds}, and estimators are not stored, only their predictions on the test split; fit them "
        "again with the arguments that the report has"
    )


def _measure(run: RunResult, name: str) -> float | None:
    if name not in MEASURES:
        return run.metrics.get(name)
    return None if run.scores is None else float(getattr(run.scores, name))
