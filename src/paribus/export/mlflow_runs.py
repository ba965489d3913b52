"""``--to mlflow``: one MLflow run a stored run, in an SQLite database that ``mlflow server`` opens."""

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
from paribus.records import Status
from paribus.report.json import run_fields
from paribus.results.selection import RunSelection, SelectedRun

DATABASE = "mlflow.db"
FINGERPRINT, DIGEST = "paribus.fingerprint", "paribus.weights_digest"
BATCH = 1000
"""Metrics that MLflow takes at a time."""

LONGEST_PARAM = 6000
"""Characters of a parameter's value that MLflow keeps."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """What an export to MLflow did: the database, and how many runs were written or were there already."""

    database: Path
    added: int
    known: int


def export_runs(chosen: RunSelection, folder: Path) -> Tracked:
    """Write the runs into ``mlflow.db`` in a folder, as the experiment that has the study's name.

    A run that is there already, by its fingerprint and the digest of its weights, is left as it is; one that was only
    half written, or that has become another since, is deleted and written anew.

    Raises:
        UsageError: MLflow is not installed, or the folder cannot be made.
        ParibusError: MLflow cannot open the database or write to it.
    """
    flow = _mlflow()
    open_folder(folder, (), replace=True)
    database = folder.resolve() / DATABASE
    try:
        client = flow.Client(tracking_uri=f"sqlite:///{database}")
        experiment = _experiment(client, chosen.results.document.name, folder.resolve() / "artifacts")
        there = {
            run.data.tags.get(FINGERPRINT): run for run in _pages(client, experiment) if FINGERPRINT in run.data.tags
        }
        added = 0
        for each in chosen.runs:
            old = there.get(each.run.fingerprint)
            if old is not None and old.info.status != "RUNNING" and old.data.tags.get(DIGEST) == _digest(each):
                continue
            if old is not None:
                client.delete_run(old.info.run_id)
            _log(flow, client, experiment, each, chosen)
            added += 1
    except flow.Error as error:
        raise ParibusError(f"{database}: MLflow says: {' '.join(str(error).split())[:400]}") from error
    return Tracked(folder / DATABASE, added, len(chosen.runs) - added)


def _mlflow() -> Any:
    # MLflow reports its use to its makers unless it is told not to, before it is imported.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    try:
        import alembic  # noqa: F401 - without these two MLflow has no database
        import sqlalchemy  # noqa: F401
        from mlflow.entities import Metric, Param, RunTag
        from mlflow.exceptions import MlflowException
        from mlflow.tracking import MlflowClient
    except ImportError as error:
        raise UsageError("--to mlflow needs MLflow: pip install 'paribus[mlflow]'") from error
    # What it says of every step of making its tables.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return SimpleNamespace(Client=MlflowClient, Error=MlflowException, Metric=Metric, Param=Param, Tag=RunTag)


def _experiment(client: Any, name: str, artifacts: Path) -> str:
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found is not None else client.create_experiment(name, artifacts.as_uri()))


def _pages(client: Any, experiment: str) -> Iterator[Any]:
    token = None
    while True:
        page = client.search_runs([experiment], max_results=BATCH, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _log(flow: Any, client: Any, experiment: str, each: SelectedRun, chosen: RunSelection) -> None:
    """Write one run; until its last line it counts as running, so that half a run is known for one."""
    run_id = client.create_run(experiment, run_name=each.name, tags=_tags(each, chosen)).info.run_id
    params = [flow.Param(key, str(value)[:LONGEST_PARAM]) for key, value in _params(each, chosen).items()]
    client.log_batch(run_id, params=params)
    metrics = [flow.Metric(name, value, 0, step) for name, value, step in _metrics(each, chosen)]
    for start in range(0, len(metrics), BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + BATCH])
    client.set_terminated(run_id, "FINISHED" if each.run.status is Status.FINISHED else "FAILED")


def _digest(each: SelectedRun) -> str:
    return each.run.weights_digest or ""


def _tags(each: SelectedRun, chosen: RunSelection) -> dict[str, str]:
    environment = asdict(each.run.environment) if each.run.environment is not None else {}
    return {
        FINGERPRINT: each.run.fingerprint,
        DIGEST: _digest(each),
        "paribus.study": chosen.results.document.name,
        "paribus.status": str(each.run.status),
        "paribus.reason": each.run.reason or "",
        "mlflow.note.content": chosen.results.document.question,
        **{f"paribus.environment.{key}": value for key, value in environment.items()},
    }


def _params(each: SelectedRun, chosen: RunSelection) -> dict[str, Any]:
    document, data = chosen.results.document, chosen.results.data
    return {
        "arm": each.arm.name,
        "seed": each.run.seeds.seed,
        "parameters": each.arm.recipe.parameters,
        "kind": each.arm.recipe.kind,
        **({} if each.arm.recipe.is_estimator else {"optimizer": each.arm.recipe.optimizer}),
        "data": data.name,
        "data_fingerprint": data.fingerprint,
        **{f"protocol.{k}": v for k, v in document.protocol.model_dump(mode="json", exclude_none=True).items()},
        **{f"level.{factor}": level for factor, level in document.arms[each.arm.name].levels.items()},
    }


def _metrics(each: SelectedRun, chosen: RunSelection) -> Iterator[tuple[str, float, int]]:
    """Curves by epoch; the measures after training at the epoch whose weights were kept. MLflow takes no nan."""
    run = each.run
    for name in CURVES:
        for epoch, value in enumerate(getattr(run.curve, name), 1):
            if math.isfinite(value):
                yield f"epoch_{name}", value, epoch
    kept = find_best_epoch(chosen.results.document.protocol.training().early_stopping, run.curve)
    for name, value in run_fields(run).items():
        if isinstance(value, float):
            yield name, value, kept
