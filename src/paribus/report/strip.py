"""Intervals drawn with characters: one line for each, all on one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paribus.analysis import Estimate


@dataclass(frozen=True, slots=True)
class Scale:
    """The values at the left and at the right end of a line."""

    low: float
    high: float

    @classmethod
    def spanning(cls, estimates: Sequence[Estimate | None]) -> Scale:
        """The scale from the lowest to the highest limit."""
        known = [estimate for estimate in estimates if estimate is not None]
        ends = [end for e in known for end in (e.mean, e.low, e.high) if end is not None]
        return cls(min(ends, default=0.0), max(ends, default=1.0))

    def column(self, value: float, width: int) -> int:
        """The column of a value, from 0 to ``width`` - 1."""
        span = self.high - self.low
        return round((value - self.low) / span * (width - 1)) if span > 0 else (width - 1) // 2


def draw_strip(estimate: Estimate | None, scale: Scale, width: int, *, ascii_only: bool = False) -> str:
    """``  ├──●──┤  ``: the mean and its interval; a dot alone without one, nothing without an estimate.

    Args:
        estimate: what is drawn.
        scale: the values at both ends of the line.
        width: the number of characters of the line.
        ascii_only: whether only characters of ASCII may be used.

    Returns:
        A text of ``width`` characters.
    """
    if estimate is None:
        return ""
    left, line, dot, right = "|-o|" if ascii_only else "├─●┤"
    cells = [" "] * width
    if estimate.low is not None and estimate.high is not None:
        start, end = scale.column(estimate.low, width), scale.column(estimate.high, width)
        cells[start : end + 1] = [line] * (end + 1 - start)
        cells[start], cells[end] = left, right
    cells[scale.column(estimate.mean, width)] = dot
    return "".join(cells).rstrip()
