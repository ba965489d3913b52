"""Makes the inputs of the exported networks from a table. Copied beside them as ``prepare.py``; knows no paribus.

    import pandas
    from prepare import classes, networks, prepare

    frame = pandas.read_csv("new.csv")
    x = prepare(frame)                       # what the networks read, float32
    names = classes(frame, networks[0])      # what the first network answers

It needs NumPy and pandas, and Keras to ask a network. Everything that it knows is in ``manifest.json`` beside it.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np

_HERE = Path(__file__).parent
_MANIFEST = json.loads((_HERE / "manifest.json").read_text(encoding="utf-8"))
_MISSING = {"", "na", "n/a", "#n/a", "nan", "<na>", "null", "none", "nil", "?"}

networks = _MANIFEST["networks"]


def prepare(frame: Any, network: Any = None) -> Any:
    """A pandas frame as the networks read it: float32, shape (rows, features).

    Columns are looked up by name, in any order; others are ignored. Networks of cross-validation read examples each in
    its own way, fitted to its training part: then ``network`` (an entry of ``networks``) is needed.

    Args:
        frame: a row for each example.
        network: an entry of ``networks``, where each has a preparation of its own.

    Raises:
        ValueError: the frame lacks a column, or a value in a column that is not filled in; the message names it. Or
            the network is needed.
    """
    how = _MANIFEST["preparation"] or (network or {}).get("preparation")
    if how is None:
        raise ValueError("these networks read examples each in its own way: prepare(frame, network)")
    columns = how["columns"]
    absent = [column["name"] for column in columns if column["name"] not in frame.columns]
    if absent:
        raise ValueError(f"the table lacks the columns {', '.join(map(repr, absent))}")
    parts, indicators = [], []
    for column in columns:
        cells = [_cell(value, column["words"]) for value in frame[column["name"]]]
        missing = np.array([cell is None for cell in cells], bool)
        if missing.any() and column["fill"] is None:
            raise ValueError(f"column {column['name']!r}: a value is missing in row {int(missing.argmax())}")
        filled = [column["fill"] if cell is None else cell for cell in cells]
        if column["words"] is None:
            parts.append(np.array([float(cell) for cell in filled], np.float64)[:, None])
        else:
            parts.append(np.array([[cell == word for word in column["words"]] for cell in filled], np.float64))
        if column["indicator"]:
            indicators.append(missing.astype(np.float64)[:, None])
    x = np.hstack([part.reshape(len(frame), -1) for part in parts + indicators])
    if how["offset"] is not None:
        x = x - np.array(how["offset"], np.float64)
    x = x.astype(np.float32)
    if how["mean"] is not None:
        x = (x - np.float32(how["mean"])) / np.float32(how["deviation"])
    elif how["scale"] is not None:
        x = x / np.float32(how["scale"])
    return x


def classes(frame: Any, network: Any) -> Any:
    """The answers of a network for the rows of a frame: names of classes.

    Args:
        frame: a pandas frame, a row for each example.
        network: an entry of ``networks``.
    """
    import keras

    model = keras.saving.load_model(_HERE / network["file"])
    outputs = model.predict(prepare(frame, network).reshape(-1, *network["input_shape"]), verbose=0)
    answers = outputs.argmax(-1) if outputs.shape[-1] > 1 else (outputs[:, 0] > _MANIFEST["threshold"]).astype(int)
    return np.array(_MANIFEST["data"]["class_names"])[answers]


def _cell(value: Any, words: Any) -> Any:
    """A cell as a number or, in a column of words, as its word; None where it is missing."""
    if value is None or value != value or str(value) == "<NA>":
        return None
    text = str(value).strip()
    if words is None:
        return None if text.lower() in _MISSING else value
    spellings = [text]
    if isinstance(value, bool | np.bool_):
        spellings += [text.lower(), text.upper()]
    if isinstance(value, float | np.floating) and float(value).is_integer():
        spellings.append(str(int(value)))
    for spelling in spellings:
        if spelling in words:
            return spelling
    return None if text.lower() in _MISSING else spellings[-1]
