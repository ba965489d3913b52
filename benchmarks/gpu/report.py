"""From measurements to the table: runs' epochs a second, round by round against Keras ``fit``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from benchmarks.arithmetic import Spread

KERAS = "Keras fit"


@dataclass(frozen=True, slots=True)
class Measured:
    """One process on one arm.

    Attributes:
        round: in which round.
        arm: which arm.
        contender: ``KERAS``, or ``lanes(n)``.
        rate: epochs of runs a second, after compilation.
        accuracy: the test accuracy of the first seed; with other lanes it may differ in its last digits, no more.
    """

    round: int
    arm: str
    contender: str
    rate: float
    accuracy: float


def lanes(count: int) -> str:
    """paribus with so many lanes, as it is called in tables."""
    return f"paribus, {count} lane{'s' if count > 1 else ''}"


def rate_of_paribus(line: dict[str, Any]) -> float:
    """From the ends of the epochs of a group's runs: all lanes go on at the same time."""
    ends = line["epoch_ends"]
    return len(ends) / fmean((of_run[-1] - of_run[0]) / (len(of_run) - 1) for of_run in ends)


def rate_of_keras(line: dict[str, Any]) -> float:
    """One run at a time; the first epoch compiles and is not timed."""
    return 1 / fmean(line["epochs"][1:])


def table(measured: Sequence[Measured]) -> str:
    """Markdown: a table an arm, a row a contender, in the order in which they were first measured."""
    return "\n\n".join(_of_arm(arm, measured) for arm in dict.fromkeys(one.arm for one in measured))


def _of_arm(arm: str, measured: Sequence[Measured]) -> str:
    lines = [
        f"| `{arm}` | epochs of runs a second | times Keras `fit` | test accuracy, first seed |",
        "| --- | --- | --- | --- |",
    ]
    mine = [one for one in measured if one.arm == arm]
    theirs = {one.round: one.rate for one in mine if one.contender == KERAS}
    for contender in dict.fromkeys(one.contender for one in mine):
        of_it = [one for one in mine if one.contender == contender]
        ratios = [one.rate / theirs[one.round] for one in of_it if one.round in theirs]
        accuracies = dict.fromkeys(f"{one.accuracy:.4f}" for one in of_it)
        rate = _spread(Spread.of([one.rate for one in of_it]))
        lines.append(
            f"| {contender} | {rate} | {_spread(Spread.of(ratios)) if ratios else '–'} | {', '.join(accuracies)} |"
        )
    return "\n".join(lines)


def _spread(values: Spread) -> str:
    if values.n == 1:
        return f"{values.median:.2f}"
    return f"{values.median:.2f} ({values.low:.2f}–{values.high:.2f})"
