"""The declared contrasts and effects of a study, judged together as one family, at the planned look if any."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from paribus.analysis.contrasts import ContrastScores, JudgedContrast, compare_family
from paribus.analysis.factorial import Effect, Factor, factorial_effects
from paribus.analysis.looks import Schedule
from paribus.analysis.metrics import metric_named
from paribus.analysis.pairing import SeedScores
from paribus.results.scores import StudyScores
from paribus.study.document import StudyDocument


@dataclass(frozen=True, slots=True)
class Judgement:
    """Contrasts and effects; both empty before the first planned look."""

    contrasts: tuple[JudgedContrast, ...]
    effects: tuple[Effect, ...]


@dataclass(frozen=True, slots=True)
class _Look:
    """Which runs count, and with what share of the allowed error."""

    schedule: Schedule | None
    number: int
    seeds: Collection[int] | None

    def rows(self, scores: SeedScores) -> SeedScores:
        return scores if self.seeds is None else scores.only(self.seeds)


def judge_contrasts(document: StudyDocument, evidence: StudyScores, seeds: int) -> Judgement:
    """Judge a study with ``seeds`` seeds an arm.

    With planned looks, the last look that so many whole seeds allow is judged, on its own seeds (0, 1, 2 ...).
    """
    declared = document.declared_contrasts()
    factors = factors_of(document)
    look = _look(document, seeds)
    if look is None:
        return Judgement((), ())
    family = len(declared) + _effects_of(factors)
    comparison = document.comparison
    contrasts = [
        ContrastScores(
            look.rows(evidence.scores(c.a, c.metric)),
            look.rows(evidence.scores(c.b, c.metric)),
            evidence.metric(c.metric),
            c.margin or comparison.margin,
        )
        for c in declared
    ]
    cells = {
        tuple(arm.levels[factor.name] for factor in factors): look.rows(evidence.scores(name, "test_accuracy"))
        for name, arm in document.arms.items()
        if factors
    }
    return Judgement(
        compare_family(
            contrasts,
            level=comparison.level,
            scope=comparison.scope,
            family=family,
            schedule=look.schedule,
            number=look.number,
        )
        if contrasts
        else (),
        factorial_effects(
            factors,
            cells,
            metric_named("test_accuracy"),
            margin=comparison.margin,
            level=comparison.level,
            scope=comparison.scope,
            family=family,
            schedule=look.schedule,
            number=look.number,
        )
        if factors
        else (),
    )


def _look(document: StudyDocument, seeds: int) -> _Look | None:
    looks = document.comparison.looks
    if not looks:
        return _Look(None, 1, None)
    number = sum(planned <= seeds for planned in looks)
    return _Look(Schedule(looks), number, range(looks[number - 1])) if number else None


def factors_of(document: StudyDocument) -> tuple[Factor, ...]:
    """The factors of a factorial study with their levels, in the order in which the arms name them.

    Empty where the study is not factorial, or where (with ``--arm``) not every combination of levels is there.
    """
    if not document.comparison.factorial:
        return ()
    levels: dict[str, dict[str, None]] = {}
    for arm in document.arms.values():
        for factor, level in arm.levels.items():
            levels.setdefault(factor, {})[level] = None
    cells = {tuple(arm.levels[factor] for factor in levels) for arm in document.arms.values()}
    full = math.prod(len(found) for found in levels.values())
    varied = all(len(found) > 1 for found in levels.values())
    return tuple(Factor(n, tuple(f)) for n, f in levels.items()) if len(cells) == full and varied else ()


def _effects_of(factors: Sequence[Factor]) -> int:
    """How many effects there are: main effects and two-factor interactions, one degree of freedom each."""
    free = [len(factor.levels) - 1 for factor in factors]
    return sum(free) + sum(a * b for i, a in enumerate(free) for b in free[i + 1 :])
