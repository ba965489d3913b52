"""The tables of a report as rows of text, the same for every format that draws no intervals.

Captions read the estimates and comparisons that they describe, never what the study asked for
(``docs/decisions/0076-labels-come-from-the-result.md``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from paribus.analysis import Comparison, JudgedContrast, Metric, Unit, Verdict
from paribus.analysis.metrics import METRICS
from paribus.analysis.phrases import has_own_share, interval_name, scope_text, share_text, share_title
from paribus.analysis.wording import capitalized, confidence, listed, percent, with_unit_name
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.report import numbers
from paribus.report.numbers import PrintedInterval
from paribus.report.splits import name_compared_kind, name_run_kind
from paribus.report.statements import JudgedStatement, count_factors, is_primary, primary_first

_MEASURES = (
    ("test_accuracy", "Test accuracy, %"),
    ("train_accuracy", "Train accuracy, %"),
    ("generalization_gap", "Gap, points"),
    ("fit_accuracy", "Fit accuracy, %"),
)
_MEASURES_FROM_ELSEWHERE = (("test_accuracy", "Test accuracy, %"), ("test_loss", "Test loss, nats"))


_OTHER_P = ("p", "Holm p")
_T = TypeVar("_T")

Cell = str | PrintedInterval
"""The content of a cell: text, or a number with its interval."""


@dataclass(frozen=True, slots=True)
class TextTable:
    """A caption, headings, and rows whose first ``words`` columns are text and the others numbers."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    words: int = 1


def arm_table(outcome: Outcome) -> TextTable:
    """The measures of every arm."""
    measures = list_measures(outcome)
    trained = outcome.predictions_request is None
    head = (
        "Arm",
        *(heading for _, heading in measures),
        *(["Parameters"] if trained else []),
        f"{name_run_kind(outcome).capitalize()}s",
    )
    intervals = describe_intervals(outcome, [METRICS[name] for name, _ in measures])
    fit = " Fit accuracy is what fit prints, and not the train accuracy." if trained else ""
    rows = tuple(_arm_row(arm, [name for name, _ in measures]) for arm in outcome.arms)
    return TextTable(f"{outcome.design.name}: {intervals}.{fit}", head, rows)


def list_measures(outcome: Outcome) -> tuple[tuple[str, str], ...]:
    """The measures of the table of arms with their headings; of predictions from elsewhere those that are known."""
    if outcome.predictions_request is None:
        return _MEASURES
    return tuple(item for item in _MEASURES_FROM_ELSEWHERE if any(item[0] in arm.estimates for arm in outcome.arms))


def metric_table(outcome: Outcome) -> TextTable | None:
    """The metrics that the protocol adds, of every arm; None where there are none."""
    if not outcome.metrics:
        return None
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (arm.name, *(numbers.format_estimate(metric, arm.estimates.get(metric.name)) for metric in outcome.metrics))
        for arm in outcome.arms
    )
    intervals = describe_intervals(outcome, outcome.metrics)
    caption = f"The study's own metrics, measured as test and train accuracy are: {intervals}."
    return TextTable(caption, ("Arm", *map(_metric_heading, outcome.metrics)), rows)


def describe_intervals(outcome: Outcome, metrics: Iterable[Metric]) -> str:
    """What the intervals of these metrics of the arms are about, as the estimates have it.

    ``mean and 95 % interval (test accuracy on new data; train accuracy on this training set)``.
    """
    about: dict[str, list[str]] = {}
    level = None
    for metric in metrics:
        estimates = [estimate for arm in outcome.arms if (estimate := arm.estimates.get(metric.name)) is not None]
        for estimate in estimates:
            if estimate.low is not None:
                level = estimate.level
                labels = about.setdefault(scope_text(estimate.scope, metric), [])
                labels += [metric.label] * (metric.label not in labels)
    if level is None:
        return "one run of each arm, so no interval"
    return f"mean and {percent(level)} interval ({'; '.join(f'{listed(on)} {scope}' for scope, on in about.items())})"


def statement_table(statements: Sequence[JudgedStatement]) -> TextTable:
    """A table of differences with intervals and verdicts, of contrasts or of effects; primary ones first.

    The p values that decide nothing are ``p`` and, where there is a family, ``Holm p``.

    Args:
        statements: all on one metric.
    """
    first = statements[0]
    noun = "contrast" if isinstance(first, JudgedContrast) else "effect"
    known = [statement.comparison for statement in statements if statement.comparison is not None]
    subject = with_unit_name(f"Differences in {first.metric.label}", first.metric.unit)
    parts = [", ".join([subject, *dict.fromkeys(scope_text(item.scope, first.metric) for item in known)])]
    parts += describe_levels(known, noun) or ["one seed decides nothing"] * bool(known)
    if any(item.verdict is Verdict.EQUIVALENT for item in known):
        parts.append("p of equivalent rows is that of the equivalence tests")
    kind = name_compared_kind(known[0]) if known else "seed"
    holm = any(statement.p_holm is not None for statement in statements) and len(statements) > 1
    head = (
        noun.capitalize(),
        "Verdict",
        "Difference",
        "Adjusted p",
        "p",
        *(["Holm p"] if holm else []),
        f"{kind.capitalize()}s",
    )
    rows = tuple(_statement_row(statement, holm=holm) for statement in primary_first(statements))
    return TextTable(f"{'; '.join(parts)}.", head, rows, words=2)


