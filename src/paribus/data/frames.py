"""Examples that are no NumPy arrays: pandas frames and series, SciPy's sparse matrices.

Neither package is imported: who hands over such an object has imported it already.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paribus.data.limits import MAX_ARRAY_BYTES, human
from paribus.errors import DataError

LISTED = 10


def is_frame(values: object) -> bool:
    """Whether this has named columns, as a pandas frame has."""
    return hasattr(values, "columns") and hasattr(values, "iloc")


def frame_columns(frame: Any) -> list[str]:
    """The names of a frame's columns."""
    return [str(name) for name in frame.columns]


def pair_by_name(x_train: Any, x_test: Any, where: str) -> tuple[Any, Any]:
    """Two frames with the columns of the second in the order of the first; anything else as it is.

    Args:
        x_train: training examples.
        x_test: test examples.
        where: what errors call the data.

    Raises:
        DataError: a name is there twice, or in one of them only.
    """
    frames = [(f"{where}: {split}", x) for split, x in (("x_train", x_train), ("x_test", x_test)) if is_frame(x)]
    for place, frame in frames:
        twice = list(frame.columns[frame.columns.duplicated()])
        if twice:
            raise DataError(f"{place}: two columns are named {twice[0]!r}; expected different names")
    if len(frames) < 2 or list(x_train.columns) == list(x_test.columns):
        return x_train, x_test
    train, test = set(x_train.columns), set(x_test.columns)
    for place, names, other in (("x_test", train - test, "x_train"), ("x_train", test - train, "x_test")):
        if names:
            listed = ", ".join(repr(name) for name in sorted(names, key=str)[:LISTED])
            more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
            raise DataError(
                f"{where}: {place} lacks {listed}{more}, which {other} has; columns are paired by their names. After "
                "pandas.get_dummies of each, x_test.reindex(columns=x_train.columns, fill_value=0) makes them alike"
            )
    return x_train, x_test[list(x_train.columns)]


def check_index(x: Any, y: Any, where: str, split: str) -> None:
    """Refuse labels that are the same rows in another order: rows are paired by position, as scikit-learn pairs them.

    Args:
        x: examples; only frames have an index that can be compared.
        y: their labels.
        where: what errors call the data.
        split: "train" or "test".

    Raises:
        DataError: the index of the labels is that of the examples in another order.
    """
    if not is_frame(x) or not hasattr(y, "index") or not hasattr(y, "iloc") or len(x) != len(y):
        return
    if not x.index.equals(y.index) and x.index.is_unique and x.index.sort_values().equals(y.index.sort_values()):
        raise DataError(
            f"{where}: y_{split} has the rows of x_{split} in another order, by their index; rows are paired by "
            f"position. Give y_{split}.loc[x_{split}.index]"
        )


def as_array(values: ArrayLike | Any, where: str) -> NDArray[Any]:
    """Examples or labels as a NumPy array, without copying where that is possible.

    Args:
        values: an array or what NumPy makes one of, a frame, a series, a sparse matrix.
        where: what to call them in an error, such as ``'arrays: x_train'``.

    Returns:
        An array of numbers, or of texts for labels.

    Raises:
        DataError: values are missing or masked, or are no array; the message names the call that repairs it.
    """
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise DataError(f"{where}: has masked (missing) values; fill them first")
    if is_frame(values):
        return _from_frame(values, where)
    if hasattr(values, "iloc"):
        return _from_series(values, where)
    if hasattr(values, "toarray") and hasattr(values, "nnz"):
        return _from_sparse(values, where)
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise DataError(f"{where}: not an array of numbers: {error}") from error
    return array


def _from_frame(frame: Any, where: str) -> NDArray[Any]:
    array: NDArray[Any] = frame.to_numpy()
    if array.dtype.kind in "uifb":
        _check_present(frame, where)
        return array
    columns = [_from_series(frame[name], f"{where}, column {name!r}", label=False) for name in frame.columns]
    return np.column_stack(columns) if columns else array


def _from_series(series: Any, where: str, *, label: bool = True) -> NDArray[Any]:
    """A column as numbers; labels may be words too."""
    if bool(series.isna().any()):
        raise _missing(series, where)
    kind = series.dtype
    name = str(kind).lower()
    if name.startswith(("datetime", "timedelta", "period")):
        raise DataError(f"{where}: holds {kind}; expected numbers. Make them numbers, as series.astype('int64') does")
    if name == "category" or not hasattr(kind, "kind"):
        series = series.astype(object)
    elif isinstance(kind, np.dtype):
        return _checked(series.to_numpy(), where, label=label)
    # pandas' own types of numbers, which convert_dtypes makes; without missing values they are plain ones.
    elif kind.kind in "iufb":
        plain = {"i": "int64", "u": "uint64", "f": "float64", "b": "bool"}[kind.kind]
        return np.asarray(series.to_numpy(dtype=plain))
    return _checked(series.to_numpy(dtype=object), where, label=label)


def _checked(array: NDArray[Any], where: str, *, label: bool) -> NDArray[Any]:
    """An array of objects as numbers if all are; words are labels only."""
    if array.dtype.kind != "O":
        return array
    if all(isinstance(value, int | float | np.number | np.bool_) for value in array):
        return np.asarray(array.tolist())
    if label:
        return array
    example = next(value for value in array if not isinstance(value, int | float | np.number | np.bool_))
    raise DataError(
        f"{where}: holds {example!r}; expected numbers. pandas.get_dummies(frame) makes a 0/1 column of each word, for "
        "training and test rows together; or give a CSV or Parquet file with `label`, whose words are understood"
    )


def _check_present(frame: Any, where: str) -> None:
    missing = frame.isna()
    names = [name for name in frame.columns if bool(missing[name].any())]
    if names:
        raise _missing(frame[names[0]], f"{where}, column {names[0]!r}")


def _missing(series: Any, where: str) -> DataError:
    missing = series.isna()
    return DataError(
        f"{where}: {int(missing.sum())} of {len(series)} values are missing, the first in row {missing.idxmax()!r}; "
        "expected one in every row. Fill them with scikit-learn's SimpleImputer, fitted on the training rows; or give "
        'a CSV or Parquet file with impute = "median"'
    )


def _from_sparse(matrix: Any, where: str) -> NDArray[Any]:
    size = math.prod(matrix.shape) * matrix.dtype.itemsize
    if size > MAX_ARRAY_BYTES:
        raise DataError(
            f"{where}: a sparse matrix of {matrix.shape} takes {human(size)} with its zeros written out; at most "
            f"{human(MAX_ARRAY_BYTES)} fit. Take fewer columns, as scikit-learn's TruncatedSVD does"
        )
    return np.asarray(matrix.toarray())
