"""The next step for an undecided statement: how many more seeds and how long they take, or that seeds cannot help.

The power is that of ``docs/decisions/0055-plans-that-hold.md``.
"""

from __future__ import annotations

import math
from dataclasses import replace

from paribus import machine
from paribus.analysis.comparison import Comparison, Verdict
from paribus.analysis.contrasts import JudgedContrast
from paribus.analysis.factorial import Effect
from paribus.analysis.looks import Schedule
from paribus.analysis.planning import plan_seeds
from paribus.analysis.wording import counted, magnitude
from paribus.outcome.outcome import Outcome
from paribus.study.statements import Statement

POWER = 0.8
"""The power that a next step aims at."""

TOO_MANY = 1000
"""Above this number of seeds no next step is proposed."""


def add_next_steps(outcome: Outcome) -> Outcome:
    """Add the next step to every undecided contrast and effect."""
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
    if comparison.components is None:
        return "Next: 2 more seeds at least; one shows no spread." if comparison.seeds == 1 else ""
    looks = outcome.document.comparison.looks
    schedule = Schedule(looks) if looks and (statement.primary or not _has_primary(outcome)) else None
    difference = abs(comparison.difference)
    parts = comparison.components
    if not difference or parts.ms_seed == parts.ms_example == 0:
        return "Next: the arms score alike here; declare a margin within which they count as equivalent."
    plan = plan_seeds(
        comparison,
        difference,
        judged.metric,
        power=POWER,
        level=comparison.level,
        weight=statement.share,
        schedule=schedule,
    )
    size = magnitude(difference, judged.metric.unit)
    if plan.seeds is None:
        needed = f"; about {_round_up(plan.examples_needed):,} examples would" if plan.examples_needed else ""
        return (
            f"Next: more seeds cannot decide it. With {parts.examples:,} test examples no number of seeds finds a "
            f"difference of {size} with {100 * POWER:.0f} % power{needed}."
        )
    if plan.seeds > TOO_MANY:
        return f"Next: a difference of {size} would take about {_round_up(plan.seeds):,} seeds an arm to find."
    more = max(plan.seeds - comparison.seeds, 1)
    return (
        f"Next: {counted(more, 'more seed')} an arm ({_describe_cost(outcome, statement, comparison, more)}) would "
        f"decide it with {100 * POWER:.0f} % power, if {size} is the true difference."
    )


def _describe_cost(outcome: Outcome, statement: Statement, comparison: Comparison, seeds: int) -> str:
    """``16 runs, about 4 minutes here``: the missing runs of this statement's arms."""
    target = comparison.seeds + seeds
    runs, seconds = 0, 0.0
    for arm in outcome.arms:
        if arm.name in statement.arms:
            missing = max(target - len(arm.scored), 0)
            runs += missing
            seconds += missing * (sum(run.seconds for run in arm.scored) / len(arm.scored) if arm.scored else 0.0)
    wall = seconds / max(len(machine.list_cores()), 1)
    minutes = wall / 60
    duration = (
        f"{counted(math.ceil(minutes), 'minute')}" if minutes >= 1 else f"{counted(max(math.ceil(wall), 1), 'second')}"
    )
    return f"{counted(runs, 'run')}, about {duration} here"


def _has_primary(outcome: Outcome) -> bool:
    return any(statement.primary for statement in outcome.statements)


def _round_up(seeds: int) -> int:
    """Round up to two leading digits: 12,347 to 13,000."""
    scale = int(10 ** (len(str(seeds)) - 2))
    return -(-seeds // scale) * scale