def without_other_p(table: TextTable) -> tuple[TextTable, TextTable]:
    """A table of statements with the one p value that its verdicts rest on, and a table of the others."""
    others = [index for index, heading in enumerate(table.head) if heading in _OTHER_P]
    rest = [index for index in range(len(table.head)) if index not in others]
    decisive = TextTable(
        table.caption, _pick(table.head, rest), tuple(_pick(row, rest) for row in table.rows), table.words
    )
    caption = "p of each row alone and, where several rows share the error, after Holm; none of them decides."
    columns = [0, *others]
    rows = tuple(_pick(row, columns) for row in table.rows)
    return decisive, TextTable(caption, _pick(table.head, columns), rows)


def describe_levels(comparisons: Iterable[Comparison], noun: str = "contrast") -> list[str]:
    """What the intervals are called: one name where all have the same share of the error, else one for each share."""
    decided = [comparison for comparison in comparisons if comparison.low is not None]
    return list(dict.fromkeys(interval_name(comparison, noun) for comparison in decided))


def p_values(comparison: Comparison) -> tuple[float | None, float | None]:
    """Adjusted and raw p of the tests that the verdict rests on: of equivalence where it says equivalent."""
    if comparison.verdict is Verdict.EQUIVALENT:
        return comparison.p_equivalent_adjusted, comparison.p_equivalent
    return comparison.p_adjusted, comparison.p_value


def holm_p(statement: JudgedStatement) -> float | None:
    """Holm's p of the difference; None for an equivalent one, whose p values are of another test."""
    comparison = statement.comparison
    return None if comparison is None or comparison.verdict is Verdict.EQUIVALENT else statement.p_holm


def name_statement(statement: JudgedStatement) -> str:
    """``a - b`` with a true minus sign, or the name of an effect."""
    return f"{statement.a} {numbers.MINUS} {statement.b}" if isinstance(statement, JudgedContrast) else statement.name


def describe_share(statement: JudgedStatement) -> str:
    """``primary contrast, 96 % CI (0.8 of the 5 % error)``; empty for a statement that is not primary."""
    comparison = statement.comparison
    if comparison is None or not comparison.primary:
        return ""
    noun = "contrast" if isinstance(statement, JudgedContrast) else "effect"
    if not has_own_share(comparison):
        return share_title(comparison, noun)
    return f"{share_title(comparison, noun)}, {confidence(comparison.interval_level)} CI ({share_text(comparison)})"


def explain_no_statement(outcome: Outcome) -> str:
    """Why there is no answer, in a sentence."""
    if outcome.design.declared_contrasts() or outcome.design.comparison.factorial:
        return "Nothing is judged yet."
    return "No contrast is declared, so nothing is claimed about differences between arms."


def statement_tables(outcome: Outcome) -> tuple[tuple[str, TextTable], ...]:
    """A title and a table for the effects, and for the contrasts on each metric."""
    tables = [("Effects", statement_table(outcome.effects))] if outcome.effects else []
    for name in dict.fromkeys(contrast.metric.name for contrast in outcome.contrasts):
        group = [contrast for contrast in outcome.contrasts if contrast.metric.name == name]
        tables.append(("Contrasts", statement_table(group)))
    return tuple(tables)


def format_seeds(arm: ArmOutcome) -> str:
    """``5``, or ``4 of 5`` where a run has no score or is missing."""
    asked = len(arm.runs) + len(arm.missing)
    return str(asked) if len(arm.scored) == asked else f"{len(arm.scored)} of {asked}"


def _pick(row: Sequence[_T], columns: Sequence[int]) -> tuple[_T, ...]:
    return tuple(row[column] for column in columns)


def _metric_heading(metric: Metric) -> str:
    unit = {Unit.FRACTION: ", %", Unit.NATS: ", nats", Unit.PLAIN: ""}[metric.unit]
    return f"{capitalized(metric.label)}{unit}"


def _arm_row(arm: ArmOutcome, names: Sequence[str]) -> tuple[Cell, ...]:
    measures = [numbers.format_estimate(metric, arm.estimates.get(metric)) for metric in names]
    parameters = [] if arm.recipe is None else [numbers.format_parameters(arm.recipe)]
    return (arm.name, *measures, *parameters, format_seeds(arm))


def _statement_row(statement: JudgedStatement, *, holm: bool) -> tuple[Cell, ...]:
    comparison, metric = statement.comparison, statement.metric
    name = f"{name_statement(statement)}{' (primary)' if is_primary(statement) else ''}"
    if comparison is None:
        return (name, str(Verdict.UNDECIDED), *[numbers.UNDEFINED] * (4 if holm else 3), "0")
    adjusted, raw = p_values(comparison)
    p_texts = [adjusted, raw, holm_p(statement)] if holm else [adjusted, raw]
    return (
        name,
        str(comparison.verdict),
        numbers.format_difference(
            metric, comparison.difference, comparison.low, comparison.high, count_factors(statement)
        ),
        *(numbers.format_p(p_value, comparison.level) for p_value in p_texts),
        str(comparison.seeds),
    )
