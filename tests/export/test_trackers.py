"""``paribus export --to parquet|mlflow|tensorboard``, read back by the readers that users have."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyarrow import parquet

from paribus.api.results import Results
from paribus.data import load
from paribus.errors import UsageError
from paribus.export.parquet_tables import export_tables
from paribus.export.tensorboard_events import export_events
from paribus.records import Curve, Status
from paribus.results.selection import RunSelection, select_runs
from paribus.results.stored_study import open_results
from paribus.store.sqlite import SqliteStore

TWICE = """
import json, sys, warnings
from paribus.results.selection import select_runs
from paribus.export.mlflow_runs import export_runs
from paribus.store.sqlite import SqliteStore
from paribus.results.stored_study import open_results

store, folder = sys.argv[1:]
told = []
with SqliteStore.open(store) as opened:
    results = open_results("logits", opened)
    for seeds in ([0], [], []):
        found = export_runs(select_runs(results, seeds=seeds), __import__("pathlib").Path(folder))
        told.append([found.added, found.known])
    from mlflow.tracking import MlflowClient
    client = MlflowClient(f"sqlite:///{found.database.resolve()}")
    experiment = client.get_experiment_by_name("logits").experiment_id
    # As a writer leaves a run that was killed in it.
    half = client.search_runs([experiment])[0]
    client.update_run(half.info.run_id, status="RUNNING")
    again = export_runs(select_runs(results), __import__("pathlib").Path(folder))
    told.append([again.added, again.known])
    runs = client.search_runs([experiment])
    answer = [
        {
            "name": run.info.run_name, "status": run.info.status, "params": run.data.params,
            "metrics": run.data.metrics,
            "tags": run.data.tags,
            "curve": [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, "epoch_val_loss")],
        }
        for run in runs
    ]
