"""The metrics that contrasts and tables may name, and how to print their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from paribus.errors import UnknownNameError


class Unit(StrEnum):
    """How a metric's numbers are printed: fractions of 1 as percentages (differences in points), losses in nats.

    Others are printed as they are.
    """

    FRACTION = "fraction"
    NATS = "nats"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of a run.

    Attributes:
        name: as in study files and JSON, such as ``test_accuracy``.
        label: as in sentences, such as ``test accuracy``.
        unit: how its numbers are printed.
        higher_is_better: the direction that counts as better.
        per_example: True where each test example has a score of its own, so that claims can be about new data.
        split: the examples it is measured on, as in "on this training set".
        better: how a sentence says that A is better than B.
        worse: how a sentence says that A is worse than B.
        default_margin: differences smaller than this count as equivalent unless a study declares another margin; None
            means that without a declared margin nothing is called equivalent (decision record 0052).
        offset_by_run: True where scores are a run's own number minus 0 or 1 for each answer.
        proportion: True where a run's value lies in [0, 1], so that limits beyond are cut (decision record 0054).
    """

    name: str
    label: str
    unit: Unit
    higher_is_better: bool
    per_example: bool
    split: str = "test"
    better: str = "is better than"
    worse: str = "is worse than"
    default_margin: float | None = None
    offset_by_run: bool = False
    proportion: bool = False


_ACCURACY_MARGIN = 0.001
FITS_BETTER, FITS_WORSE = "fits the training set more closely than", "fits the training set less closely than"
_ALL = (
    Metric(
        "test_accuracy",
        "test accuracy",
        Unit.FRACTION,
        higher_is_better=True,
        per_example=True,
        default_margin=_ACCURACY_MARGIN,
        proportion=True,
    ),
    Metric(
        "train_accuracy",
        "train accuracy",
        Unit.FRACTION,
        higher_is_better=True,
        per_example=False,
        split="training",
        better=FITS_BETTER,
        worse=FITS_WORSE,
        default_margin=_ACCURACY_MARGIN,
        proportion=True,
    ),
    Metric(
        "fit_accuracy",
        "fit accuracy",
        Unit.FRACTION,
        higher_is_better=True,
        per_example=False,
        split="training",
        better=FITS_BETTER,
        worse=FITS_WORSE,
        default_margin=_ACCURACY_MARGIN,
        proportion=True,
    ),
    Metric(
        "generalization_gap",
        "generalization gap",
        Unit.FRACTION,
        higher_is_better=False,
        per_example=True,
        better="has a smaller generalization gap than",
        worse="has a larger generalization gap than",
        offset_by_run=True,
    ),
    Metric("test_loss", "test loss", Unit.NATS, higher_is_better=False, per_example=True),
    Metric(
        "train_loss",
        "train loss",
        Unit.NATS,
        higher_is_better=False,
        per_example=False,
        split="training",
        better=FITS_BETTER,
        worse=FITS_WORSE,
    ),
    Metric(
        "fit_loss",
        "fit loss",
        Unit.NATS,
        higher_is_better=False,
        per_example=False,
        split="training",
        better=FITS_BETTER,
        worse=FITS_WORSE,
    ),
)
METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ALL})


def metric_named(name: str, more: Mapping[str, Metric] = MappingProxyType({})) -> Metric:
    """The metric of a name.

    Args:
        name: such as ``test_accuracy``.
        more: further metrics by name, such as those that a study adds.

    Raises:
        UnknownNameError: there is no such metric; the message lists those that there are.
    """
    known = {**METRICS, **more}
    try:
        return known[name]
    except KeyError:
        raise UnknownNameError(f"metric {name!r}: no such metric; choose one of {', '.join(known)}") from None
