"""How strict one comparison must be so that the whole family, over all looks, errs no more often than promised."""

from __future__ import annotations

from dataclasses import dataclass, replace

from paribus.analysis.comparison import Look
from paribus.analysis.looks import Schedule
from paribus.analysis.shares import divisor_of
from paribus.errors import UsageError


@dataclass(frozen=True, slots=True)
class Strictness:
    """The level that is promised, and what it is shared among.

    The error 1 - level is divided over the family (decision records 0011 and 0050) and each part over the planned looks
    by alpha spending (decision record 0012).

    Attributes:
        level: level of the intervals, such as 0.95, in (0, 1).
        contrasts: size of the family.
        schedule: the planned looks; None for a study that is looked at once.
        number: which of these looks this is, from 1.
        weight: this comparison's share of the error; None means 1 / contrasts.
        primary: whether it is one of the study's primary statements.
    """

    level: float = 0.95
    contrasts: int = 1
    schedule: Schedule | None = None
    number: int = 1
    weight: float | None = None
    primary: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise UsageError(f"level {self.level!r}: a level lies between 0 and 1, such as 0.95")
        if self.contrasts < 1:
            raise UsageError(f"contrasts {self.contrasts!r}: a family has at least one contrast")
        if self.weight is not None and not 0 < self.weight <= 1:
            raise UsageError(f"weight {self.weight!r}: a share of the error lies above 0 and is at most 1")

    @property
    def share(self) -> float:
        """This comparison's share of the error 1 - level."""
        return 1 / self.contrasts if self.weight is None else self.weight

    @property
    def divisor(self) -> float:
        """What the error is divided by for this comparison: 1 / share."""
        return self.contrasts if self.weight is None else divisor_of(self.weight)

    @property
    def look(self) -> Look | None:
        """The look this is, with its nominal levels."""
        return self.schedule.look(self.number, self.level, self.divisor) if self.schedule else None

    @property
    def alpha(self) -> float:
        """Two-sided nominal error of one interval."""
        look = self.look
        return look.alpha if look else (1 - self.level) / self.divisor

    @property
    def alone(self) -> Strictness:
        """The same looks for a comparison that has the whole error to itself."""
        return replace(self, contrasts=1, weight=None)

    def adjusted(self, p_value: float) -> float:
        """A two-sided p, adjusted: at most 1 - level exactly where ``p_value`` is at most ``alpha``."""
        if self.schedule:
            p_value = self.schedule.repeated_p(p_value, self.number)
        return min(1.0, self.divisor * p_value)

    def adjusted_one_sided(self, p_value: float) -> float:
        """A one-sided p, adjusted: compared with 1 - level like the others."""
        if self.schedule:
            doubled = min(2 * p_value, 1.0)
            p_value = self.schedule.repeated_p(doubled, self.number) / 2 if doubled < 1 else 1.0
        return min(1.0, self.divisor * p_value)
