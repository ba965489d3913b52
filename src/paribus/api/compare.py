"""``pb.compare``: Keras models and data in, an answer with error bars out."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from paribus.api.data_argument import Scale
from paribus.api.results import Results
from paribus.api.study import Study


def compare(
    models: Mapping[str, Any],
    data: Any,
    *,
    seeds: int = 5,
    epochs: int = 10,
    batch_size: int = 100,
    optimizer: Any = "adam",
    loss: Any = None,
    validation_split: float = 0.0,
    class_weight: Mapping[int, float] | str | None = None,
    early_stopping: int | Mapping[str, Any] | None = None,
    callbacks: Sequence[Any] = (),
    precision: str = "float32",
    metrics: Sequence[Any] = (),
    positive: str | None = None,
    grid: Mapping[str, Any] | None = None,
    tuning: Mapping[str, Any] | None = None,
    baseline: str | None = None,
    margin: float = 0.001,
    scale: Scale = "auto",
    standardize: bool = False,
    name: str | None = None,
    store: str | os.PathLike[str] | None = None,
    workers: int | None = None,
    lanes: int | None = None,
    progress: bool = True,
) -> Results:
    """Train every model on many seeds, all else equal, and say with error bars which is better.

    The arguments are those of :class:`Study` and of :meth:`Study.run`, which say more. Models are Keras models and, as
    baselines, scikit-learn classifiers; they are recipes: the weights that they have are not used.

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
    study = Study(
        models,
        data,
        name=name,
        seeds=seeds,
        epochs=epochs,
        batch_size=batch_size,
        optimizer=optimizer,
        loss=loss,
        validation_split=validation_split,
        class_weight=class_weight,
        early_stopping=early_stopping,
        callbacks=callbacks,
        precision=precision,
        metrics=metrics,
        positive=positive,
        grid=grid,
        tuning=tuning,
        baseline=baseline,
        margin=margin,
        scale=scale,
        standardize=standardize,
    )
    return study.run(store=store, workers=workers, lanes=lanes, progress=progress)
