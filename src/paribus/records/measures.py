"""The measures that every run has, whatever its study: their names and kinds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure of every run with scores.

    Attributes:
        name: as in study files and JSON, such as ``test_accuracy``.
        is_loss: True for values of the protocol's loss.
        from_fit: True for what Keras's ``fit`` reports of the last epoch; scikit-learn estimators have none of it.
    """

    name: str
    is_loss: bool = False
    from_fit: bool = False


MEASURES: Mapping[str, Measure] = MappingProxyType(
    {
        measure.name: measure
        for measure in (
            Measure("test_accuracy"),
            Measure("test_loss", is_loss=True),
            Measure("train_accuracy"),
            Measure("train_loss", is_loss=True),
            Measure("generalization_gap"),
            Measure("fit_accuracy", from_fit=True),
            Measure("fit_loss", is_loss=True, from_fit=True),
        )
    }
)


def is_loss(name: str) -> bool:
    """Whether a metric of that name is the protocol's loss, on whatever split; added metrics never are."""
    return name in MEASURES and MEASURES[name].is_loss
