"""Which estimators no memory could hold: refused before anything trains, as ``engine/untrusted.py`` does for networks.

The estimate is low on purpose, so that nothing is refused that could be fitted. Counted is what is certainly made: the
trees of an ensemble, at the least that one takes, and those weights of a multi-layer perceptron that do not depend on
the data. Not counted are the examples, and ensembles that may stop early by themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sklearn.base import BaseEstimator

from paribus import machine
from paribus.data.limits import human

TREE_BYTES = 400
"""The smallest tree in any of scikit-learn's ensembles, measured in its release 1.9: 404 bytes and more."""

WEIGHT_BYTES = 4 * 4
"""A weight of an ``MLPClassifier`` in float32, its gradient, and Adam's two moments of it."""


def too_large(estimator: BaseEstimator, memory: int | None = None) -> str | None:
    """Why an estimator cannot be fitted in any way on this machine; None if it may.

    Args:
        estimator: with arguments that scikit-learn has checked.
        memory: bytes; what the machine has by default.

    Returns:
        A message with the sizes and the remedy, or None.
    """
    memory = memory or machine.read_memory_limit()
    needs, why = _least(estimator)
    if needs <= memory:
        return None
    return (
        f"{why} takes at least {human(needs)} once fitted, and this machine has {human(memory)}; use smaller arguments"
    )


def _least(estimator: BaseEstimator) -> tuple[int, str]:
    """Bytes that an estimator takes at least, with all that is inside it, and what takes most of them."""
    parameters = estimator.get_params(deep=False)
    parts = [_least(part) for value in parameters.values() for part in _inside(value)]
    own = _own(type(estimator).__name__, parameters, sum(needs for needs, _ in parts))
    most = max([own, *parts])
    return max(own[0], sum(needs for needs, _ in parts)), most[1]


def _own(name: str, parameters: dict[str, Any], inside: int) -> tuple[int, str]:
    """The bytes of a class's own results; ``inside`` is what the estimators in its arguments take."""
    match name:
        case "RandomForestClassifier" | "ExtraTreesClassifier" | "RandomTreesEmbedding":
            argument, unit = "n_estimators", TREE_BYTES
        case "BaggingClassifier":
            argument, unit = "n_estimators", max(TREE_BYTES, inside)
        case "GradientBoostingClassifier" if parameters["n_iter_no_change"] is None:
            argument, unit = "n_estimators", TREE_BYTES
        case "HistGradientBoostingClassifier" if parameters["early_stopping"] is False:
            argument, unit = "max_iter", TREE_BYTES
        case "MLPClassifier":
            sizes = parameters["hidden_layer_sizes"]
            hidden = [sizes] if isinstance(sizes, int) else list(sizes)
            # From one input at least, to one output at least.
            weights = sum(a * b for a, b in zip([1, *hidden], [*hidden, 1], strict=True))
            return weights * WEIGHT_BYTES, f"{name} with hidden_layer_sizes = {hidden}"
        case _:
            return 0, name
    count = int(parameters[argument])
    return count * unit, f"{name} with {argument} = {count:,}"


def _inside(value: Any) -> Iterator[BaseEstimator]:
    """The estimators that an argument holds."""
    if isinstance(value, BaseEstimator):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _inside(item)
