"""``pb.compare``: from Keras models and data to an answer with error bars."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Unpack

from paribus.api.options import StudyOptions, show_options
from paribus.api.results import Results
from paribus.api.study import Study
from paribus.backends.base import Backend


@show_options()
def compare(
    models: Mapping[str, Any],
    data: Any,
    *,
    store: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    lanes: int | None = None,
    backend: Backend | str | None = None,
    address: str | None = None,
    progress: bool = True,
    verbose: int | str = "auto",
    **options: Unpack[StudyOptions],
) -> Results:
    """Train every model on many seeds, all else equal, and say with error bars which is better.

    The arguments are those of :class:`Study` and of :meth:`Study.run`, which describe them in more detail. Models are
    Keras models and, as baselines, scikit-learn classifiers. They are recipes: their weights are not used, but for
    those of the arms that ``initial_weights`` names.

    Args:
        models: by the names of the arms.
        data: a name or a path; arrays ``(x_train, y_train, x_test, y_test)``; or a mapping like ``[data]``.
        store: the folder for runs; by default they are in memory.
        workers: worker processes; by default one per GPU or core.
        lanes: how many seeds a worker trains side by side; by default 8 on a GPU, 1 on a core.
        backend: computes the runs instead of worker processes of this machine; it is closed at the end.
        address: where a Ray cluster runs, with ``backend="ray"``; as :meth:`Study.run`.
        progress: whether to show progress.
        verbose: as in Keras's ``fit``: 0 shows nothing, 1 or "auto" progress in place, 2 a line for each run.
        **options: the other arguments of :class:`Study`.

    Returns:
        The results: arms with their runs, contrasts with verdicts, tables, figures and reports.

    Raises:
        UsageError, ModelError, StudyError, DataError: as :class:`Study`.
        StoreError, BackendError, InterruptedRunError: as :meth:`Study.run`.

    Example:
        >>> import keras, paribus as pb
        >>> def network(units):
        ...     hidden = keras.layers.Dense(units, activation="relu")
        ...     return keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(10, activation="softmax")])
        >>> models = {"large": network(32), "small": network(2)}
        >>> results = pb.compare(models, "digits", seeds=3, epochs=5, progress=False)
        >>> results.contrast("large", "small").verdict
        'better'
    """
    study = Study(models, data, **options)
    return study.run(
        store=store,
        workers=workers,
        lanes=lanes,
        backend=backend,
        address=address,
        progress=progress,
        verbose=verbose,
    )
