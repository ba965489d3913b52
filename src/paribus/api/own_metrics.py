"""Metrics of the user's own as tables of a study: registered subclasses of ``keras.metrics.Metric`` (decision 0087)."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Sequence
from typing import Any

from paribus.errors import UsageError
from paribus.keras_config.custom_objects import importable, module_of, source_digests
from paribus.keras_config.names import HIGHER_IS_BETTER, name_of, snake_case

_OF_METRIC = frozenset({"self", "name", "dtype", "args", "kwargs"})


def is_own_metric(value: Any) -> bool:
    """Whether an object is a metric of a class of the user's own.

    Args:
        value: any object.
    """
    import keras

    return isinstance(value, keras.metrics.Metric) and getattr(keras.metrics, type(value).__name__, None) is not type(
        value
    )


def write_own_metric(metric: Any) -> dict[str, dict[str, Any]]:
    """Write a metric as a table: ``{"my_package>Cost": {"name": "cost", ...}}``.

    Args:
        metric: an object of a registered subclass of ``keras.metrics.Metric``.

    Raises:
        UsageError: a worker could not make the same metric; the message says what to do.
    """
    import keras

    cls = type(metric)
    place = f"metric {cls.__name__}"
    registered = keras.saving.get_registered_name(cls)
    if ">" not in registered:
        raise UsageError(
            f"{place}: a class of your own that is not registered with Keras, so that a worker cannot find it: "
            "decorate it with @keras.saving.register_keras_serializable()"
        )
    module = module_of(registered)
    if not importable(module):
        where = "the script or notebook itself (__main__)" if module == "__main__" else f"'{module}', which has no file"
        raise UsageError(
            f"{place}: it is defined in {where}, which workers do not see: put it in a module (a .py file beside it) "
            "and import it from there"
        )
    config = metric.get_config()
    unsaved = [key for key in inspect.signature(cls.__init__).parameters if key not in _OF_METRIC | set(config)]
    if unsaved:
        raise UsageError(
            f"{place} has no get_config that returns its {', '.join(unsaved)}: return {{**super().get_config(), ...}} "
            "with every argument of __init__"
        )
    _find_direction(metric)
    arguments = {key: value for key, value in config.items() if (key, value) != ("dtype", "float32")}
    try:
        written: dict[str, Any] = json.loads(json.dumps({**arguments, "name": _own_name(metric)}, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise UsageError(f"{place}: its get_config holds what JSON cannot: {error}") from None
    return {registered: written}


def describe_own_metrics(values: Sequence[Any], tables: Sequence[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    """Describe each metric of the user's own as a study must know it, by the metric's name.

    Args:
        values: the metrics, as the user passed them.
        tables: the same as tables, in the same order.

    Returns:
        For each metric its direction, the metric of Keras that it extends, and the sha256 of its file.

    Raises:
        UsageError: a metric does not say which direction is better.
    """
    own = {}
    for metric, table in zip(values, tables, strict=True):
        if is_own_metric(metric):
            ((registered, arguments),) = table.items()
            own[name_of(registered, arguments)] = {
                "direction": _find_direction(metric),
                "extends": _find_extended(type(metric)),
                "source": source_digests([registered])[registered],
            }
    return own


def _find_direction(metric: Any) -> str:
    """Which direction is better, as Keras's own callbacks read it (keras 3.15)."""
    direction = getattr(metric, "_direction", None)
    if direction in ("up", "down"):
        return str(direction)
    extended = _find_extended(type(metric))
    if extended is not None:
        return "up" if HIGHER_IS_BETTER[extended] else "down"
    raise UsageError(
        f'metric {type(metric).__name__} does not say which direction is better: write self._direction = "up" (more is '
        'better) or "down" in its __init__, where Keras\'s callbacks read it too'
    )


def _find_extended(cls: Any) -> str | None:
    """The metric of Keras that a class extends, of those that a study may name."""
    import keras

    bases: tuple[type, ...] = cls.__mro__
    kerass = (base.__name__ for base in bases if getattr(keras.metrics, base.__name__, None) is base)
    return next((name for name in kerass if name in HIGHER_IS_BETTER), None)


def _own_name(metric: Any) -> str:
    """A metric's name, without the number that Keras gives to those that were not named."""
    stem = snake_case(type(metric).__name__)
    return stem if re.fullmatch(rf"{re.escape(stem)}_\d+", metric.name) else str(metric.name)
