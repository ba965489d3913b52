"""How a study's data is divided, in words."""

from __future__ import annotations

from paribus.analysis.wording import counted
from paribus.outcome.outcome import Outcome


def describe_split(outcome: Outcome) -> str:
    """``60,000 training and 10,000 test examples``, or ``1,797 examples in 5 folds, repeated 2 times``."""
    data, divided = outcome.data, outcome.document.data.divided
    if divided is None:
        return f"{data.train:,} training and {data.test:,} test examples"
    repeated = f", repeated {counted(divided.repeats, 'time')}" if divided.repeats > 1 else ""
    grouped = f", groups by {divided.group!r} whole" if divided.group is not None else ""
    return f"{data.train + data.test:,} examples in {counted(divided.count, 'fold')}{repeated}{grouped}"
