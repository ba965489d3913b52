"""The process that predicts for the playground: it reads a study's networks, answers one question at a time, and ends.

It imports no module that a store names: networks with classes of the user's own are left out, with the reason.
Questions and answers are frames on stdin and stdout: the length as four bytes, then the content (decision 0141).
"""

from __future__ import annotations

import io
import json
import os
import struct
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from paribus.data import Dataset, load
from paribus.data.images import read_picture
from paribus.errors import DataError, ParibusError, UsageError
from paribus.predict.convert import convert_picture
from paribus.predict.picture_format import read_format
from paribus.report.pictures import Pictures
from paribus.results.selection import select_runs
from paribus.results.stored_study import open_results
from paribus.store.database import DATABASE_NAME
from paribus.store.sqlite import SqliteStore

MODULE: Final = "paribus.dashboard.predictor"

MAX_COLUMNS: Final = 200
"""Tables with more columns than this have no form."""

MAX_NEIGHBOURS_BYTES: Final = 512 << 20
"""Training examples among which the nearest ones are looked for: the first ones that take so much memory."""

NEAREST: Final = 6

_LENGTH: Final = struct.Struct(">I")


def write_frame(stream: BinaryIO, content: bytes) -> None:
    """Write one frame."""
    stream.write(_LENGTH.pack(len(content)) + content)
    stream.flush()


