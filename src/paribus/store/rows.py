"""Rows of the database from records, and records from rows. Pure; a row that makes no sense raises ValueError."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import astuple, fields
from typing import TYPE_CHECKING, Any

from paribus.records import (
    Curve,
    DataSummary,
    Environment,
    LayerSummary,
    Predictions,
    Recipe,
    RunResult,
    Scores,
    Seeds,
    Status,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

ENVIRONMENT_COLUMNS = tuple(field.name for field in fields(Environment))
SCORE_COLUMNS = tuple(field.name for field in fields(Scores))
DATA_FIELDS = tuple(field.name for field in fields(DataSummary) if field.name != "folds")
CURVE_FIELDS = tuple(field.name for field in fields(Curve))
RUN_COLUMNS = (
    "fingerprint",
    "status",
    "init_seed",
    "order_seed",
    "dropout_seed",
    "scored",
    *SCORE_COLUMNS,
    *(f"{name}_curve" for name in CURVE_FIELDS),
    "seconds",
    "weights_digest",
    "reason",
    "weights_sha256",
    "predictions_sha256",
    "metrics",
    "ended",
)

_YEAR_10000 = 253402300800.0

Row = Sequence[Any]


class BrokenRowError(ValueError):
    """A row is not what was written; ``str`` says which. Never leaves the store."""


def run_row(result: RunResult, weights_sha256: str | None, predictions_sha256: str | None) -> tuple[Any, ...]:
    """The values of ``RUN_COLUMNS``, as SQLite will give them back (a nan as None)."""
    # Not `astuple`, which copies every value deeply: a fifth of the processor time of a commit.
    scores = [None if result.scores is None else _value(getattr(result.scores, name)) for name in SCORE_COLUMNS]
    curves = [getattr(result.curve, name) for name in CURVE_FIELDS]
    return (
        result.fingerprint,
        str(result.status),
        *seeds_row(result.seeds),
        int(result.scores is not None),
        *scores,
        *(struct.pack(f"<{len(values)}d", *values) for values in curves),
        _value(result.seconds),
        result.weights_digest,
        result.reason,
        weights_sha256,
        predictions_sha256,
        _metrics_text(result.metrics),
        result.ended if _is_time(result.ended) else None,
    )


def environment_row(environment: Environment | None) -> tuple[str | None, ...]:
    """The values of ``ENVIRONMENT_COLUMNS``."""
    return tuple(None if environment is None else getattr(environment, name) for name in ENVIRONMENT_COLUMNS)


def checksum(run: Row, environment: Row) -> str:
    """The sha256 of a run's row and its environment, for what SQLite does not notice: bits that flip in a value."""
    # What came later is no part of it where there is none: metrics with format 2, the time of the end with format 4.
    values = list(run)
    for _ in ("ended", "metrics"):
        if values[-1] is not None:
            break
        values.pop()
    # Floats are spelled so that they read back bit by bit; a blob cannot be taken for a text, nor 1 for 1.0.
    text = json.dumps((*values, *environment), default=lambda blob: {"blob": bytes.hex(blob)})
    return hashlib.sha256(text.encode()).hexdigest()


def row_checksum(table: str, *values: Any) -> str:
    """The sha256 of what a row of any other table says. Released: stores keep these for ever."""
    text = json.dumps([table, *values], default=lambda blob: {"blob": bytes.hex(blob)})
    return hashlib.sha256(text.encode()).hexdigest()


def check_row(what: str, computed: str, written: str) -> None:
    """Check that the checksum of what was read is the one that was written.

    Args:
        what: what was read, for the error.
        computed: its checksum.
        written: the checksum that is stored.

    Raises:
        BrokenRowError: they differ.
    """
    if computed != written:
        raise BrokenRowError(f"{what} is not what was written: its checksum differs")


