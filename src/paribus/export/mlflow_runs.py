"""``--to mlflow``: one MLflow run for each stored run, in an SQLite database that ``mlflow server`` opens."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from paribus.early_stopping import find_best_epoch
from paribus.errors import ParibusError, UsageError
from paribus.export.files import open_folder
from paribus.export.parquet_tables import CURVES
from paribus.records import RunResult, Status
from paribus.report.json import run_fields
from paribus.results.selection import RunSelection, SelectedRun

DATABASE = "mlflow.db"
FINGERPRINT, DIGEST = "paribus.fingerprint", "paribus.weights_digest"
BATCH = 1000
"""Number of metrics that MLflow accepts in one call."""

LONGEST_PARAM = 6000
"""Number of characters of a parameter's value that MLflow keeps."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """The result of an export to MLflow: the database, and the numbers of runs written and of runs in it already."""

    database: Path
    added: int
    known: int


def export_runs(selection: RunSelection, folder: Path) -> Tracked:
    """Write the runs into ``mlflow.db`` in a folder, as the experiment that has the study's name.

    A run in the database with the same fingerprint and digest of weights is left as it is; one that was half written,
    or whose weights have changed, is deleted and written again.

    Args:
        selection: the runs.
        folder: the folder; it is made if it is missing.

    Returns:
        The database, and how many runs were written.

    Raises:
        UsageError: MLflow is not installed, or the folder cannot be made.
        ParibusError: MLflow cannot open the database or write to it.
    """
    flow = _mlflow()
    open_folder(folder, (), replace=True)
    database = folder.resolve() / DATABASE
    try:
        client = flow.Client(tracking_uri=f"sqlite:///{database}")
        experiment = _experiment(client, selection.results.document.name, folder.resolve() / "artifacts")
        existing = {
            run.data.tags.get(FINGERPRINT): run for run in _pages(client, experiment) if FINGERPRINT in run.data.tags
        }
        added = 0
        for selected in selection.runs:
            old = existing.get(selected.run.fingerprint)
            if old is not None and old.info.status != "RUNNING" and old.data.tags.get(DIGEST) == _digest(selected):
                continue
            if old is not None:
                client.delete_run(old.info.run_id)
            _log(flow, client, experiment, selected, selection)
            added += 1
    except flow.Error as error:
        raise ParibusError(f"{database}: MLflow says: {' '.join(str(error).split())[:400]}") from error
    return Tracked(folder / DATABASE, added, len(selection.runs) - added)


def _mlflow() -> Any:
    # MLflow reports its use to its makers unless this variable is set before it is imported.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    try:
        import alembic  # noqa: F401 - without these two MLflow has no database
        import sqlalchemy  # noqa: F401
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise UsageError("--to mlflow needs MLflow: pip install mlflow-skinny sqlalchemy alembic") from error
    # Alembic logs every step of creating the tables.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return SimpleNamespace(Client=MlflowClient, Error=MlflowException, Metric=Metric, Param=Param, Tag=RunTag)


def _experiment(client: Any, name: str, artifacts: Path) -> str:
    existing = client.get_experiment_by_name(name)
    return str(existing.experiment_id if existing is not None else client.create_experiment(name, artifacts.as_uri()))


def _pages(client: Any, experiment: str) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_runs([experiment], max_results=BATCH, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _log(flow: Any, client: Any, experiment: str, selected: SelectedRun, selection: RunSelection) -> None:
    """Write one run. Its status is running until the last line, so that a half-written run is recognized."""
    begun, ended = _times(selected.run)
    tags = _tags(selected, selection)
    run_id = client.create_run(experiment, start_time=begun, run_name=selected.name, tags=tags).info.run_id
    params = [flow.Param(key, str(value)[:LONGEST_PARAM]) for key, value in _params(selected, selection).items()]
    client.log_batch(run_id, params=params)
    metrics = [flow.Metric(name, value, 0, step) for name, value, step in _metrics(selected, selection)]
    for start in range(0, len(metrics), BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + BATCH])
    client.set_terminated(run_id, "FINISHED" if selected.run.status is Status.FINISHED else "FAILED", ended)


def _times(run: RunResult) -> tuple[int | None, int | None]:
    """When a run began and ended, in milliseconds since 1970; None (MLflow: now) where the store has no time of it."""
    if run.ended is None:
        return None, None
    seconds = run.seconds if math.isfinite(run.seconds) else 0.0
    return round(1000 * (run.ended - seconds)), round(1000 * run.ended)


def _digest(selected: SelectedRun) -> str:
    return selected.run.weights_digest or ""


def _tags(selected: SelectedRun, selection: RunSelection) -> dict[str, str]:
    environment = asdict(selected.run.environment) if selected.run.environment is not None else {}
    return {
        FINGERPRINT: selected.run.fingerprint,
        DIGEST: _digest(selected),
        "paribus.study": selection.results.document.name,
        "paribus.status": str(selected.run.status),
        "paribus.reason": selected.run.reason or "",
        "mlflow.note.content": selection.results.document.question,
        **{f"paribus.environment.{key}": value for key, value in environment.items()},
    }


def _params(selected: SelectedRun, selection: RunSelection) -> dict[str, Any]:
    document, data = selection.results.document, selection.results.data
    return {
        "arm": selected.arm.name,
        "seed": selected.run.seeds.seed,
        **({} if (at := selected.folds) is None else {"repeat": at.repeat, "fold": at.fold}),
        "parameters": selected.arm.recipe.parameters,
        "kind": selected.arm.recipe.kind,
        **({} if selected.arm.recipe.is_estimator else {"optimizer": selected.arm.recipe.optimizer}),
        "data": data.name,
        "data_fingerprint": data.fingerprint,
        **{f"protocol.{k}": v for k, v in document.protocol.model_dump(mode="json", exclude_none=True).items()},
        **{f"level.{factor}": level for factor, level in document.arms[selected.arm.name].levels.items()},
    }


def _metrics(selected: SelectedRun, selection: RunSelection) -> Iterator[tuple[str, float, int]]:
    """Curves by epoch; the measures after training at the epoch that the weights are from. MLflow takes no nan."""
    run = selected.run
    for name in CURVES:
        for epoch, value in enumerate(getattr(run.curve, name), 1):
            if math.isfinite(value):
                yield f"epoch_{name}", value, epoch
    final_epoch = find_best_epoch(selection.results.document.protocol.training().early_stopping, run.curve)
    for name, value in run_fields(run).items():
        if isinstance(value, float):
            yield name, value, final_epoch
