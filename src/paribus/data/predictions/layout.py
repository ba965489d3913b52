"""Which column of a table of predictions is what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paribus.data.labels import LISTED, in_label_order
from paribus.data.limits import MAX_CLASSES
from paribus.data.predictions.words import normalize
from paribus.errors import DataError

PREFIXES = ("probability_", "p_")
"""What the name of a column of probabilities begins with; the rest is the class."""

_REQUIRED = {
    "arm": "the variant that made the prediction",
    "example": "the test example, with the same name in every run",
    "label": "the right class of the example",
}
_ALIASES = {"seed": ("seed", "run"), "prediction": ("prediction", "predicted")}
_DERIVED = ("correct",)
"""Columns of ``paribus export`` that follow from others."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of a table of predictions, by what they hold.

    Attributes:
        seed: the column of the seed; None where the table has none. With folds it says which pass over the folds a row
            belongs to: the column ``repeat`` where there is one.
        prediction: the column of the predicted class; None where probabilities say it.
        group: the column of the group; None where the table has none.
        probabilities: the column of each class, in the order of the classes; empty without probabilities.
        true_probability: the column of the right class's probability, where there is no column for each class.
        confidence: the column of the predicted class's probability, where there is no column for each class.
        ignored: columns that are not read.
        fold: the column of the fold that an example is tested in; None with one test set.
        run: beside ``repeat``, the column of the seed: it tells runs of one fold apart; None where there is none.
    """

    seed: str | None
    prediction: str | None
    group: str | None
    probabilities: Mapping[str, str]
    true_probability: str | None
    confidence: str | None
    ignored: tuple[str, ...]
    fold: str | None = None
    run: str | None = None


def find_layout(source: str, columns: Sequence[str]) -> Layout:
    """Assign to each column of a table what it holds.

    Args:
        source: what errors call the table.
        columns: the names of its columns.

    Raises:
        DataError: a column is missing, is there twice, or two columns hold the same thing.
    """
    twice = [name for name, count in Counter(columns).items() if count > 1]
    if twice:
        raise DataError(f"{source}: two columns are named {twice[0]!r}; expected different names")
    for name, what in _REQUIRED.items():
        if name not in columns:
            raise DataError(
                f"{source}: no column {name!r} ({what}); the columns are {_listed(columns)}. Name one of them so, as "
                f"pandas' frame.rename(columns={{...: {name!r}}}) does"
            )
    seed, prediction = (_one_of(source, columns, _ALIASES[what]) for what in ("seed", "prediction"))
    fold = "fold" if "fold" in columns else None
    run = None
    if fold is not None and "repeat" in columns:
        seed, run = "repeat", seed
    probabilities = _find_probabilities(source, columns)
    if prediction is None and not probabilities:
        raise DataError(
            f"{source}: neither a column 'prediction' (the predicted class) nor columns of probabilities, one for each "
            f"class, like 'p_cat' and 'p_dog'; the columns are {_listed(columns)}. Logits become probabilities with "
            "scipy.special.softmax(logits, axis=1)"
        )
    derived = {name: None if probabilities or name not in columns else name for name in _PROBABILITY_OF_ONE}
    read = {*_REQUIRED, seed, run, prediction, *probabilities.values(), *derived.values(), "group", "fold", *_DERIVED}
    return Layout(
        seed,
        prediction,
        "group" if "group" in columns else None,
        probabilities,
        derived["true_probability"],
        derived["confidence"],
        tuple(name for name in columns if name not in read),
        fold,
        run,
    )


_PROBABILITY_OF_ONE = ("true_probability", "confidence")


def _one_of(source: str, columns: Sequence[str], names: Sequence[str]) -> str | None:
    present = [name for name in names if name in columns]
    if len(present) > 1:
        raise DataError(f"{source}: columns {present[0]!r} and {present[1]!r} mean the same; leave one of them out")
    return present[0] if present else None


def _find_probabilities(source: str, columns: Sequence[str]) -> dict[str, str]:
    """The column of each class, in the order of the classes."""
    by_class: dict[str, str] = {}
    for name in columns:
        prefix = next((prefix for prefix in PREFIXES if name.startswith(prefix) and name != prefix), None)
        if prefix is None:
            continue
        cls = normalize(name.removeprefix(prefix))
        if cls in by_class:
            raise DataError(f"{source}: columns {by_class[cls]!r} and {name!r} are both about class {cls!r}; keep one")
        by_class[cls] = name
    if len(by_class) == 1:
        ((cls, name),) = by_class.items()
        raise DataError(
            f"{source}: {name!r} is the only column of probabilities; expected one for each class. With two classes "
            f"the other one's is 1 - {name}, in a column p_<name of that class>"
        )
    if len(by_class) > MAX_CLASSES:
        raise DataError(f"{source}: {len(by_class):,} columns of probabilities; at most {MAX_CLASSES:,} classes")
    return {cls: by_class[cls] for cls in in_label_order(by_class)}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:LISTED])) + (" ..." if len(names) > LISTED else "")