def run_of(row: Row, environment: Row, written: str) -> RunResult:
    """The run of a row of ``RUN_COLUMNS`` and one of ``ENVIRONMENT_COLUMNS`` (all None: no environment).

    Raises:
        ValueError: the row is not what was written: its checksum is not ``written``.
    """
    if checksum(row, environment) != written:
        raise BrokenRowError(f"the row of run {row[0]!r} is not what was written: its checksum differs")
    values = dict(zip(RUN_COLUMNS, row, strict=True))
    scores = Scores(**{name: _number(values[name]) for name in SCORE_COLUMNS}) if values["scored"] else None
    return RunResult(
        fingerprint=values["fingerprint"],
        status=Status(values["status"]),
        seeds=Seeds(values["init_seed"], values["order_seed"], values["dropout_seed"]),
        scores=scores,
        curve=Curve(*(_numbers(values[f"{name}_curve"]) for name in CURVE_FIELDS)),
        seconds=_number(values["seconds"]),
        weights_digest=values["weights_digest"],
        environment=None if environment[0] is None else Environment(*environment),
        reason=values["reason"],
        metrics=_metrics_of(values["metrics"]),
        ended=_time(values["ended"]),
    )


def predictions_arrays(predictions: Predictions) -> dict[str, NDArray[Any]]:
    """The arrays of predictions by the names of their fields."""
    return {field.name: getattr(predictions, field.name) for field in fields(Predictions)}


def predictions_of(arrays: Mapping[str, NDArray[Any]]) -> Predictions:
    """The predictions of their arrays.

    Raises:
        TypeError: there is an array too many or too few.
    """
    return Predictions(**arrays)


def seeds_row(seeds: Seeds) -> tuple[int, int, int]:
    """The values of ``init_seed, order_seed, dropout_seed``."""
    return int(seeds.init), int(seeds.order), int(seeds.dropout)


def recipe_row(recipe: Recipe) -> tuple[str, str, int, str]:
    """The values of ``model, optimizer, parameters, layers``."""
    return (
        recipe.model,
        recipe.optimizer,
        int(recipe.parameters),
        json.dumps([astuple(layer) for layer in recipe.layers]),
    )


def recipe_checksum(row: Row) -> str:
    """The checksum of a row of ``model, optimizer, parameters, layers``."""
    return row_checksum("recipes", *row)


def recipe_of(row: Row) -> Recipe:
    """The recipe of a row of ``model, optimizer, parameters, layers``."""
    model, optimizer, parameters, layers = row
    return Recipe(model, optimizer, parameters, tuple(LayerSummary(*layer) for layer in json.loads(layers)))


def data_text(data: DataSummary | None) -> str | None:
    """A data summary as JSON; notes and class names, which came later, are at the end where there are any.

    The splits of folds are left out: the data's fingerprint is a digest of them.
    """
    if data is None:
        return None
    values = astuple(data)[: len(DATA_FIELDS)]
    later = dict(zip(DATA_FIELDS[-2:], values[-2:], strict=True))
    named = {name: value for name, value in later.items() if value}
    return json.dumps([*values[:-2], named] if named else values[:-2])


def data_of(text: str | None) -> DataSummary | None:
    """The data summary of its JSON."""
    if text is None:
        return None
    name, fingerprint, train, test, input_shape, classes, *later = json.loads(text)
    named = {key: tuple(value) for key, value in (later[0] if later else {}).items()}
    return DataSummary(name, fingerprint, train, test, tuple(input_shape), classes, **named)


def _metrics_text(metrics: Mapping[str, float]) -> str | None:
    """Metrics as JSON, a nan as null: floats are spelled so that they read back bit by bit."""
    if not metrics:
        return None
    return json.dumps({name: _value(value) for name, value in sorted(metrics.items())}, allow_nan=False)


def _metrics_of(text: str | None) -> dict[str, float]:
    return {} if text is None else {name: _number(value) for name, value in json.loads(text).items()}


def _value(number: float) -> float | None:
    """SQLite keeps a nan as NULL, so does this."""
    return None if math.isnan(number) else float(number)


def _number(value: Any) -> float:
    """SQLite gives a nan back as NULL."""
    return math.nan if value is None else float(value)


def _is_time(value: Any) -> bool:
    """Whether this can be when a run ended; a clock that is wrong by thousands of years says nothing."""
    return isinstance(value, float) and 0 <= value < _YEAR_10000


def _time(value: Any) -> float | None:
    if value is not None and not _is_time(value):
        raise ValueError(f"a run that ended at {value!r}; it is in seconds since 1970, before the year 10000")
    return None if value is None else float(value)


def _numbers(packed: bytes) -> tuple[float, ...]:
    if len(packed) % 8:
        raise ValueError(f"a curve of {len(packed)} bytes; it holds 8 an epoch")
    return struct.unpack(f"<{len(packed) // 8}d", packed)
