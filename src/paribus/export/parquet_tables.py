"""``--to parquet``: runs, epochs and every answer on the test split as three Parquet files."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data import load
from paribus.errors import UsageError
from paribus.export.files import open_folder, whole
from paribus.report.json import run_fields
from paribus.results.selection import RunSelection, SelectedRun

RUNS, EPOCHS, PREDICTIONS = "runs.parquet", "epochs.parquet", "predictions.parquet"
CURVES = ("fit_loss", "fit_accuracy", "val_loss", "val_accuracy")
TEXTS = ("arm", "status", "weights_digest", "fingerprint", "reason")
"""The columns of runs that hold no number."""


def export_tables(chosen: RunSelection, folder: Path, *, replace: bool = False) -> tuple[Path, ...]:
    """Write the tables into a folder.

    ``runs`` has a row a run, with the columns of ``Results.to_pandas``; ``epochs`` a row an epoch of a run;
    ``predictions`` a row an example of the test split and run. ``arm`` and ``seed`` join them. The files' metadata
    holds the study as JSON and the data's fingerprint.

    Raises:
        UsageError: pyarrow is not installed, or a file is there already.
        StoreError, DataError: predictions are damaged, the data can no longer be read.
        ParibusError: a file cannot be written.
    """
    arrow, parquet = _arrow()
    open_folder(folder, (RUNS, EPOCHS, PREDICTIONS), replace=replace)
    spec, data = chosen.results.document, chosen.results.data
    about = {"paribus.study": spec.model_dump_json(), "paribus.data": data.fingerprint}
    runs, epochs = _runs(arrow, chosen.runs), _epochs(arrow, chosen.runs)
    for name, table in ((RUNS, runs), (EPOCHS, epochs)):
        with whole(folder / name) as draft:
            parquet.write_table(table.replace_schema_metadata(about), draft)
    labels = load(spec.data.spec()).y_test
    schema = _answers_schema(arrow).with_metadata(about)
    with whole(folder / PREDICTIONS) as draft, parquet.ParquetWriter(draft, schema) as writer:
        for each in chosen.runs:
            if each.run.scores is not None:
                writer.write_table(_answers(arrow, schema, each, chosen, labels))
    return (folder / RUNS, folder / EPOCHS, folder / PREDICTIONS)


def _arrow() -> tuple[Any, Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise UsageError("--to parquet needs pyarrow: pip install 'paribus[tables]'") from error
    return pyarrow, parquet


def _runs(arrow: Any, runs: Sequence[SelectedRun]) -> Any:
    rows = [{"arm": each.arm.name, **run_fields(each.run)} for each in runs]
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "seeds"]
    kinds = {name: arrow.string() if name in TEXTS else arrow.float64() for name in columns} | {"seed": arrow.int64()}
    return arrow.table({name: arrow.array([row.get(name) for row in rows], kinds[name]) for name in columns})


def _epochs(arrow: Any, runs: Sequence[SelectedRun]) -> Any:
    rows = [(each, epoch) for each in runs for epoch in range(len(each.run.curve.fit_loss))]
    curves = {name: _values(rows, name) for name in CURVES}
    return arrow.table(
        {
            "arm": arrow.array([each.arm.name for each, _ in rows], arrow.string()),
            "seed": arrow.array([each.run.seeds.seed for each, _ in rows], arrow.int64()),
            "epoch": arrow.array([epoch + 1 for _, epoch in rows], arrow.int32()),
            **{name: arrow.array(values, arrow.float64()) for name, values in curves.items()},
        }
    )


def _values(rows: Iterable[tuple[SelectedRun, int]], name: str) -> list[float | None]:
    """A curve's values; null where the run has no such curve. What is nan in a run stays nan."""
    curves = ((getattr(each.run.curve, name), epoch) for each, epoch in rows)
    return [curve[epoch] if curve else None for curve, epoch in curves]


def _answers_schema(arrow: Any) -> Any:
    return arrow.schema(
        [
            ("arm", arrow.dictionary(arrow.int32(), arrow.string())),
            ("seed", arrow.int64()),
            ("example", arrow.int32()),
            ("label", arrow.int32()),
            ("predicted", arrow.int32()),
            ("correct", arrow.bool_()),
            ("confidence", arrow.float32()),
            ("true_probability", arrow.float32()),
        ]
    )


def _answers(arrow: Any, schema: Any, each: SelectedRun, chosen: RunSelection, labels: NDArray[np.int32]) -> Any:
    found, count = chosen.results.store.predictions(each.run.fingerprint), len(labels)
    columns = [
        arrow.array([each.arm.name] * count, arrow.string()).dictionary_encode(),
        arrow.array([each.run.seeds.seed] * count, arrow.int64()),
        np.arange(count, dtype=np.int32),
        labels,
        found.predicted,
        found.predicted == labels,
        found.confidence,
        found.true_probability,
    ]
    return arrow.Table.from_arrays([arrow.array(column) for column in columns], schema=schema)
