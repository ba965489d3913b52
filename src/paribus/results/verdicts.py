"""The declared contrasts and effects of a study, judged together as one family, at the planned looks if any.

The family is that of the whole study, whichever arms were run (``docs/decisions/0080-a-study-is-one-study.md``).
Primary statements have the larger share of the error and are judged look by look; the others are judged once, on the
study's own number of seeds (``docs/decisions/0050-shares-of-the-error.md``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from paribus.analysis.comparison import Verdict
from paribus.analysis.contrasts import ContrastScores, JudgedContrast, compare_family
from paribus.analysis.factorial import Effect, factorial_effects
from paribus.analysis.folds import FoldLayout
from paribus.analysis.groups import Groups
from paribus.analysis.looks import Schedule
from paribus.analysis.metrics import Metric, metric_named
from paribus.analysis.pairing import SeedScores
from paribus.study.design import Design
from paribus.study.statements import EFFECT_METRIC, Statement, list_factors


class Scores(Protocol):
    """The scores of all arms, by metric."""

    @property
    def groups(self) -> Groups | None:
        """The groups that the test examples belong to; None where they are independent."""

    @property
    def folds(self) -> FoldLayout | None:
        """The folds of cross-validation; None with a fixed test split."""

    def metric(self, name: str) -> Metric:
        """The metric of a name.

        Raises:
            UnknownNameError: there is no such metric.
        """

    def scores(self, arm: str, metric: str) -> SeedScores:
        """An arm's scores on a metric, a row a seed.

        Raises:
            StoreError, DataError: they cannot be read.
        """


@dataclass(frozen=True, slots=True)
class Judgement:
    """Contrasts and effects in the order in which they were declared; those before their first look are left out."""

    contrasts: tuple[JudgedContrast, ...]
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """Which seeds statements are judged on, and at which planned look."""

    seeds: range | None
    schedule: Schedule | None = None
    number: int = 1

    def rows(self, scores: SeedScores) -> SeedScores:
        return scores if self.seeds is None else scores.only(self.seeds)


def judge_contrasts(
    document: Design, statements: Sequence[Statement], scores: Scores, complete: Mapping[str, int]
) -> Judgement:
    """Judge the statements of a study whose arms have scores.

    With planned looks (``docs/decisions/0012-planned-looks.md``) a statement is judged at the last look whose seeds
    have all ended, on the seeds of that look; a primary one keeps the verdict of the look that decided it.
    Statements about an arm that was never run are left out, and keep their share of the error.

    Args:
        document: the study.
        statements: all its contrasts and effects, with their shares of the error.
        scores: the scores of its runs.
        complete: for each arm that was run, the number of its seeds that have ended without a gap from the first.

    Returns:
        The judged contrasts and effects.
    """
    looks: dict[_Look, list[int]] = {}
    for index, statement in enumerate(statements):
        if all(arm in complete for arm in statement.arms):
            for look in _list_looks(document, statements, statement, min(complete[arm] for arm in statement.arms)):
                looks.setdefault(look, []).append(index)
    judged: dict[int, JudgedContrast | Effect] = {}
    for look in sorted(looks, key=lambda look: look.number):
        open_ones = [index for index in looks[look] if not has_verdict(judged.get(index))]
        judged |= _judge_at_look(document, statements, open_ones, scores, look)
    in_order = [judged[index] for index in sorted(judged)]
    return Judgement(
        tuple(statement_result for statement_result in in_order if isinstance(statement_result, JudgedContrast)),
        tuple(statement_result for statement_result in in_order if isinstance(statement_result, Effect)),
    )


def has_verdict(judged: JudgedContrast | Effect | None) -> bool:
    """Whether a statement has a verdict other than undecided."""
    comparison = judged.comparison if judged is not None else None
    return comparison is not None and comparison.verdict is not Verdict.UNDECIDED


def _list_looks(
    document: Design, statements: Sequence[Statement], statement: Statement, seeds: int
) -> tuple[_Look, ...]:
    """List the looks at one statement after ``seeds`` complete seeds, in their order."""
    first, planned = document.first_seed, document.comparison.looks
    if not planned:
        return (_Look(None),)
    if any(other.primary for other in statements) and not statement.primary:
        return (_Look(range(first, first + document.seeds)),)
    schedule = Schedule(planned)
    numbers = [number for number, at in enumerate(planned, 1) if at <= seeds]
    if not statement.primary:
        # Without primary statements a study goes on until all are decided: what counts is the look it has come to.
        numbers = numbers[-1:]
    return tuple(_Look(range(first, first + planned[number - 1]), schedule, number) for number in numbers)


def _judge_at_look(
    document: Design, statements: Sequence[Statement], indices: Sequence[int], scores: Scores, look: _Look
) -> dict[int, JudgedContrast | Effect]:
    """Judge some of the statements at one look, by their index in the study."""
    contrasts = [index for index in indices if statements[index].contrast is not None]
    effects = [index for index in indices if statements[index].effect is not None]
    judged: dict[int, JudgedContrast | Effect] = {}
    if contrasts:
        some = [statements[index] for index in contrasts]
        judged |= dict(zip(contrasts, _judge_contrasts(document, some, len(statements), scores, look), strict=True))
    if effects:
        every = [index for index, statement in enumerate(statements) if statement.effect is not None]
        results = _judge_effects(document, [statements[index] for index in every], len(statements), scores, look)
        judged |= {index: effect for index, effect in zip(every, results, strict=True) if index in effects}
    return judged


def _judge_contrasts(
    document: Design, statements: Sequence[Statement], family: int, scores: Scores, look: _Look
) -> tuple[JudgedContrast, ...]:
    comparison = document.comparison
    declared = []
    for statement in statements:
        a, b = (look.rows(scores.scores(arm, statement.metric)) for arm in statement.arms)
        margin = statement.margin or comparison.margin
        declared.append(ContrastScores(a, b, scores.metric(statement.metric), margin))
    return compare_family(
        declared,
        level=comparison.level,
        scope=document.scope,
        family=family,
        schedule=look.schedule,
        number=look.number,
        weights=[statement.share for statement in statements],
        primary=[statement.primary for statement in statements],
        groups=scores.groups,
        folds=scores.folds,
    )


def _judge_effects(
    document: Design, statements: Sequence[Statement], family: int, scores: Scores, look: _Look
) -> tuple[Effect, ...]:
    comparison, factors = document.comparison, list_factors(document)
    cells = {
        tuple(levels[factor.name] for factor in factors): look.rows(scores.scores(name, EFFECT_METRIC))
        for name, levels in document.levels.items()
    }
    return factorial_effects(
        factors,
        cells,
        metric_named(EFFECT_METRIC),
        margin=comparison.margin,
        level=comparison.level,
        scope=document.scope,
        family=family,
        schedule=look.schedule,
        number=look.number,
        weights=[statement.share for statement in statements],
        primary=[statement.primary for statement in statements],
        folds=scores.folds,
    )
