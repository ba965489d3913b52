"""What a report says in words, in one order for every format: primary statements first, effects before contrasts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from paribus.analysis import METRICS, Effect, JudgedContrast, Metric, Verdict
from paribus.analysis.sentences import contrast_sentence, effect_sentence
from paribus.outcome.outcome import Outcome
from paribus.report.misreading import Misreading, check_fit_accuracy
from paribus.report.notebook_claims import check_claims
from paribus.report.numbers import with_minus
from paribus.study.design import Design

JudgedStatement = JudgedContrast | Effect
"""What a study declared and judged."""

FEW = 3
"""So many undecided pairs are the answer where a study compares all pairs and none is decided."""

HEADLINES = 8
"""At most so many statements are the answer at the top; all of them are in their section."""


def list_statements(outcome: Outcome) -> tuple[JudgedStatement, ...]:
    """Effects and contrasts, the primary ones first; otherwise as the study declares them."""
    return primary_first((*outcome.effects, *outcome.contrasts))


def primary_first(statements: Sequence[JudgedStatement]) -> tuple[JudgedStatement, ...]:
    """The same statements, the primary ones before all others."""
    return tuple(sorted(statements, key=lambda statement: not is_primary(statement)))


def count_factors(statement: JudgedStatement) -> int:
    """How many factors an effect has; 1 for a contrast, which is one difference as a main effect is."""
    return len(statement.factors) if isinstance(statement, Effect) else 1


def is_primary(statement: JudgedStatement) -> bool:
    """Whether the study declares it primary (decision record 0050)."""
    return statement.comparison is not None and statement.comparison.primary


def is_declared(document: Design, statement: JudgedStatement) -> bool:
    """Whether the study writes a statement out; other pairs of arms are statements by ``all_pairs``.

    Args:
        document: the study.
        statement: the statement.
    """
    if not isinstance(statement, JudgedContrast) or is_primary(statement):
        return True
    written = {(contrast.a, contrast.b, contrast.metric) for contrast in document.contrasts}
    return (statement.a, statement.b, statement.metric.name) in written


def headline_statements(outcome: Outcome) -> tuple[JudgedStatement, ...]:
    """What the answer consists of, at most ``HEADLINES``: the primary statements and what else the study writes out.

    Without a primary one all statements are, a factorial study's effects before its contrasts, those that the study
    writes out before all other pairs. Where there are more, undecided pairs that the study does not write out are left
    out, but for ``FEW`` where there is nothing else (decision record 0122).
    """
    statements = list_statements(outcome)
    declared = [statement for statement in statements if is_declared(outcome.design, statement)]
    if any(map(is_primary, statements)):
        return tuple(declared[:HEADLINES])
    others = [statement for statement in statements if not is_declared(outcome.design, statement)]
    if len(statements) > HEADLINES:
        decided = [statement for statement in others if _is_decided(statement)]
        others = decided if declared or decided else others[:FEW]
    return (*declared, *others)[:HEADLINES]


def _is_decided(statement: JudgedStatement) -> bool:
    return statement.comparison is not None and statement.comparison.verdict is not Verdict.UNDECIDED


def count_verdicts(outcome: Outcome) -> str:
    """``15 better, 5 worse, 3 equivalent, 43 undecided``: the verdicts of all statements, each on its first arm."""
    verdicts = Counter(
        Verdict.UNDECIDED if statement.comparison is None else statement.comparison.verdict
        for statement in list_statements(outcome)
    )
    counts = {
        "better": verdicts[Verdict.BETTER],
        "worse": verdicts[Verdict.WORSE],
        "equivalent": verdicts[Verdict.EQUIVALENT],
        "undecided": verdicts[Verdict.UNDECIDED],
    }
    return ", ".join(f"{count} {words}" for words, count in counts.items() if count)


def split_statement(statement: JudgedStatement) -> tuple[str, str, str]:
    """The sentence of a statement in three: what holds, the numbers it rests on, and what would decide it.

    They are its sentence, word for word; the second and the third may be empty.
    """
    sentence, step = state(statement), statement.next_step
    sentence = sentence.removesuffix(step).rstrip() if step else sentence
    names = (statement.a, statement.b) if isinstance(statement, JudgedContrast) else statement.factors
    # A name may hold a colon or a full stop.
    start = max((sentence.find(name) + len(name) for name in names if name in sentence), default=0)
    ends = [end + 1 for mark in (": ", ". ") if (end := sentence.find(mark, start)) >= 0]
    cut = min(ends, default=len(sentence))
    return sentence[:cut], sentence[cut:].strip(), step


def list_metrics(outcome: Outcome) -> tuple[Metric, ...]:
    """The metrics that the study judges, that of the first primary statement first; test accuracy where it judges none.

    Figures of the arms show these (decision record 0122).
    """
    metrics = {statement.metric.name: statement.metric for statement in list_statements(outcome)}
    return tuple(metrics.values()) or (METRICS["test_accuracy"],)


def state(statement: JudgedStatement) -> str:
    """The sentence of a statement, as readers get it: with the minus sign of tables."""
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