def read_frame(stream: BinaryIO) -> bytes | None:
    """The next frame; None at the end."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    content = stream.read(length)
    return content if len(content) == length else None


class Predictor:
    """The networks of one study.

    Args:
        store: the store's folder.
        label: the study's name.
    """

    def __init__(self, store: Path, label: str) -> None:
        from paribus.predict.warm import WarmPredictor

        self._store, self._label = SqliteStore.open(store, mode="read"), label
        self._database, self._version = store / DATABASE_NAME, (0, 0, 0)
        results = open_results(label, self._store)
        spec = results.document.data.spec()
        if results.document.data.folds is not None:
            raise UsageError("Every fold of a cross-validation has networks of its own; there is nothing to ask here.")
        self._data: Dataset = load(replace(spec, flatten=False))
        if self._data.fingerprint != results.data.fingerprint:
            raise DataError(f"The data that '{self._data.name}' names has changed since these networks were trained.")
        self._is_table = len(self._data.input_shape) == 1
        self._format = None if self._is_table else read_format(self._data)
        self._neighbours = None if self._is_table else _Neighbours(self._data)
        self._networks = WarmPredictor(results.document, self._data)

    def answer(self, question: bytes) -> dict[str, Any]:
        """The answer to a question.

        Args:
            question: its kind (one of ``playground.KINDS``), a newline, its content.

        Returns:
            What the page shows, for JSON.

        Raises:
            UsageError: the study's data takes no such question, or no network has finished.
            DataError: the picture or the row cannot be read.
            StoreError: weights are damaged.
        """
        kind, _, content = question.partition(b"\n")
        self.update()
        match kind:
            case b"picture":
                return self.ask_picture(content)
            case b"row":
                return self.ask_row(content)
            case _:
                return self.describe()

    def describe(self) -> dict[str, Any]:
        """What can be asked: ``picture`` or ``row``, with the columns of a table; the names of the classes."""
        columns = [] if not self._is_table else _columns(self._data)
        return {"kind": "row" if self._is_table else "picture", "columns": columns, **self._state()}

    def ask_picture(self, content: bytes) -> dict[str, Any]:
        """The predictions for a picture, what the networks see of it, and the training examples that are like it.

        Args:
            content: the bytes of the picture's file.

        Raises:
            UsageError: the study's data is a table.
            DataError: the file is not a picture, or cannot be made like the data.
        """
        if self._format is None or self._neighbours is None:
            raise UsageError("This study's data is a table; its examples are not pictures. Send a row.")
        picture = read_picture(Path("the picture"), io.BytesIO(content))
        example, notes = convert_picture(picture.pixels, self._format, "the picture")
        turned = ("turned as its camera noted",) if picture.turned else ()
        return {
            **self._predict(example),
            "seen": self._neighbours.draw(example),
            "prepared": [*turned, *notes],
            "nearest": self._neighbours.nearest(example),
        }

    def ask_row(self, content: bytes) -> dict[str, Any]:
        """The predictions for a row of a table.

        Args:
            content: a JSON list with a value for each column.

        Raises:
            UsageError: the study's data is pictures.
            DataError: it is not a list of as many values, or a column cannot have a value.
            json.JSONDecodeError: it is not JSON.
        """
        if not self._is_table:
            raise UsageError("This study's examples are pictures, not rows. Draw a picture.")
        return self._predict(_row(self._data, json.loads(content)))

    def _predict(self, example: NDArray[Any]) -> dict[str, Any]:
        arms = [
            {
                "arm": predictions.arm,
                "seeds": list(predictions.seeds),
                "probabilities": np.round(predictions.probabilities[:, 0].astype(float), 4).tolist(),
                "predicted": predictions.predicted[:, 0].tolist(),
            }
            for predictions in self._networks.predict(example)
        ]
        return {"arms": arms, **self._state()}

    def _state(self) -> dict[str, Any]:
        return {
            "classes": list(self._data.class_names),
            "problems": self._networks.problems,
            "left_out": self._networks.left_out,
        }

    def update(self) -> None:
        """Read the runs that have finished since.

        Raises:
            UsageError: no network of the study has finished.
            StoreError: the store or weights are damaged.
        """
        status = self._database.stat()
        version = (status.st_ino, status.st_size, status.st_mtime_ns)
        if version == self._version:
            return
        selection = select_runs(open_results(self._label, self._store))
        if not selection.networks:
            raise UsageError("No network of this study has finished yet; scikit-learn estimators are not stored.")
        self._networks.update(selection)
        self._version = version


class _Neighbours:
    """The training examples, to look for those that are most like a picture: by the sum of squared differences."""

    def __init__(self, data: Dataset) -> None:
        pixels = int(np.prod(data.input_shape))
        count = min(len(data.x_train), max(1, MAX_NEIGHBOURS_BYTES // (4 * pixels)))
        self._examples = data.x_train[:count]
        self._flat = np.asarray(self._examples, np.float32).reshape(count, pixels)
        self._squares = np.einsum("ij,ij->i", self._flat, self._flat)
        self._labels, self._names = data.y_train[:count], data.class_names
        self._pictures = Pictures.from_examples(self._examples)

    def nearest(self, example: NDArray[Any]) -> list[dict[str, Any]]:
        """The nearest examples, the nearest first, as pictures with their classes."""
        if self._pictures is None:
            return []
        distances = self._squares - 2 * (self._flat @ np.asarray(example, np.float32).reshape(-1))
        most = min(NEAREST, len(distances))
        places = np.argpartition(distances, most - 1)[:most]
        order = places[np.argsort(distances[places], kind="stable")]
        names = [self._names[self._labels[index]] for index in order]
        return [
            {"label": name, "index": int(index), "picture": self._pictures.data_uri(int(index))}
            for name, index in zip(names, order, strict=True)
        ]

    def draw(self, example: NDArray[Any]) -> str | None:
        """A picture as the networks see it, at the address of an image inside a page."""
        if self._pictures is None:
            return None
        shape = self._pictures.examples.shape[1:]
        return replace(self._pictures, examples=example.reshape(1, *shape)).data_uri(0)


def _columns(data: Dataset) -> list[dict[str, Any]]:
    """The columns of a table with the value to begin with: the mean, or the first word.

    Raises:
        UsageError: they are too many for a form.
    """
    (width,) = data.input_shape
    columns = data.columns
    count = width if columns is None else len(columns)
    if count > MAX_COLUMNS:
        raise UsageError(f"A table of {count:,} columns has no form here; at most {MAX_COLUMNS} have.")
    offset = np.zeros(width) if data.offset is None else data.offset.reshape(-1)
    mean = np.asarray(data.x_train[:2000], np.float64).mean(axis=0) + offset
    if columns is None:
        return [{"name": f"feature {index}", "words": None, "start": float(f"{v:.4g}")} for index, v in enumerate(mean)]
    described, position = [], 0
    for column in columns:
        start: float | str = float(f"{mean[position]:.4g}") if column.words is None else column.words[0]
        described.append({"name": column.name, "words": column.words, "start": start})
        position += column.width
    return described


def _row(data: Dataset, values: Any) -> NDArray[np.float32]:
    """One example from a value for each column; nothing is missing in it.

    Raises:
        DataError: it has another number of values, or one that the column cannot have.
    """
    (width,) = data.input_shape
    columns = data.columns
    count = width if columns is None else len(columns)
    if not isinstance(values, list) or len(values) != count:
        raise DataError(f"the row must be a list of {count} values, one for each column")
    example, position = np.zeros(width), 0
    for index, value in enumerate(values):
        words = None if columns is None else columns[index].words
        name = f"feature {index}" if columns is None else columns[index].name
        if words is not None:
            if value not in words:
                raise DataError(f"{name}: {value!r} is not one of the words of this column in training")
            example[position + words.index(value)] = 1.0
            position += len(words)
            continue
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 3e38:
            raise DataError(f"{name}: {value!r} is not a finite number")
        example[position] = value
        position += 1
    offset = 0.0 if data.offset is None else data.offset.reshape(-1)
    return (example - offset).astype(np.float32)


def main(arguments: list[str]) -> int:
    """Answer questions until stdin ends. The first frame that is written says what can be asked."""
    from paribus.engine import environment

    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever libraries print is no answer
    environment.prepare()
    store, label = arguments
    predictor = _answered(replies, partial(Predictor, Path(store), label))
    if predictor is None:
        return 1
    while (frame := read_frame(sys.stdin.buffer)) is not None:
        answer = _answered(replies, partial(predictor.answer, frame))
        if answer is not None:
            write_frame(replies, json.dumps(answer).encode())
    return 0


def _answered(replies: BinaryIO, make: Callable[[], Any]) -> Any:
    """What a function makes; None, and the reason as the answer, where paribus refuses."""
    try:
        return make()
    except (ParibusError, json.JSONDecodeError, RecursionError) as error:
        write_frame(replies, json.dumps({"problem": str(error)}).encode())
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
