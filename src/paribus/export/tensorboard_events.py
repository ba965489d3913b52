"""``--to tensorboard``: an event file for every run, with its curves, its scores and its parameters (HParams)."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from paribus.early_stopping import find_best_epoch
from paribus.errors import UsageError
from paribus.export.files import open_folder, write_whole
from paribus.export.parquet_tables import CURVES
from paribus.records import Status
from paribus.report.json import run_fields
from paribus.results.selection import RunSelection, SelectedRun

EVENTS = "events.out.tfevents"
"""TensorBoard recognizes an event file by ``tfevents`` in its name."""


def export_events(selection: RunSelection, folder: Path, *, replace: bool = False) -> tuple[Path, ...]:
    """Write one folder for each run, with one event file in it.

    Its name is ``ARM/seed-N``, with folds ``ARM/repeat-R-fold-K-seed-N``. Scalars: ``epoch/...`` by epoch, and the
    measures after training at the epoch that the weights are from. The HParams tab has arm, seed and parameters. With
    ``replace`` older event files of a run are removed: no point is doubled.

    Raises:
        UsageError: TensorBoard is not installed, or a file is there already.
        ParibusError: a file cannot be written.
    """
    board = _tensorboard()
    open_folder(folder, [_place(selected) for selected in selection.runs], replace=replace)
    written = []
    for selected in selection.runs:
        place = folder / _place(selected)
        place.mkdir(parents=True, exist_ok=True)
        path = place / f"{EVENTS}.{selected.run.fingerprint[:16]}"
        with write_whole(path) as draft, draft.open("wb") as file:
            writer = board.RecordWriter(file)
            for event in _events(board, selected, selection):
                writer.write(event.SerializeToString())
        # TensorBoard would draw every file of a folder into one curve.
        for other in place.glob(f"{EVENTS}.*"):
            if other != path:
                other.unlink()
        written.append(path)
    return tuple(written)


def _place(selected: SelectedRun) -> str:
    return f"{selected.arm.name}/{selected.place}"


def _tensorboard() -> Any:
    try:
        from tensorboard.compat.proto import event_pb2, summary_pb2
        from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as error:
        raise UsageError("--to tensorboard needs TensorBoard: pip install tensorboard") from error
    return SimpleNamespace(
        Event=event_pb2.Event,
        Summary=summary_pb2.Summary,
        RecordWriter=RecordWriter,
        hparams=metadata,
        plugin=plugin_data_pb2,
        status=api_pb2,
    )


def _events(board: Any, selected: SelectedRun, selection: RunSelection) -> Iterator[Any]:
    """The events of one run. All carry the time of its end; that of the export where the store has none."""
    now = time.time() if selected.run.ended is None else selected.run.ended
    yield board.Event(wall_time=now, file_version="brain.Event:2")
    yield _event(board, now, 0, _start(board, selected, selection))
    run, rule = selected.run, selection.results.document.protocol.training().early_stopping
    for name in CURVES:
        for epoch, value in enumerate(getattr(run.curve, name), 1):
            yield _event(board, now, epoch, _scalar(board, f"epoch/{name}", value))
    for name, value in run_fields(run).items():
        if isinstance(value, float) and name != "seconds":
            yield _event(board, now, find_best_epoch(rule, run.curve), _scalar(board, name, value))
    yield _event(board, now, 0, _end(board, selected))


def _event(board: Any, now: float, step: int, value: Any) -> Any:
    return board.Event(wall_time=now, step=step, summary=board.Summary(value=[value]))


def _scalar(board: Any, tag: str, value: float) -> Any:
    return board.Summary.Value(tag=tag, simple_value=value)


def _start(board: Any, selected: SelectedRun, selection: RunSelection) -> Any:
    document = selection.results.document
    info = board.plugin.SessionStartInfo(group_name=selected.name)
    info.hparams["arm"].string_value = selected.arm.name
    info.hparams["seed"].number_value = selected.run.seeds.seed if selected.run.seeds.seed is not None else math.nan
    if selected.folds is not None:
        info.hparams["repeat"].number_value = selected.folds.repeat
        info.hparams["fold"].number_value = selected.folds.fold
    info.hparams["parameters"].number_value = selected.arm.recipe.parameters
    info.hparams["epochs"].number_value = document.protocol.epochs
    info.hparams["batch_size"].number_value = document.protocol.batch_size
    for factor, level in document.arms[selected.arm.name].levels.items():
        info.hparams[factor].string_value = level
    return _plugin(board, board.hparams.SESSION_START_INFO_TAG, session_start_info=info)


def _end(board: Any, selected: SelectedRun) -> Any:
    finished = selected.run.status is Status.FINISHED
    status = board.status.STATUS_SUCCESS if finished else board.status.STATUS_FAILURE
    info = board.plugin.SessionEndInfo(status=status)
    return _plugin(board, board.hparams.SESSION_END_INFO_TAG, session_end_info=info)


def _plugin(board: Any, tag: str, **message: Any) -> Any:
    metadata = board.hparams.create_summary_metadata(board.plugin.HParamsPluginData(**message))
    return board.Summary.Value(tag=tag, metadata=metadata, tensor=board.hparams.NULL_TENSOR)
