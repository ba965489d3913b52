"""The tables of a report as rows of text, the same for every format that has no interval drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paribus.analysis import Effect, JudgedContrast, Metric, Unit, Verdict
from paribus.analysis.wording import capitalized, percent, unit_name
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.report import numbers
from paribus.report.numbers import PrintedInterval

_MEASURES = (
    ("test_accuracy", "Test accuracy, %"),
    ("train_accuracy", "Train accuracy, %"),
    ("generalization_gap", "Gap, points"),
    ("fit_accuracy", "Fit accuracy, %"),
)


Cell = str | PrintedInterval
"""What stands in a cell: text, or a number with its interval."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """A caption, headings, and rows whose first ``words`` columns are text and the others numbers."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: int = 1


def arm_table(outcome: Outcome) -> TextTable:
    """All measures of every arm."""
    comparison = outcome.document.comparison
    several = any(len(arm.scored) > 1 for arm in outcome.arms)
    spread = f"mean and {percent(comparison.level)} interval" if several else "one run each, so no interval"
    scope = f"; test accuracy and gap on {comparison.scope}, the others over seeds" if several else ""
    head = ("Arm", *(heading for _, heading in _MEASURES), "Parameters", "Seeds")
    caption = f"{outcome.document.name}: {spread}{scope}. Fit accuracy is what fit prints and is no train accuracy."
    return TextTable(caption, head, tuple(_arm(arm) for arm in outcome.arms))


def metric_table(outcome: Outcome) -> TextTable | None:
    """The metrics that the protocol adds, of every arm; nothing where there are none."""
    if not outcome.metrics:
        return None
    several = any(len(arm.scored) > 1 for arm in outcome.arms)
    level = percent(outcome.document.comparison.level)
    spread = f"mean and {level} interval over seeds" if several else "one run each, so no interval"
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (arm.name, *(numbers.format_estimate(metric, arm.estimates.get(metric.name)) for metric in outcome.metrics))
        for arm in outcome.arms
    )
    caption = f"The study's own metrics, measured as test and train accuracy are: {spread}."
    return TextTable(caption, ("Arm", *map(_heading, outcome.metrics)), rows)


def statement_table(items: Sequence[JudgedContrast] | Sequence[Effect]) -> TextTable:
    """Differences with intervals and verdicts, of contrasts or of effects, all on one metric."""
    kind = "Contrast" if isinstance(items[0], JudgedContrast) else "Effect"
    known = [item.comparison for item in items if item.comparison is not None]
    family = max((comparison.contrasts for comparison in known), default=1)
    level = percent(known[0].level) if known else ""
    together = f" for all {family} comparisons at once" if family > 1 else ""
    decided = any(comparison.low is not None for comparison in known)
    subject = f"Differences in {items[0].metric.label}, {unit_name(items[0].metric.unit)}"
    caption = f"{subject}, with {level} intervals{together}" if decided else f"{subject}; one seed decides nothing"
    scopes = dict.fromkeys(f"on {comparison.scope}" for comparison in known)
    head = (kind, "Verdict", "Difference", "Adjusted p", "p", "Seeds")
    return TextTable(f"{', '.join([caption, *scopes])}.", head, tuple(_judged(item) for item in items), words=2)


def explain_no_statement(outcome: Outcome) -> str:
    """Why there is no answer, in a sentence."""
    if outcome.document.declared_contrasts() or outcome.document.comparison.factorial:
        return "Nothing is judged yet."
    return "No contrast is declared, so nothing is claimed about differences between arms."


def statement_tables(outcome: Outcome) -> tuple[tuple[str, TextTable], ...]:
    """A title and a table for the effects, and for the contrasts on each metric."""
    found = [("Effects", statement_table(outcome.effects))] if outcome.effects else []
    for name in dict.fromkeys(contrast.metric.name for contrast in outcome.contrasts):
        group = [contrast for contrast in outcome.contrasts if contrast.metric.name == name]
        found.append(("Contrasts", statement_table(group)))
    return tuple(found)


def format_seeds(arm: ArmOutcome) -> str:
    """``5``, or ``4 of 5`` where a run has no score or is not there."""
    asked = len(arm.runs) + len(arm.missing)
    return str(asked) if len(arm.scored) == asked else f"{len(arm.scored)} of {asked}"


def _heading(metric: Metric) -> str:
    unit = {Unit.FRACTION: ", %", Unit.NATS: ", nats", Unit.PLAIN: ""}[metric.unit]
    return f"{capitalized(metric.label)}{unit}"


def _arm(arm: ArmOutcome) -> tuple[Cell, ...]:
    measures = [numbers.format_estimate(metric, arm.estimates.get(metric)) for metric, _ in _MEASURES]
    return (arm.name, *measures, numbers.format_parameters(arm.recipe), format_seeds(arm))


def _judged(item: JudgedContrast | Effect) -> tuple[Cell, ...]:
    comparison, metric = item.comparison, item.metric
    name = f"{item.a} {numbers.MINUS} {item.b}" if isinstance(item, JudgedContrast) else item.name
    if comparison is None:
        return (name, str(Verdict.UNDECIDED), numbers.UNDEFINED, numbers.UNDEFINED, numbers.UNDEFINED, "0")
    shown = numbers.format_difference(metric, comparison.difference, comparison.low, comparison.high)
    return (
        name,
        str(comparison.verdict),
        shown,
        numbers.format_p(comparison.p_adjusted, comparison.level),
        numbers.format_p(comparison.p_value, comparison.level),
        str(comparison.seeds),
    )
