"""Reading a table of predictions: batch by batch, into arrays of runs and examples."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data.labels import LISTED, in_label_order
from paribus.data.limits import MAX_CLASSES
from paribus.data.predictions.complete import Keys, check_complete, check_constant
from paribus.data.predictions.folds import number_passes, read_folds
from paribus.data.predictions.layout import Layout, find_layout
from paribus.data.predictions.open_source import open_source
from paribus.data.predictions.probabilities import check_probability, reduce_probabilities
from paribus.data.predictions.sources import Batch, Source, missing_row
from paribus.data.predictions.table import PredictionTable
from paribus.data.predictions.words import WordCodes
from paribus.errors import DataError

MAX_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """All rows of a table, shape ``(rows,)`` each: codes of words, and numbers."""

    codes: dict[str, NDArray[np.int32]]
    predicted: NDArray[np.int32]
    confidence: NDArray[np.float64] | None
    true_probability: NDArray[np.float64] | None
    ties: int


def read_predictions(predictions: Any) -> PredictionTable:
    """Read the predictions of several arms.

    Args:
        predictions: the path of a ``.csv``, ``.parquet`` or ``.npz`` file, a pandas frame (or whatever has
            ``to_pandas``), or a mapping of column names to arrays. A row is the answer of one run to one example, with
            the columns ``arm``, ``seed`` (or ``run``), ``example``, ``label``, and ``prediction`` or one column of
            probabilities for each class (``p_<class>``); optionally ``group``; in cross-validation ``fold``, and
            ``repeat`` where the folds were drawn several times.

    Returns:
        The table, complete and checked.

    Raises:
        DataError: the table cannot be read; a value is missing; a row is there twice or not at all; labels differ
            between runs; probabilities are nan, negative, or do not sum to 1. The message names the row and the remedy.
    """
    source = open_source(predictions)
    layout = find_layout(source.name, source.columns)
    words = {name: WordCodes() for name in ("arm", "example")}
    classes = WordCodes()
    words["label"] = classes
    if layout.prediction is not None:
        words[layout.prediction] = classes
    for column in (layout.seed, layout.group, layout.fold, layout.run):
        if column is not None:
            words[column] = WordCodes()
    rows = _join(list(_batches(source, layout, words)))
    if rows is None:
        raise DataError(f"{source.name}: no rows below the header; expected the answers of at least one run")
    return _arrange(source, layout, words, rows)


def _batches(source: Source, layout: Layout, words: dict[str, WordCodes]) -> Iterator[_Rows]:
    columns = tuple(layout.probabilities.values())
    derived = tuple(name for name in (layout.confidence, layout.true_probability) if name is not None)
    for batch in source.batches(words, (*columns, *derived)):
        for name, codes in batch.words.items():
            if (row := missing_row(codes)) is not None:
                where = source.place(batch.first + row)
                raise DataError(
                    f"{source.name}: {where}, column {name!r}: the value is missing; expected one in every row"
                )
        yield _reduce(source, layout, words["label"], batch)


def _reduce(source: Source, layout: Layout, classes: WordCodes, batch: Batch) -> _Rows:
    """A batch without its columns of probabilities."""

    def place(row: int) -> str:
        return f"{source.name}: {source.place(batch.first + row)}"

    codes = dict(batch.words)
    if not layout.probabilities:
        for name in (layout.confidence, layout.true_probability):
            if name is not None:
                check_probability(batch.numbers[name], name, place)
        return _Rows(
            codes,
            codes.pop(layout.prediction or ""),
            None if layout.confidence is None else batch.numbers[layout.confidence],
            None if layout.true_probability is None else batch.numbers[layout.true_probability],
            0,
        )
    columns = list(layout.probabilities.values())
    order = {cls: index for index, cls in enumerate(layout.probabilities)}
    index_of = np.asarray([order.get(word, -1) for word in classes.words], np.int32)
    labels = index_of[codes["label"]]
    unknown = np.flatnonzero(labels < 0)
    if unknown.size:
        row = int(unknown[0])
        word = classes.words[codes["label"][row]]
        raise DataError(
            f"{place(row)}: label {word!r} has no column of probabilities; there are {_listed(columns)}. Name the "
            f"columns by the labels, like p_{word}"
        )
    reduced = reduce_probabilities([batch.numbers[name] for name in columns], labels, columns, place)
    # Codes of words, so that a predicted class and a label are distinguished in one way.
    code_of = np.asarray([classes[cls] for cls in layout.probabilities], np.int32)
    predicted, confidence = code_of[reduced.predicted], reduced.confidence
    ties = reduced.ties
    if layout.prediction is not None:
        predicted = codes.pop(layout.prediction)
        index_of = np.asarray([order.get(word, -1) for word in classes.words], np.int32)
        stated, ties = index_of[predicted], 0
        matrix = np.stack([batch.numbers[name] for name in columns])
        confidence = np.where(stated < 0, 0.0, matrix[stated, np.arange(batch.rows)])
    return _Rows(codes, predicted, confidence, reduced.true_probability, ties)


def _join(parts: list[_Rows]) -> _Rows | None:
    if not parts or not sum(len(part.predicted) for part in parts):
        return None

    def joined(arrays: list[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
        known = [array for array in arrays if array is not None]
        return np.concatenate(known) if known else None

    return _Rows(
        {name: np.concatenate([part.codes[name] for part in parts]) for name in parts[0].codes},
        np.concatenate([part.predicted for part in parts]),
        joined([part.confidence for part in parts]),
        joined([part.true_probability for part in parts]),
        sum(part.ties for part in parts),
    )


def _arrange(source: Source, layout: Layout, words: dict[str, WordCodes], rows: _Rows) -> PredictionTable:
    """The rows as arrays of arms, seeds and examples."""
    arms, examples = words["arm"].words, words["example"].words
    seeds, seed_of_code, notes = _number_seeds(words[layout.seed].words if layout.seed else ("0",))
    seed_codes = rows.codes[layout.seed] if layout.seed else np.zeros(len(rows.predicted), np.int32)
    passes, repeats = seed_of_code[seed_codes], len(seeds)
    if layout.fold is not None and layout.run is not None:
        ranks = _number_seeds(words[layout.run].words)[1]
        passes, count = number_passes(rows.codes["arm"], passes, rows.codes[layout.fold], ranks[rows.codes[layout.run]])
        seeds = seeds if count == repeats else tuple(range(count))
    keys = Keys(source, layout.seed, arms, seeds, examples, rows.codes["arm"], passes, rows.codes["example"])
    cells = check_complete(keys)
    labels = check_constant(keys, rows.codes["label"], words["label"].words, "label")
    groups = None
    if layout.group is not None:
        groups = check_constant(keys, rows.codes[layout.group], words[layout.group].words, "group")
    folds = None
    if layout.fold is not None:
        folds = read_folds(keys, rows.codes[layout.fold], words[layout.fold].words, groups, repeats)
    names, index_of_code = _order_classes(source, layout, words["label"])
    shape = (len(arms), len(seeds), len(examples))
    predicted = np.empty(shape, np.min_scalar_type(len(names) - 1))
    predicted.reshape(-1)[cells] = index_of_code[rows.predicted]
    final_labels = index_of_code[labels]
    notes += _check_words(source, arms, names, final_labels, predicted)
    if rows.ties:
        notes += (
            f"In {rows.ties:,} row{'' if rows.ties == 1 else 's'} two classes share the largest probability; the first "
            "of them, in the order of the classes, counts as predicted.",
        )
    if layout.ignored:
        notes += (f"Columns that were not read: {_listed(layout.ignored)}.",)
    digest = hashlib.sha256(repr((arms, seeds, names, shape)).encode())
    for array in (
        final_labels,
        predicted,
        *(() if groups is None else (groups,)),
        *(() if folds is None else (folds,)),
    ):
        digest.update(np.ascontiguousarray(array).data)
    arrays = [_place(values, cells, shape) for values in (rows.true_probability, rows.confidence)]
    for array in arrays:
        if array is not None:
            digest.update(np.ascontiguousarray(array).data)
    return PredictionTable(
        source=source.name,
        arms=arms,
        seeds=seeds,
        classes=names,
        examples=examples,
        labels=final_labels,
        predicted=predicted,
        true_probability=arrays[0],
        confidence=arrays[1],
        groups=groups,
        fingerprint=digest.hexdigest(),
        notes=notes,
        folds=folds,
    )


def _place(
    values: NDArray[np.float64] | None, cells: NDArray[np.int64], shape: tuple[int, int, int]
) -> NDArray[np.float64] | None:
    if values is None:
        return None
    placed = np.empty(shape)
    placed.reshape(-1)[cells] = values
    return placed


def _number_seeds(words: tuple[str, ...]) -> tuple[tuple[int, ...], NDArray[np.int32], tuple[str, ...]]:
    """The seeds in increasing order, and for each word the index of its seed; names are numbered, with a note."""
    ordered = in_label_order(words)
    rank = {word: index for index, word in enumerate(ordered)}
    index = np.asarray([rank[word] for word in words], np.int32)
    if all(word.isascii() and word.isdigit() and int(word) <= MAX_SEED for word in ordered):
        return tuple(int(word) for word in ordered), index, ()
    some = ", ".join(f"{number} is {word!r}" for number, word in enumerate(ordered[:LISTED]))
    note = f"Runs have names instead of seeds and are numbered: {some}{' ...' if len(ordered) > LISTED else ''}."
    return tuple(range(len(ordered))), index, (note,)


def _order_classes(source: Source, layout: Layout, classes: WordCodes) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The names of the classes in order, and for each code the index of its class.

    Raises:
        DataError: there are fewer than two classes or too many.
    """
    names = in_label_order({*classes.words, *layout.probabilities})
    if len(names) > MAX_CLASSES:
        raise DataError(
            f"{source.name}: {len(names):,} different labels and predictions; at most {MAX_CLASSES:,} classes are "
            "judged. Numbers that are no classes (prices, scores) are another task"
        )
    if len(names) < 2:
        raise DataError(
            f"{source.name}: every label and every prediction is {names[0]!r}; expected two classes or more"
        )
    rank = {name: index for index, name in enumerate(names)}
    return names, np.asarray([rank[word] for word in classes.words], np.int32)


