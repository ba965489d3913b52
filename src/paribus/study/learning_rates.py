"""How a protocol sets the learning rate by epoch, and the rules for it (decision 0086)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, Strict

from paribus.keras_config.names import spelled_out
from paribus.study.data_table import Number, Table

Whole = Annotated[int, Strict()]


def _check_rates(rates: tuple[float, ...] | None) -> tuple[float, ...] | None:
    if rates is not None and not rates:
        raise ValueError("empty; a learning rate for each epoch is expected, like [0.01, 0.01, 0.001]")
    for rate in rates or ():
        if rate < 0:
            raise ValueError(f"{rate:g}: a learning rate is 0 or more")
    return rates


LearningRates = Annotated[tuple[Number, ...] | None, AfterValidator(_check_rates)]
"""The learning rate of each epoch."""


class ReduceLROnPlateauSettings(Table):
    """Keras's callback of that name (see ``paribus.records.ReduceLROnPlateau``)."""

    factor: Number = Field(default=0.1, ge=0, lt=1)
    patience: Whole = Field(default=10, ge=0)
    monitor: Literal["val_loss", "val_accuracy", "loss", "accuracy"] = "val_loss"
    min_delta: Number = Field(default=1e-4, ge=0)
    cooldown: Whole = Field(default=0, ge=0)
    min_lr: Number = Field(default=0.0, ge=0)


def find_rate_mistakes(document: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Find what contradicts the learning rates of a study: pairs of place and message.

    Args:
        document: a study as its TOML is parsed, or its checked document. Invalid tables are skipped.

    Yields:
        Pairs of a place and a message with its remedy.
    """
    protocol, arms = _get(document, "protocol"), _get(document, "arms")
    common, plateau = _get(protocol, "learning_rates"), _get(protocol, "reduce_lr_on_plateau")
    tables: dict[tuple[str | int, ...], Any] = {("protocol", "learning_rates"): common}
    named = arms if isinstance(arms, Mapping) else {}
    tables |= {("arms", name, "learning_rates"): _get(arm, "learning_rates") for name, arm in named.items()}
    epochs, tuning_epochs = _get(protocol, "epochs") or 10, _get(_get(document, "tuning"), "epochs")
    for place, rates in tables.items():
        if not isinstance(rates, list | tuple) or not rates or type(epochs) is not int:
            continue
        if len(rates) != epochs:
            yield place, f"{_counted(len(rates), 'rate')} for {_counted(epochs, 'epoch')}; give one for each epoch"
        elif type(tuning_epochs) is int and tuning_epochs > len(rates):
            yield (
                place,
                f"{_counted(len(rates), 'rate')}, and tuning has {tuning_epochs} epochs; it may have no more epochs",
            )
        if plateau is not None:
            yield place, "reduce_lr_on_plateau sets the rates as well; keep one of them"
    for name, arm in named.items():
        own = _get(arm, "learning_rates")
        if own is None and common is None and plateau is None:
            continue
        if _get(arm, "estimator") is None:
            yield from _find_arm_mistakes(str(name), arm, has_table=own is not None or common is not None)


def _find_arm_mistakes(name: str, arm: Any, *, has_table: bool) -> Iterator[tuple[tuple[str | int, ...], str]]:
    optimizer = spelled_out(_get(arm, "optimizer"))
    what = "learning_rates" if has_table else "reduce_lr_on_plateau"
    for arguments in optimizer.values() if isinstance(optimizer, Mapping) else ():
        rate = arguments.get("learning_rate") if isinstance(arguments, Mapping) else None
        if isinstance(rate, Mapping):
            message = f"its learning_rate is a schedule, which {what} cannot set: give it a number, or leave {what} out"
            yield ("arms", name, "optimizer"), message
    grid = _get(arm, "grid")
    keys = {"learning_rate", "optimizer.learning_rate"} & set(grid if isinstance(grid, Mapping) else ())
    if keys and has_table:
        message = f"'{min(keys)}' is set by learning_rates, so that its values would change nothing; keep one of them"
        yield ("arms", name, "grid"), message


def _get(table: Any, key: str) -> Any:
    """A value of a table of TOML or of a model; None where it is missing."""
    return table.get(key) if isinstance(table, Mapping) else getattr(table, key, None)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
