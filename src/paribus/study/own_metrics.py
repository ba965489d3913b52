"""Metrics of the user's own in a study: what is known of them without importing their classes (decision 0087)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from paribus.keras_config.names import is_registered_name, name_of
from paribus.study.data_table import Table

MetricTables = tuple[dict[str, dict[str, Any]], ...]
"""The metrics of a protocol, each a class with its arguments."""


class OwnMetricSettings(Table):
    """What a study says of a metric of the user's own.

    ``direction`` is "up" where more is better, "down" where less is. ``extends`` is the metric of Keras that it
    extends, where it extends one that a study may name. ``source`` is the sha256 of the file that defines its class.
    """

    direction: Literal["up", "down"]
    extends: str | None = None
    source: str | None = None


def find_metric_mistakes(metrics: MetricTables, own: Mapping[str, OwnMetricSettings]) -> Iterator[str]:
    """Find metrics of the user's own without settings, and settings of no metric.

    Args:
        metrics: the metrics of the protocol.
        own: the settings by the names of the metrics.

    Yields:
        One message for each mistake, with its remedy.
    """
    names = {name_of(cls, arguments): cls for table in metrics for cls, arguments in table.items()}
    for name, cls in names.items():
        if is_registered_name(cls) and name not in own:
            yield (
                f"metric '{name}' is of a class of your own: say which direction is better, like "
                f'own_metrics = {{ {name} = {{ direction = "up" }} }}'
            )
    for name in own:
        if not is_registered_name(names.get(name, "")):
            yield f"own_metrics: '{name}' is not a metric of a class of your own; leave it out"


def list_forms(metrics: MetricTables, own: Mapping[str, OwnMetricSettings]) -> list[tuple[str, dict[str, Any]]]:
    """List the metrics with their arguments, those of the user's own under the class of Keras that they extend.

    Args:
        metrics: the metrics of the protocol.
        own: the settings by the names of the metrics.
    """
    return [
        (own[name].extends or cls if (name := name_of(cls, arguments)) in own else cls, arguments)
        for table in metrics
        for cls, arguments in table.items()
    ]
