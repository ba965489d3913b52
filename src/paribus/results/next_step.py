"""The next step for an undecided statement: how many more seeds and how long they take, or that seeds cannot help.

The difference is the margin, the smallest that matters, and never the observed one. The power is that of
``docs/decisions/0055-plans-that-hold.md``.
"""

from __future__ import annotations

import math
from dataclasses import replace

from paribus import machine
from paribus.analysis.comparison import Verdict
from paribus.analysis.contrasts import JudgedContrast
from paribus.analysis.factorial import Effect
from paribus.analysis.fold_planning import next_repeats
from paribus.analysis.looks import Schedule
from paribus.analysis.planning import SeedPlan, plan_seeds
from paribus.analysis.wording import counted, magnitude
from paribus.outcome.outcome import Outcome
from paribus.study.statements import Statement

POWER = 0.8
"""The power that a next step aims at."""

TOO_MANY = 1000
"""Above this number of seeds no next step is proposed."""

MOST_EXAMPLES = 100
"""A test set more than so many times as large as the present one is not proposed."""


def add_next_steps(outcome: Outcome) -> Outcome:
    """Add to every undecided contrast and effect the sentence that says what would decide it."""
    statements = {statement.key: statement for statement in outcome.statements}
    contrasts = tuple(
        replace(c, next_step=_describe_next_step(outcome, statements[c.key], c)) for c in outcome.contrasts
    )
    effects = tuple(replace(e, next_step=_describe_next_step(outcome, statements[e.key], e)) for e in outcome.effects)
    return replace(outcome, contrasts=contrasts, effects=effects)


def _describe_next_step(outcome: Outcome, statement: Statement, judged: JudgedContrast | Effect) -> str:
    """A sentence for an undecided statement; empty for others, and where too little is known to say anything."""
    comparison = judged.comparison
    if comparison is None or comparison.verdict is not Verdict.UNDECIDED:
        return ""
    if comparison.folded is not None:
        return next_repeats(comparison, judged.metric)
    if comparison.components is None:
        return "Next: at least 2 more seeds; one seed shows no spread." if comparison.seeds == 1 else ""
    looks = outcome.design.comparison.looks
    schedule = Schedule(looks) if looks and (statement.primary or not _has_primary(outcome)) else None
    ended = comparison.look is not None and comparison.look.number == comparison.look.planned
    parts = comparison.components
    if parts.ms_seed == parts.ms_example == 0:
        return "Next: the arms score alike here; declare a margin within which they count as equivalent."
    if not comparison.margin:
        return (
            "Next: nothing says how many seeds are enough, as no margin is declared. Declare the smallest difference "
            "that matters as the margin of a new study."
        )
    # Never for the observed difference: it is what the noise left, and a plan for it promises what noise may take.
    plan = plan_seeds(
        comparison,
        comparison.margin,
        judged.metric,
        power=POWER,
        level=comparison.level,
        weight=statement.share,
        schedule=None if ended else schedule,
    )
    size = f"a difference of {magnitude(comparison.margin, judged.metric.unit)}, the margin,"
    power = f"with {100 * POWER:.0f} % power"
    if plan.seeds is None:
        return f"Next: more seeds will not decide it. {_describe_floor(plan, size, power)}"
    if plan.seeds > TOO_MANY:
        return (
            f"Next: more seeds will not decide it. About {_round_up(plan.seeds):,} seeds an arm would find {size} "
            f"{power}."
        )
    if ended:
        cost = _describe_cost(outcome, statement, seeds=plan.seeds)
        return (
            f"Next: the planned looks are over. A study that starts on fresh seeds (`first_seed`) finds {size} "
            f"{power} with {counted(plan.seeds, 'seed')} an arm ({cost})."
        )
    more = plan.seeds - comparison.seeds
    if more < 1:
        return (
            f"Next: {size} would be detected {power} by these {counted(comparison.seeds, 'seed')}; more seeds only "
            "narrow the interval."
        )
    cost = _describe_cost(outcome, statement, seeds=more, after=comparison.seeds)
    return f"Next: {counted(more, 'more seed')} an arm ({cost}) would find {size} {power}."


def _describe_floor(plan: SeedPlan, size: str, power: str) -> str:
    """Why no number of seeds is enough, and how many test examples would be where so many can be had."""
    sentence = f"With {plan.examples:,} test examples no number of seeds finds {size} {power}"
    needed = plan.examples_needed
    if needed is None or needed > MOST_EXAMPLES * plan.examples:
        return f"{sentence}."
    return f"{sentence}; about {_round_up(needed):,} examples would."


def _describe_cost(outcome: Outcome, statement: Statement, *, seeds: int, after: int = 0) -> str:
    """``16 runs, about 4 minutes here``: so many seeds of this statement's arms, less the runs that are stored.

    ``after``: how many seeds were judged already; 0 for a study of its own, which finds no stored run.
    """
    target = after + seeds
    runs, seconds, longest = 0, 0.0, 0.0
    for arm in outcome.arms:
        if arm.name in statement.arms:
            missing = max(target - (len(arm.scored) if after else 0), 0)
            runs += missing
            mean = sum(run.seconds for run in arm.scored) / len(arm.scored) if arm.scored and missing else 0.0
            seconds, longest = seconds + missing * mean, max(longest, mean)
    if outcome.predictions_request is not None:
        return counted(runs, "run")
    # Side by side on the cores, and no sooner than the longest of them.
    wall = max(seconds / max(len(machine.list_cores()), 1), longest)
    return f"{counted(runs, 'run')}, about {_round_duration(wall)} here"


def _round_duration(seconds: float) -> str:
    """``48 seconds``, ``4 minutes``, ``7 hours``, ``3 days``: rounded up, with two figures at most where it can be."""
    for unit, length, most in (("second", 1, 60), ("minute", 60, 120), ("hour", 3600, 48)):
        if seconds < most * length:
            return counted(max(1, math.ceil(seconds / length)), unit)
    return counted(math.ceil(seconds / 86400), "day")


def _has_primary(outcome: Outcome) -> bool:
    return any(statement.primary for statement in outcome.statements)


def _round_up(seeds: int) -> int:
    """Round up to two leading digits: 12,347 to 13,000."""
    scale = int(10 ** (len(str(seeds)) - 2))
    return -(-seeds // scale) * scale
