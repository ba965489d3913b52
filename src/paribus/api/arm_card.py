"""An arm of the results, with a short text and a small card for Jupyter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from html import escape
from typing import Self

from paribus.analysis import METRICS
from paribus.errors.control_characters import show_control_characters
from paribus.outcome.outcome import ArmOutcome
from paribus.records import Status
from paribus.report.numbers import format_estimate

_MEASURES = ("test_accuracy", "train_accuracy", "test_loss")
_CARD = "border:1px solid #8886;border-radius:6px;padding:.5em .9em;margin:.2em;display:inline-block;vertical-align:top"


@dataclass(frozen=True, slots=True, repr=False)
class Arm(ArmOutcome):
    """One arm: all that :class:`ArmOutcome` has: a card in Jupyter, one line elsewhere."""

    @classmethod
    def of(cls, arm: ArmOutcome) -> Self:
        """The arm with its card.

        Args:
            arm: the arm of an outcome.
        """
        return cls(**{field.name: getattr(arm, field.name) for field in fields(arm)})

    def __repr__(self) -> str:
        return show_control_characters(f"Arm({self.name!r}: {'; '.join(self._facts())})")

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        facts = "".join(f"<div>{escape(fact)}</div>" for fact in self._facts())
        return show_control_characters(f'<div style="{_CARD}"><b>{escape(self.name)}</b>{facts}</div>')

    def _facts(self) -> Iterator[str]:
        if self.recipe is not None:
            kind = self.recipe.kind if self.recipe.is_estimator else f"{self.recipe.parameters:,} weights"
            yield f"scikit-learn's {kind}" if self.recipe.is_estimator else kind
        if self.levels:
            yield ", ".join(f"{factor} {level}" for factor, level in self.levels.items())
        counts = {status: sum(run.status is status for run in self.runs) for status in Status}
        ends = [f"{count} {status}" for status, count in counts.items() if count and status is not Status.FINISHED]
        ends += [f"{len(self.missing)} missing"] if self.missing else []
        yield f"{len(self.runs)} {'seed' if len(self.runs) == 1 else 'seeds'}" + f" ({', '.join(ends)})" * bool(ends)
        for name in _MEASURES:
            if self.estimates.get(name) is not None:
                yield f"{METRICS[name].label} {format_estimate(name, self.estimates[name])}"


class Arms(dict[str, Arm]):
    """Arms by name, in the study's order; Jupyter shows their cards side by side."""

    def _repr_html_(self) -> str:
        """What Jupyter shows."""
        return "".join(arm._repr_html_() for arm in self.values())
