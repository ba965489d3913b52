"""A table as Markdown, and what it shows to be broken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the docs.

    Attributes:
        text: its title and rows as Markdown.
        broken: bounds that it breaks by more than the simulation's own error.
    """

    text: str
    broken: tuple[str, ...] = ()


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def as_percent(rate: float) -> str:
    """``4.95 %``."""
    return f"{100 * rate:.2f} %"


def tolerance(rate: float, draws: int) -> float:
    """Three standard errors of a counted share."""
    return 3 * float(np.sqrt(rate * (1 - rate) / draws))
