"""The ``folds``, ``repeats`` and ``groups`` arguments in Python: keys of a study file, or a partition of arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.data import Dataset
from paribus.data.partition import make_partition
from paribus.errors import UsageError
from paribus.records import Folds


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """How examples are divided into folds, as a caller says it.

    Attributes:
        folds: a number, or with arrays a splitter of scikit-learn; None for a fixed test split.
        repeats: how often they are divided.
        groups: a column, or with arrays the group of each example; None where examples do not belong together.
    """

    folds: Any = None
    repeats: int = 1
    groups: Any = None

    def keys(self) -> dict[str, Any]:
        """The keys of a study file for data that comes by name, path or mapping.

        Returns:
            ``folds``, ``repeats`` and ``group``, as far as they are set.

        Raises:
            UsageError: a splitter, or groups that are no column.
        """
        if self.folds is not None and type(self.folds) is not int:
            raise UsageError(
                f"folds={_name(self.folds)}: a splitter divides arrays; give `data` as (x, y), or a number of folds"
            )
        if self.groups is not None and not isinstance(self.groups, str):
            raise UsageError(
                f"groups={_name(self.groups)}: of data that comes by its name the groups are a column; give its name, "
                "or `data` as (x, y)"
            )
        written = {"folds": self.folds, "group": self.groups, "repeats": None if self.repeats == 1 else self.repeats}
        return {key: value for key, value in written.items() if value is not None}

    def of_arrays(self, data: Dataset) -> tuple[dict[str, Any], NDArray[np.intp] | None]:
        """The keys of a study file for arrays, and the fold of each example where paribus's own do not do.

        Args:
            data: the arrays, both splits.

        Returns:
            The keys, and the partition of shape ``(repeats, examples)`` or None.

        Raises:
            UsageError: groups that are not one for each example, or a splitter whose test parts have not every example
                once.
            DataError: the arrays cannot be divided so.
        """
        labels = np.concatenate([data.y_train, data.y_test])
        groups = None if self.groups is None else self._group_codes(len(labels))
        if self.folds is None or type(self.folds) is int:
            keys = Division(self.folds, self.repeats).keys()
            if self.folds is None and groups is not None:
                raise UsageError("groups without folds: say how many `folds`, such as folds=5")
            if groups is None or self.folds is None or self.folds < 2:
                return keys, None
            folds = Folds(self.folds, self.repeats)
            return keys, make_partition(labels, folds, data.name, data.class_names, groups)
        codes = self._split(labels, groups)
        repeats, count = len(codes), int(codes.max()) + 1
        return {"folds": count, **({"repeats": repeats} if repeats > 1 else {})}, codes

    def _group_codes(self, examples: int) -> NDArray[np.intp]:
        array = np.asarray(self.groups)
        if array.shape != (examples,):
            raise UsageError(f"groups have shape {array.shape}; one group for each of {examples} examples is expected")
        return np.unique(array, return_inverse=True)[1].reshape(-1)

    def _split(self, labels: NDArray[np.int32], groups: NDArray[np.intp] | None) -> NDArray[np.intp]:
        """The partition that a splitter makes, repetition by repetition."""
        if not callable(getattr(self.folds, "get_n_splits", None)):
            raise UsageError(f"folds={_name(self.folds)}: a number of folds is expected, or a splitter of scikit-learn")
        if self.repeats != 1:
            raise UsageError(f"repeats={self.repeats} with a splitter, which says how often itself; leave it out")
        examples, rows = len(labels), []
        row, fold = np.full(examples, -1), 0
        for train, test in self.folds.split(np.zeros((examples, 1)), labels, groups):
            parts = np.concatenate([train, test])
            if (row[test] >= 0).any() or len(parts) != examples or len(np.unique(parts)) != examples:
                raise _no_partition(self.folds)
            row[test] = fold
            fold += 1
            if (row >= 0).all():
                rows.append(row)
                row, fold = np.full(examples, -1), 0
        if fold or not rows or len({int(done.max()) for done in rows}) > 1:
            raise _no_partition(self.folds)
        return np.array(rows, np.intp)


def _no_partition(splitter: Any) -> UsageError:
    return UsageError(
        f"folds={_name(splitter)}: its test parts do not have every example once, with all others to train on. Folds "
        "are a partition, as KFold, StratifiedKFold, GroupKFold and their repeated kin make"
    )


def _name(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
