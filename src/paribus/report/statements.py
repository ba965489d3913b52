"""What a report says in words, in one order for every format: primary statements first, effects before contrasts."""

from __future__ import annotations

from collections.abc import Sequence

from paribus.analysis import Effect, JudgedContrast
from paribus.analysis.sentences import contrast_sentence, effect_sentence
from paribus.outcome.outcome import Outcome
from paribus.report.misreading import Misreading, check_fit_accuracy
from paribus.report.notebook_claims import check_claims
from paribus.report.numbers import with_minus
from paribus.study.design import Design

JudgedStatement = JudgedContrast | Effect
"""What a study declared and judged."""


def list_statements(outcome: Outcome) -> tuple[JudgedStatement, ...]:
    """Effects and contrasts, the primary ones first; otherwise as the study declares them."""
    return primary_first((*outcome.effects, *outcome.contrasts))


def primary_first(statements: Sequence[JudgedStatement]) -> tuple[JudgedStatement, ...]:
    """The same statements, the primary ones before all others."""
    return tuple(sorted(statements, key=lambda statement: not is_primary(statement)))


def is_primary(statement: JudgedStatement) -> bool:
    """Whether the study declares it primary (decision record 0050)."""
    return statement.comparison is not None and statement.comparison.primary


def is_declared(document: Design, statement: JudgedStatement) -> bool:
    """Whether the study writes a statement out, rather than getting it with all pairs of arms."""
    if not isinstance(statement, JudgedContrast) or is_primary(statement):
        return True
    written = {(contrast.a, contrast.b, contrast.metric) for contrast in document.contrasts}
    return (statement.a, statement.b, statement.metric.name) in written


def state(statement: JudgedStatement) -> str:
    """The sentence of a statement, as readers get it."""
    if isinstance(statement, JudgedContrast):
        return with_minus(contrast_sentence(statement))
    return with_minus(effect_sentence(statement))


def written_contrasts(outcome: Outcome) -> tuple[JudgedContrast, ...]:
    """The judged contrasts that the study writes out, primary ones first; all of them where it writes out none."""
    judged = [contrast for contrast in outcome.contrasts if is_declared(outcome.design, contrast)]
    return tuple(sorted(judged or outcome.contrasts, key=lambda contrast: not is_primary(contrast)))


def list_misreadings(outcome: Outcome) -> tuple[Misreading, ...]:
    """Remarks where a quick reading of these numbers goes wrong, those of any study before the notebook's."""
    if outcome.predictions_request is not None:
        return ()
    return (*check_fit_accuracy(outcome), *check_claims(outcome))
