"""How strict one comparison must be so that the whole family, over all looks, errs no more often than promised."""

from __future__ import annotations

from dataclasses import dataclass

from paribus.analysis.comparison import Look
from paribus.analysis.looks import Schedule
from paribus.errors import UsageError


@dataclass(frozen=True, slots=True)
class Strictness:
    """The level that is promised, and what it is shared among.

    The error 1 - level is split evenly over the family (Bonferroni: see ``docs/decisions/0011-several-contrasts.md``)
    and over the planned looks by alpha spending.

    Attributes:
        level: level of the intervals, such as 0.95, in (0, 1).
        contrasts: size of the family.
        schedule: the planned looks; None for a study that is looked at once.
        number: which of these looks this is, from 1.
    """

    level: float = 0.95
    contrasts: int = 1
    schedule: Schedule | None = None
    number: int = 1

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise UsageError(f"level {self.level!r}: a level lies between 0 and 1, such as 0.95")
        if self.contrasts < 1:
            raise UsageError(f"contrasts {self.contrasts!r}: a family has at least one contrast")

    @property
    def look(self) -> Look | None:
        """The look this is, with its nominal levels."""
        return self.schedule.look(self.number, self.level, self.contrasts) if self.schedule else None

    @property
    def alpha(self) -> float:
        """Two-sided nominal error of one interval."""
        look = self.look
        return look.alpha if look else (1 - self.level) / self.contrasts

    def adjusted(self, p_value: float) -> float:
        """A two-sided p, adjusted: at most 1 - level exactly where ``p_value`` is at most ``alpha``."""
        if self.schedule:
            p_value = self.schedule.repeated_p(p_value, self.number)
        return min(1.0, self.contrasts * p_value)

    def adjusted_one_sided(self, p_value: float) -> float:
        """A one-sided p, adjusted: compared with 1 - level like the others."""
        if self.schedule:
            doubled = min(2 * p_value, 1.0)
            p_value = self.schedule.repeated_p(doubled, self.number) / 2 if doubled < 1 else 1.0
        return min(1.0, self.contrasts * p_value)
