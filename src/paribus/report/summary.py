"""The answer in one sentence: what the first statements say, every difference written from its better side."""

from __future__ import annotations

from paribus.analysis import JudgedContrast, Verdict
from paribus.analysis.phrases import scope_text
from paribus.analysis.wording import capitalized, listed, magnitude
from paribus.outcome.outcome import Outcome
from paribus.report.statements import JudgedStatement, headline_statements, is_primary

MOST = 3
"""The sentence has at most so many statements; the cards have the others."""

NamedText = tuple[str, tuple[str, ...]]
"""A text, and the names in it."""


def summarize_answer(outcome: Outcome) -> NamedText | None:
    """``On new data, large is better than small by 2.98 points; small and tiny are equivalent.``, with its names.

    Primary statements come alone where there are any; otherwise those that are decided come first.

    Args:
        outcome: what the study's runs say.

    Returns:
        The sentence and the names of what it compares; None where no statement can be written so shortly.
    """
    statements = [item for item in headline_statements(outcome) if item.comparison is not None and _names(item)]
    primary = [item for item in statements if is_primary(item)]
    first = (primary or sorted(statements, key=_is_undecided))[:MOST]
    if not first:
        return None
    scopes = {scope_text(item.comparison.scope, item.metric) for item in first if item.comparison is not None}
    metrics = {item.metric.name for item in first}
    parts = [_write(item, with_metric=len(metrics) > 1) for item in first if not _is_undecided(item)]
    open_pairs = [" and ".join(_names(item)) for item in first if _is_undecided(item)]
    if open_pairs:
        parts.append(f"it is undecided {listed([f'which of {pair} is better' for pair in open_pairs])}")
    text = "; ".join(parts)
    if len(scopes) == 1:
        text = f"{capitalized(scopes.pop())}, {text}"
    return f"{text}.", tuple(name for item in first for name in _names(item))


def _is_undecided(statement: JudgedStatement) -> bool:
    return statement.comparison is None or statement.comparison.verdict is Verdict.UNDECIDED


def _names(statement: JudgedStatement) -> tuple[str, ...]:
    """The two that are compared; none of an interaction, which compares differences."""
    if isinstance(statement, JudgedContrast):
        return statement.a, statement.b
    if statement.is_interaction:
        return ()
    ((low, high),) = statement.levels
    return f"{statement.factors[0]} {high}", f"{statement.factors[0]} {low}"


def _write(statement: JudgedStatement, *, with_metric: bool) -> str:
    comparison, metric = statement.comparison, statement.metric
    assert comparison is not None, "only judged statements are written"
    a, b = _names(statement)
    place = f" in {metric.label}" if with_metric else ""
    if comparison.verdict is Verdict.EQUIVALENT:
        return f"{a} and {b} are equivalent{place}"
    best, other = (a, b) if comparison.verdict is Verdict.BETTER else (b, a)
    return f"{best} {metric.better} {other}{place} by {magnitude(abs(comparison.difference), metric.unit)}"
