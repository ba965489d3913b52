"""The difference of every fold, as a table of a report."""

from __future__ import annotations

from collections.abc import Iterator

from paribus.analysis import JudgedContrast
from paribus.analysis.wording import unit_name
from paribus.outcome.outcome import Outcome
from paribus.report.numbers import format_difference
from paribus.report.statements import JudgedStatement
from paribus.report.tables import TextTable, name_statement


def fold_tables(outcome: Outcome) -> tuple[TextTable, ...]:
    """For each metric a table: a row for each statement and repetition, a column for each fold; none without folds."""
    by_metric: dict[str, list[JudgedStatement]] = {}
    statements: tuple[JudgedStatement, ...] = (*outcome.effects, *outcome.contrasts)
    for statement in statements:
        if statement.comparison is not None and statement.comparison.folded is not None:
            by_metric.setdefault(statement.metric.name, []).append(statement)
    return tuple(_table(of_metric) for of_metric in by_metric.values())


def _table(statements: list[JudgedStatement]) -> TextTable:
    metric = statements[0].metric
    comparison = statements[0].comparison
    assert comparison is not None, "only judged statements have a row"
    assert comparison.folded is not None, "only statements over folds have a row"
    over = ", each the mean over its seeds" if comparison.folded.seeds > 1 else ""
    noun = "Contrast" if isinstance(statements[0], JudgedContrast) else "Effect"
    repeated = comparison.folded.repeats > 1
    head = (
        noun,
        *(["Repetition"] if repeated else []),
        *(f"Fold {fold}" for fold in range(comparison.folded.folds)),
    )
    rows = tuple(row for statement in statements for row in _rows(statement, repeated=repeated))
    caption = f"Differences in {metric.label} fold by fold, {unit_name(metric.unit)}{over}."
    return TextTable(caption, head, rows, words=1)


def _rows(statement: JudgedStatement, *, repeated: bool) -> Iterator[tuple[str, ...]]:
    comparison = statement.comparison
    if comparison is None or comparison.folded is None:
        return
    folds = comparison.folded.folds
    # Means over seeds that are equal differ in their last bits, which no digits need to tell apart.
    values = [round(value, 12) for value in comparison.folded.differences]
    texts = [format_difference(statement.metric, value, None, None).value for value in values]
    for start in range(0, len(texts), folds):
        number = [str(start // folds)] if repeated else []
        yield (name_statement(statement), *number, *texts[start : start + folds])
