"""Which data a name or a path means."""

from __future__ import annotations

import dataclasses
import difflib
import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from paribus.data import builtin, folders, images, named, npz, tables
from paribus.data.dataset import Dataset
from paribus.data.folds import Pooled, divide
from paribus.data.read_once import READ_DATA
from paribus.errors import DataError, UnknownNameError, UsageError
from paribus.records import DataSpec, DataSummary

NAMES = ("mnist", "digits", "fashion-mnist")
PATHS = (
    "a folder of four IDX files under MNIST's names, a folder of x_train.npy, y_train.npy, x_test.npy, y_test.npy, "
    "a folder of images by class, or a file .npz, .csv or .parquet"
)
TABLE_OPTIONS = ("label", "categorical", "test", "test_fraction", "drop", "impute")


LARGE_PIXEL = 128
"""Images with a pixel as large as this were not scaled."""

FEWEST_PIXELS = 64
"""Examples of fewer whole numbers are rather counts of something than pixels."""

LOOKED_AT = 1000
"""Images that are looked at for that."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    """How a source is read, which options of a spec it knows, and its files where reading them takes long."""

    kind: str
    read: Callable[[DataSpec], Dataset]
    options: tuple[str, ...] = ()
    files: Callable[[], Sequence[Path]] | None = None


def sources() -> tuple[str, ...]:
    """The names of data sets. ``mnist`` and ``digits`` are always there; ``fashion-mnist`` where it is installed."""
    return NAMES


def is_name(source: str) -> bool:
    """Whether a source is a name, whatever files there are; anything else is a path."""
    return source in NAMES or source.startswith(("keras:", "sklearn:"))


def load(spec: DataSpec) -> Dataset:
    """Read the data that a spec names, check it, and flatten the examples where the spec says so.

    Values stay as they are stored: the engine scales or standardizes them inside its compiled program.

    Args:
        spec: the source, and how it is read.

    Returns:
        The data set; of a spec that selects a fold, that fold's.

    Raises:
        UnknownNameError: there is no such source.
        UsageError: an option of the spec does not fit the source or the other options.
        DataError: the data is corrupt, truncated, foreign or inconsistent.
    """
    if spec.folds is not None:
        return _load_fold(spec)
    source = _find(spec)
    _check_options(spec, source)
    dataset = (
        source.read(spec) if source.files is None else READ_DATA.read(spec, source.files, lambda: source.read(spec))
    )
    notes = (*dataset.notes, *_unscaled(spec, dataset))
    dataset = dataset if notes == dataset.notes else dataclasses.replace(dataset, notes=notes)
    return dataset.flattened() if spec.flatten else dataset


def load_pooled(spec: DataSpec) -> Pooled:
    """All examples of a source with their folds.

    Args:
        spec: the source, and how it is divided.

    Raises:
        UnknownNameError, UsageError, DataError: as :func:`load`; or the source cannot be divided so.
    """
    _check_options(spec, _find(spec))
    return divide(spec, load)


def _load_fold(spec: DataSpec) -> Dataset:
    assert spec.folds is not None, "the data has folds"
    if spec.folds.repeat is None or spec.folds.fold is None:
        # A reader that knows nothing of folds must not take one of them for the whole.
        raise UsageError(
            f"data {spec.source!r} is divided into {spec.folds.count} folds, and this command needs one fixed split; "
            "use a study without `folds`"
        )
    dataset = load_pooled(spec).split(spec.folds.repeat, spec.folds.fold)
    return dataset.flattened() if spec.flatten else dataset


def summarize(spec: DataSpec) -> DataSummary:
    """Name, fingerprint and sizes of the data; for ``mnist`` and ``digits`` without reading it.

    Args:
        spec: the source, and how it is read.

    Raises:
        UnknownNameError, UsageError, DataError: as :func:`load`.
    """
    if spec.folds is not None and spec.folds.fold is not None:
        return load(spec).summary()
    if spec.folds is not None:
        pooled = load_pooled(spec)
        summary = pooled.summary()
        notes = (*summary.notes, *_pooled_note(spec, pooled))
        shape = (math.prod(summary.input_shape),) if spec.flatten else summary.input_shape
        return dataclasses.replace(summary, notes=notes, input_shape=shape)
    recorded = builtin.SUMMARIES.get(spec.source)
    if recorded is None:
        return load(spec).summary()
    _check_options(spec, _find(spec))
    return dataclasses.replace(recorded, input_shape=(math.prod(recorded.input_shape),)) if spec.flatten else recorded


def pending(spec: DataSpec) -> int:
    """How many bytes of files must be read before the data's fingerprint is known; 0 where it is known or is not large.

    Only folders of four files can be larger than memory, so nothing else is looked at.

    Args:
        spec: the source.

    Raises:
        DataError: a file cannot be read.
    """
    if not spec.source or is_name(spec.source):
        return 0
    try:
        path = Path(spec.source).expanduser()
    except RuntimeError:
        return 0  # "~someone" has no home, which reading says
    return folders.pending(path) if path.is_dir() else 0


def class_names(spec: DataSpec) -> tuple[str, ...]:
    """The names of the classes by index; for ``mnist`` and ``digits`` without reading the data.

    Args:
        spec: the source.

    Raises:
        UnknownNameError, UsageError, DataError: as :func:`load`.
    """
    if spec.source in builtin.SUMMARIES:
        return builtin.DIGIT_NAMES
    first = None if spec.folds is None else dataclasses.replace(spec, folds=spec.folds.of_seed(0))
    return load(first or spec).class_names


def _find(spec: DataSpec) -> _Source:
    source = spec.source
    match source:
        case "mnist":
            return _Source("mnist", lambda _: builtin.load_mnist())
        case "digits":
            return _Source("digits", lambda _: builtin.load_digits())
        case "fashion-mnist":
            return _Source("fashion-mnist", lambda _: named.read_fashion_mnist())
    package, colon, name = source.partition(":")
    if colon and package == "keras":
        return _Source("a set of keras.datasets", lambda _: named.read_keras(name))
    if colon and package == "sklearn":
        return _Source(
            "a set of scikit-learn", lambda spec: named.read_sklearn(name, spec.test_fraction), ("test_fraction",)
        )
    try:
        return _find_path(spec)
    except OSError as error:
        raise DataError(f"{source}: cannot be read: {error.strerror or error}") from error
    except RuntimeError as error:
        # pathlib, where "~someone" has no home.
        raise UnknownNameError(f"data {source!r}: {error}") from error


def _find_path(spec: DataSpec) -> _Source:
    source = spec.source
    path = Path(source).expanduser() if source else None
    if path and path.is_dir():
        return _find_folder(path)
    if path is None or not path.is_file():
        close = difflib.get_close_matches(path.name if path else "", NAMES, n=1)
        hint = f" Did you mean {close[0]}?" if close else ""
        raise UnknownNameError(
            f"data {source!r}: no such name, file or folder.{hint} Names: {', '.join(NAMES)}, "
            f"{', '.join(f'sklearn:{name}' for name in named.SKLEARN)}, "
            f"{', '.join(f'keras:{name}' for name in named.KERAS)}. Paths: {PATHS}"
        )
    suffix = path.suffix.lower()
    if suffix == ".npz":
        return _Source("an .npz file", lambda spec: npz.read(path, standardize=spec.standardize), files=lambda: [path])
    if suffix in tables.READERS:
        both = [path, *([] if spec.test is None else [Path(spec.test).expanduser()])]
        return _Source("a table", lambda spec: tables.read(path, spec), TABLE_OPTIONS, lambda: both)
    raise UnknownNameError(f"data {source!r}: a kind of file that is not understood. Understood: {PATHS}")


def _find_folder(folder: Path) -> _Source:
    if folders.has_idx(folder):
        return _Source("a folder of IDX files", lambda _: folders.read_idx(folder), files=lambda: _inside(folder))
    if folders.has_npy(folder):
        # Memory-mapped: reading is nothing that could be saved.
        return _Source("a folder of .npy files", lambda spec: folders.read_npy(folder, standardize=spec.standardize))
    if any(entry.is_dir() and not entry.name.startswith(".") for entry in folder.iterdir()):
        return _Source(
            "a folder of images",
            lambda spec: images.read_folder(folder, spec.test_fraction),
            ("test_fraction",),
            lambda: _inside(folder),
        )
    raise DataError(f"{folder}: nothing in this folder is understood. Understood: {PATHS}")


def _inside(folder: Path) -> list[Path]:
    """Everything below a folder, and the folder itself."""
    return [folder, *sorted(folder.rglob("*"))]


def _pooled_note(spec: DataSpec, pooled: Pooled) -> tuple[str, ...]:
    """A remark on sources that have a test split of their own; a single example is what arrays without one were cut."""
    if (spec.test is None and "test_fraction" in _find(spec).options) or pooled.own_test <= 1:
        return ()
    train = len(pooled.labels) - pooled.own_test
    return (
        f"The splits that the source has, {train:,} training and {pooled.own_test:,} test examples, are pooled: every "
        "example is a test example of one fold.",
    )


def _unscaled(spec: DataSpec, dataset: Dataset) -> tuple[str, ...]:
    """A remark on pixels that nothing scales; named data is left out, whose studies say what they do."""
    if spec.scale is not None or spec.standardize or is_name(spec.source):
        return ()
    if dataset.columns is not None or math.prod(dataset.input_shape) < FEWEST_PIXELS:
        return ()
    pixels = dataset.x_train[:LOOKED_AT]
    largest = float(pixels.max())
    if not LARGE_PIXEL <= largest <= 255 or pixels.min() < 0 or (pixels != np.floor(pixels)).any():
        return ()
    return (
        f"Pixels are in 0 to {largest:g} and are not scaled, unless a network does it itself; `scale = 255` "
        "brings them to 0 to 1, and `scale = 1` says that they are meant so.",
    )


def _check_options(spec: DataSpec, source: _Source) -> None:
    where = f"data {spec.source!r}"
    for option in TABLE_OPTIONS:
        if getattr(spec, option) not in (None, ()) and option not in source.options:
            raise UsageError(f"{where}: `{option}` means nothing for {source.kind}; leave it out")
    if spec.test is not None and spec.test_fraction is not None:
        raise UsageError(f"{where}: both `test` and `test_fraction`; expected one of them")
    if spec.test_fraction is not None and not 0 < spec.test_fraction < 1:
        raise UsageError(f"{where}: test_fraction = {spec.test_fraction:g}; expected a share between 0 and 1")
    if spec.scale is not None and not 0 < spec.scale < math.inf:
        raise UsageError(f"{where}: scale = {spec.scale:g}; expected a number above 0, such as 255")
    if spec.impute is not None and spec.impute.fill_value is not None and spec.impute.strategy != "constant":
        raise UsageError(
            f'{where}: impute: `fill_value` means nothing for strategy "{spec.impute.strategy}"; leave it out, or say '
            'strategy = "constant"'
        )
    if spec.scale is not None and spec.standardize:
        raise UsageError(f"{where}: `scale` has no effect beside `standardize`; leave one of them out")