def _check_words(
    source: Source,
    arms: tuple[str, ...],
    names: tuple[str, ...],
    labels: NDArray[np.int32],
    predicted: NDArray[np.unsignedinteger],
) -> tuple[str, ...]:
    """Check that predictions and labels are written in the same words; a remark on classes that no example has.

    Raises:
        DataError: no class that an arm predicts is the label of any example: all its answers would be wrong.
    """
    is_label = np.bincount(labels, minlength=len(names)) > 0
    answered = np.stack([np.bincount(of_arm.reshape(-1), minlength=len(names)) > 0 for of_arm in predicted])
    for arm, of_arm in zip(arms, answered, strict=True):
        if not (of_arm & is_label).any():
            raise DataError(
                f"{source.name}: no class that arm {arm!r} predicts ({_listed(np.asarray(names)[of_arm].tolist())}) is "
                f"the label of any example ({_listed(np.asarray(names)[is_label].tolist())}); write both columns in "
                "the same words"
            )
    unseen = np.flatnonzero(answered.any(axis=0) & ~is_label)
    return (f"Predicted, and the label of no example: {_listed([names[i] for i in unseen])}.",) if unseen.size else ()


def _listed(names: Any) -> str:
    words = list(names)
    return ", ".join(map(repr, words[:LISTED])) + (" ..." if len(words) > LISTED else "")