print(json.dumps({"told": told, "runs": answer}))
"""


@pytest.fixture
def opened(trained_studies: Path) -> Iterator[SqliteStore]:
    with SqliteStore.open(trained_studies, "read") as found:
        yield found


def chosen(store: SqliteStore, study: str = "logits", *arms: str) -> RunSelection:
    return select_runs(open_results(study, store), arms)


def diverged(found: RunSelection) -> RunSelection:
    """The last run as one whose loss was nan after its first epoch."""
    *others, last = found.runs
    run = replace(last.run, status=Status.DIVERGED, reason="nan", curve=Curve((float("nan"),), (0.1,), (0.5,), (0.2,)))
    return replace(found, runs=(*others, replace(last, run=run)))


# Parquet


def test_runs_are_the_rows_of_to_pandas(opened: SqliteStore, tmp_path: Path) -> None:
    found = chosen(opened)
    export_tables(found, tmp_path / "out")
    table = pd.read_parquet(tmp_path / "out" / "runs.parquet")
    expected = Results(found.results.outcome()).to_pandas()
    assert list(table.columns) == list(expected.columns)
    pd.testing.assert_frame_equal(table.drop(columns="reason"), expected.drop(columns="reason"), check_dtype=False)
    assert table.reason.isna().all()


def test_epochs_and_answers(opened: SqliteStore, tmp_path: Path) -> None:
    found = chosen(opened)
    export_tables(found, tmp_path / "out")
    epochs = pd.read_parquet(tmp_path / "out" / "epochs.parquet")
    answers = pd.read_parquet(tmp_path / "out" / "predictions.parquet")
    labels = load(found.results.document.data.spec()).y_test
    assert len(answers) == len(found.runs) * len(labels)
    for each in found.runs:
        mine = epochs[(epochs.arm == each.arm.name) & (epochs.seed == each.run.seeds.seed)]
        assert mine.epoch.tolist() == [1, 2]
        assert mine.val_accuracy.tolist() == list(each.run.curve.val_accuracy)
        said = answers[(answers.arm == each.arm.name) & (answers.seed == each.run.seeds.seed)]
        stored = opened.predictions(each.run.fingerprint)
        assert np.array_equal(said.example, np.arange(len(labels)))
        assert np.array_equal(said.predicted, stored.predicted)
        assert np.array_equal(said.true_probability, stored.true_probability)
        assert np.array_equal(said.label, labels)
        assert each.run.scores is not None
        assert said.correct.mean() == each.run.scores.test_accuracy


def test_curves_without_validation_are_null_and_nan_stays_nan(opened: SqliteStore, tmp_path: Path) -> None:
    export_tables(chosen(opened, "digits"), tmp_path / "digits")
    assert parquet.read_table(tmp_path / "digits" / "epochs.parquet")["val_loss"].null_count == 18
    export_tables(diverged(chosen(opened)), tmp_path / "logits")
    column = parquet.read_table(tmp_path / "logits" / "epochs.parquet")["fit_loss"]
    assert column.null_count == 0
    assert np.isnan(column.to_numpy()[-1])
    metadata = parquet.read_schema(tmp_path / "logits" / "runs.parquet").metadata
    assert json.loads(metadata[b"paribus.study"])["name"] == "logits"


def test_tables_are_not_replaced_unasked(opened: SqliteStore, tmp_path: Path) -> None:
    export_tables(chosen(opened), tmp_path / "out")
    with pytest.raises(UsageError, match=r"runs\.parquet and 2 more are there already"):
        export_tables(chosen(opened), tmp_path / "out")
    export_tables(chosen(opened, "digits"), tmp_path / "out", replace=True)
    assert len(pd.read_parquet(tmp_path / "out" / "runs.parquet")) == 6


@pytest.mark.parametrize(
    ("to", "module", "package"),
    [("parquet", "pyarrow", "pyarrow"), ("tensorboard", "tensorboard.compat.proto", "tensorboard")],
)
def test_what_is_not_installed_is_named(
    to: str, module: str, package: str, opened: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    export = export_tables if to == "parquet" else export_events
    with pytest.raises(UsageError, match=rf"--to {to} needs .*: pip install .*{package}"):
        export(chosen(opened), tmp_path / "out")
    assert not (tmp_path / "out").exists()


# TensorBoard


def accumulated(folder: Path) -> Any:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder))
    found.Reload()
    return found


def test_tensorboard_reads_curves_scores_and_what_a_run_was(opened: SqliteStore, tmp_path: Path) -> None:
    from tensorboard.plugins.hparams import metadata

    found = chosen(opened)
    written = export_events(found, tmp_path / "out")
    assert [path.parent.relative_to(tmp_path / "out").as_posix() for path in written] == [
        f"{each.arm.name}/seed-{each.run.seeds.seed}" for each in found.runs
    ]
    for each in found.runs:
        board = accumulated(tmp_path / "out" / each.arm.name / f"seed-{each.run.seeds.seed}")
        for name in ("fit_loss", "val_accuracy"):
            points = board.Scalars(f"epoch/{name}")
            assert [point.step for point in points] == [1, 2]
            assert [point.value for point in points] == pytest.approx(list(getattr(each.run.curve, name)))
        (score,) = board.Scalars("test_accuracy")
        assert each.run.scores is not None
        assert (score.step, score.value) == (2, pytest.approx(each.run.scores.test_accuracy))
        content = board.SummaryMetadata(metadata.SESSION_START_INFO_TAG).plugin_data.content
        start = metadata.parse_session_start_info_plugin_data(content)
        assert start.hparams["arm"].string_value == each.arm.name
        assert start.hparams["seed"].number_value == each.run.seeds.seed


def test_exporting_to_tensorboard_again_doubles_no_point(opened: SqliteStore, tmp_path: Path) -> None:
    found = chosen(opened, "logits", "conv")
    export_events(found, tmp_path / "out")
    with pytest.raises(UsageError, match="conv/seed-0 and 1 more are there already"):
        export_events(found, tmp_path / "out")
    # The same seed of a study that was changed since.
    other = replace(found.runs[0], run=replace(found.runs[0].run, fingerprint="f" * 64))
    export_events(replace(found, runs=(other,)), tmp_path / "out", replace=True)
    assert [path.name for path in (tmp_path / "out" / "conv" / "seed-0").iterdir()] == [
        f"events.out.tfevents.{'f' * 16}"
    ]
    assert len(accumulated(tmp_path / "out" / "conv" / "seed-0").Scalars("epoch/fit_loss")) == 2


def test_a_diverged_run_is_one_for_tensorboard(opened: SqliteStore, tmp_path: Path) -> None:
    from tensorboard.plugins.hparams import api_pb2, metadata

    *_, path = export_events(diverged(chosen(opened)), tmp_path / "out")
    board = accumulated(path.parent)
    content = board.SummaryMetadata(metadata.SESSION_END_INFO_TAG).plugin_data.content
    assert metadata.parse_session_end_info_plugin_data(content).status == api_pb2.STATUS_FAILURE
    assert np.isnan(board.Scalars("epoch/fit_loss")[0].value)


# MLflow, in a process of its own: what it imports has warnings of its own


def test_mlflow_reads_the_runs_and_none_is_doubled(trained_studies: Path, opened: SqliteStore, tmp_path: Path) -> None:
    command = [sys.executable, "-c", TWICE, str(trained_studies), str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["told"] == [[2, 0], [2, 2], [0, 4], [1, 3]]
    found = chosen(opened)
    by_name = {run["name"]: run for run in said["runs"]}
    assert len(said["runs"]) == len(by_name) == len(found.runs)
    for each in found.runs:
        run = by_name[each.name]
        assert each.run.scores is not None
        assert run["status"] == "FINISHED"
        assert run["metrics"]["test_accuracy"] == each.run.scores.test_accuracy
        assert run["curve"] == [[epoch, value] for epoch, value in enumerate(each.run.curve.val_loss, 1)]
        assert (run["params"]["arm"], run["params"]["seed"]) == (each.arm.name, str(each.run.seeds.seed))
        assert run["params"]["protocol.validation_split"] == "0.2"
        assert run["tags"]["paribus.fingerprint"] == each.run.fingerprint
    # Nothing of MLflow's is left where the command was given.
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_mlflow_is_never_forced(trained_studies: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "paribus", "export", "digits", "--to", "mlflow", "--force"]
    done = subprocess.run([*command, "--store", str(trained_studies)], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "none is written twice" in done.stderr
