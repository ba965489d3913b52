"""Pydantic's errors about a study, in the words of a study file: every mistake with its place."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from paribus.errors import Mistake
from paribus.study.data_table import Data, ImputeSettings
from paribus.study.document import (
    Arm,
    ComparisonSettings,
    DeclaredContrast,
    EarlyStoppingSettings,
    Protocol,
    StudyDocument,
    Tuning,
)
from paribus.study.initial_weights import InitialWeightsSettings
from paribus.study.learning_rates import ReduceLROnPlateauSettings
from paribus.study.own_metrics import OwnMetricSettings

_TABLES: Mapping[str | int, type[BaseModel]] = {
    "data": Data,
    "protocol": Protocol,
    "comparison": ComparisonSettings,
    "tuning": Tuning,
    "arms": Arm,
    "contrasts": DeclaredContrast,
}


_INSIDE: Mapping[tuple[type[BaseModel], str | int], type[BaseModel]] = {
    (Data, "impute"): ImputeSettings,
    (Protocol, "early_stopping"): EarlyStoppingSettings,
    (Protocol, "reduce_lr_on_plateau"): ReduceLROnPlateauSettings,
    (Protocol, "own_metrics"): OwnMetricSettings,
    (Arm, "initial_weights"): InitialWeightsSettings,
}
"""Tables inside tables."""

_WORDS = {
    "string_pattern_mismatch": "letters, digits and . _ - are allowed, a letter or digit first",
    "string_too_short": "must not be empty",
    "string_type": "text in quotes is expected",
    "int_type": "a whole number is expected",
    "float_type": "a number is expected",
    "finite_number": "a finite number is expected",
    "bool_type": "true or false is expected, without quotes",
    "tuple_type": "a list in brackets is expected",
    "dict_type": "a table is expected",
    "model_type": "a table is expected",
    "invalid-json-value": "text, a number, true or false, a list or a table is expected",
}
"""Messages by pydantic's type of error; errors of other types keep pydantic's own message."""


def translate_mistakes(error: ValidationError, table: type[BaseModel] = StudyDocument) -> list[Mistake]:
    """Translate every mistake that pydantic reports into the words and places of a study file.

    Args:
        error: what pydantic raised.
        table: what it checked: a whole study, or one of its tables by itself.

    Returns:
        One mistake for each error, in pydantic's order.
    """
    return [Mistake(_place(item["loc"]), _message(item, table)) for item in error.errors(include_url=False)]


def _place(location: Sequence[str | int]) -> str:
    """``('arms', 'big', 'layers', 2, ...)`` -> ``arm 'big', layer 3``."""
    parts = list(location)
    words: list[str] = []
    while parts:
        match parts:
            case ["arms", name, *rest]:
                words.append(f"arm '{name}'")
            case ["layers", int(index), *rest]:
                words.append(f"layer {index + 1}")
            case ["contrasts", int(index), *rest]:
                words.append(f"contrast {index + 1}")
            case ["dict" | "list" | "float" | "[key]", *rest]:
                pass  # pydantic's own: the kind of a JSON value, or that a key is meant
            case [int(index), *rest]:
                words.append(f"item {index + 1}")
            case [other, *rest]:
                words.append(str(other))
        parts = rest
    return ", ".join(words)


def _message(item: Any, table: type[BaseModel]) -> str:
    value, kind = item["input"], item["type"]
    message = str(item["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return _unknown_key(item["loc"], table)
    if kind == "missing":
        return "missing; it is required"
    if kind in {"value_error", "contradiction"}:
        return message
    text = repr(value)
    message = _WORDS.get(kind, f"{message[0].lower()}{message[1:]}")
    return f"{text if len(text) <= 60 else text[:57] + '...'}: {message}"


def _unknown_key(location: Sequence[str | int], table: type[BaseModel]) -> str:
    for part in location[:-1]:
        table = _INSIDE.get((table, part)) or _TABLES.get(part, table)
    known = list(table.model_fields)
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return f"unknown key; {hint}known here are {', '.join(known)}"
