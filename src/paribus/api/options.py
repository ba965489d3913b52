"""The options that ``compare``, ``Study`` and ``ablate`` share: one typed list, and each default in one place."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict, TypeVar

from paribus.api.data_argument import Scale
from paribus.errors import unknown_name

F = TypeVar("F", bound=Callable[..., Any])

Pair = tuple[str, str]


class StudyOptions(TypedDict, total=False):
    """The options of a study besides its arms and its data; :class:`paribus.Study` describes them."""

    name: str | None
    question: str
    seeds: int | Sequence[int]
    first_seed: int
    epochs: int
    batch_size: int
    optimizer: Any
    loss: Any
    validation_split: float
    validation: str
    class_weight: Mapping[Any, float] | str | None
    early_stopping: int | Mapping[str, Any] | None
    callbacks: Sequence[Any]
    precision: str
    metrics: Sequence[Any]
    positive: str | None
    initial_weights: Sequence[str]
    grid: Mapping[str, Any] | None
    tuning: Mapping[str, Any] | None
    baseline: str | None
    contrasts: Sequence[Any] | None
    levels: Mapping[str, Mapping[str, str]] | None
    primary: Any
    primary_share: float
    margin: float | None
    level: float
    scope: str
    scale: Scale
    standardize: bool
    folds: Any
    repeats: int
    groups: Any


DEFAULTS: StudyOptions = {
    "name": None,
    "question": "",
    "seeds": 5,
    "first_seed": 0,
    "epochs": 10,
    "batch_size": 100,
    "optimizer": "adam",
    "loss": None,
    "validation_split": 0.0,
    "validation": "last",
    "class_weight": None,
    "early_stopping": None,
    "callbacks": (),
    "precision": "float32",
    "metrics": (),
    "positive": None,
    "initial_weights": (),
    "grid": None,
    "tuning": None,
    "baseline": None,
    "contrasts": None,
    "levels": None,
    "primary": None,
    "primary_share": 0.8,
    "margin": None,
    "level": 0.95,
    "scope": "new data",
    "scale": "auto",
    "standardize": False,
    "folds": None,
    "repeats": 1,
    "groups": None,
}


def resolve_options(options: StudyOptions) -> StudyOptions:
    """Fill in the defaults of the options that are missing.

    Args:
        options: those that the caller set.

    Returns:
        Every option, in the order of the defaults.

    Raises:
        UnknownNameError: there is no such option.
    """
    for name in options:
        if name not in DEFAULTS:
            raise unknown_name("argument", name, DEFAULTS)
    return {**DEFAULTS, **options}


def show_options(*, without: Sequence[str] = ()) -> Callable[[F], F]:
    """A decorator: the signature of a function with ``**options`` lists every option with its default.

    Args:
        without: options that the function does not take.
    """

    def decorate(function: F) -> F:
        own = inspect.signature(function)
        named = [p for p in own.parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
        hints = StudyOptions.__annotations__
        options = [
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=_format_annotation(hints[name])
            )
            for name, default in DEFAULTS.items()
            if name not in without
        ]
        first = [p for p in named if p.kind is not inspect.Parameter.KEYWORD_ONLY]
        last = [p for p in named if p.kind is inspect.Parameter.KEYWORD_ONLY]
        function.__signature__ = own.replace(parameters=[*first, *options, *last])  # type: ignore[attr-defined]
        return function

    return decorate


def _format_annotation(hint: Any) -> str:
    """The text of an annotation in the source."""
    return str(getattr(hint, "__forward_arg__", hint))
