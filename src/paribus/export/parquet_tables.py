"""``--to parquet``: runs, epochs and every prediction on the test split, as three Parquet files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data import load
from paribus.data.sources import load_pooled
from paribus.errors import DataError, UsageError
from paribus.export.files import open_folder, write_whole
from paribus.records import Folds
from paribus.report.json import run_fields
from paribus.results.selection import RunSelection, SelectedRun

RUNS, EPOCHS, PREDICTIONS = "runs.parquet", "epochs.parquet", "predictions.parquet"
CURVES = ("fit_loss", "fit_accuracy", "val_loss", "val_accuracy")
TEXTS = ("arm", "status", "weights_digest", "fingerprint", "reason")
"""The columns of runs that hold text."""


def export_tables(selection: RunSelection, folder: Path, *, replace: bool = False) -> tuple[Path, ...]:
    """Write the tables into a folder.

    ``runs`` has a row for each run, with the columns of ``Results.to_pandas``; ``epochs`` a row for each epoch of a
    run; ``predictions`` a row for each test example of a run. ``arm`` and ``seed`` join them; with folds ``repeat`` and
    ``fold`` say what a run was tested on. The files' metadata
    holds the study as JSON and the data's fingerprint.

    Args:
        selection: the runs.
        folder: the folder; it is made if it is missing.
        replace: whether existing files may be replaced.

    Returns:
        The files.

    Raises:
        UsageError: pyarrow is not installed, or a file is there already.
        StoreError, DataError: predictions are damaged, the data can no longer be read.
        ParibusError: a file cannot be written.
    """
    arrow, parquet = _arrow()
    open_folder(folder, (RUNS, EPOCHS, PREDICTIONS), replace=replace)
    spec, data = selection.results.document, selection.results.data
    about = {"paribus.study": spec.model_dump_json(), "paribus.data": data.fingerprint}
    runs, epochs = _runs(arrow, selection.runs), _epochs(arrow, selection.runs)
    for name, table in ((RUNS, runs), (EPOCHS, epochs)):
        with write_whole(folder / name) as draft:
            parquet.write_table(table.replace_schema_metadata(about), draft)
    tested = _read_tested(selection)
    schema = _answers_schema(arrow, divided=tested.codes is not None).with_metadata(about)
    with write_whole(folder / PREDICTIONS) as draft, parquet.ParquetWriter(draft, schema) as writer:
        for selected in selection.runs:
            if selected.run.scores is not None:
                writer.write_table(_answers(arrow, schema, selected, selection, tested))
    return (folder / RUNS, folder / EPOCHS, folder / PREDICTIONS)


@dataclass(frozen=True, slots=True, eq=False)
class _Tested:
    """The labels of the test examples, and with folds the fold of each, shape ``(repeats, examples)``."""

    labels: NDArray[np.int32]
    codes: NDArray[np.intp] | None

    def examples(self, folds: Folds | None) -> NDArray[np.intp]:
        """The examples that a run was tested on."""
        if folds is None or self.codes is None:
            return np.arange(len(self.labels))
        return np.flatnonzero(self.codes[folds.repeat] == folds.fold)


def _read_tested(selection: RunSelection) -> _Tested:
    """The labels that the runs were measured with.

    Raises:
        DataError: the data can no longer be read, or has changed since.
    """
    spec = selection.results.document.data.spec()
    if spec.folds is not None:
        pooled = load_pooled(spec)
        fingerprint, tested = pooled.summary().fingerprint, _Tested(pooled.labels, pooled.codes)
    else:
        data = load(spec)
        fingerprint, tested = data.fingerprint, _Tested(data.y_test, None)
    if fingerprint != selection.results.data.fingerprint:
        raise DataError(
            f"{spec.source}: the data is not what the stored runs were measured on, so that their labels are not "
            "known: put the file back as it was"
        )
    return tested


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError("--to parquet needs pyarrow: pip install pyarrow") from error
    return pyarrow, parquet


def _runs(arrow: Any, runs: Sequence[SelectedRun]) -> Any:
    rows = [{"arm": selected.arm.name, **run_fields(selected.run, selected.folds)} for selected in runs]
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "seeds"]
    kinds = {name: arrow.string() if name in TEXTS else arrow.float64() for name in columns}
    kinds |= {name: arrow.int64() for name in ("seed", "repeat", "fold") if name in columns}
    return arrow.table({name: arrow.array([row.get(name) for row in rows], kinds[name]) for name in columns})


def _epochs(arrow: Any, runs: Sequence[SelectedRun]) -> Any:
    rows = [(selected, epoch) for selected in runs for epoch in range(len(selected.run.curve.fit_loss))]
    curves = {name: _values(rows, name) for name in CURVES}
    return arrow.table(
        {
            "arm": arrow.array([selected.arm.name for selected, _ in rows], arrow.string()),
            "seed": arrow.array([selected.run.seeds.seed for selected, _ in rows], arrow.int64()),
            **{
                name: arrow.array([getattr(selected.folds, name) for selected, _ in rows], arrow.int32())
                for name in (("repeat", "fold") if rows and rows[0][0].folds is not None else ())
            },
            "epoch": arrow.array([epoch + 1 for _, epoch in rows], arrow.int32()),
            **{name: arrow.array(values, arrow.float64()) for name, values in curves.items()},
        }
    )


def _values(rows: Iterable[tuple[SelectedRun, int]], name: str) -> list[float | None]:
    """A curve's values; null where the run has no such curve. What is nan in a run stays nan."""
    curves = ((getattr(selected.run.curve, name), epoch) for selected, epoch in rows)
    return [curve[epoch] if curve else None for curve, epoch in curves]


def _answers_schema(arrow: Any, *, divided: bool) -> Any:
    return arrow.schema(
        [
            ("arm", arrow.dictionary(arrow.int32(), arrow.string())),
            ("seed", arrow.int64()),
            *([("repeat", arrow.int32()), ("fold", arrow.int32())] if divided else []),
            ("example", arrow.int32()),
            ("label", arrow.int32()),
            ("predicted", arrow.int32()),
            ("correct", arrow.bool_()),
            ("confidence", arrow.float32()),
            ("true_probability", arrow.float32()),
        ]
    )


def _answers(arrow: Any, schema: Any, selected: SelectedRun, selection: RunSelection, tested: _Tested) -> Any:
    predictions = selection.results.store.predictions(selected.run.fingerprint)
    examples = tested.examples(selected.folds)
    labels, count = tested.labels[examples], len(examples)
    place = () if selected.folds is None else (selected.folds.repeat, selected.folds.fold)
    columns = [
        arrow.array([selected.arm.name] * count, arrow.string()).dictionary_encode(),
        arrow.array([selected.run.seeds.seed] * count, arrow.int64()),
        *(np.full(count, number, np.int32) for number in place),
        examples.astype(np.int32),
        labels,
        predictions.predicted,
        predictions.predicted == labels,
        predictions.confidence,
        predictions.true_probability,
    ]
    return arrow.Table.from_arrays([arrow.array(column) for column in columns], schema=schema)
