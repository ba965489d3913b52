"""Planning: what a number of seeds can detect, and how many seeds a difference needs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from scipy import special

from paribus.analysis.compare import parsed_scope
from paribus.analysis.comparison import Comparison, Scope
from paribus.analysis.looks import Schedule
from paribus.analysis.margins import smallest_margin
from paribus.analysis.metrics import Metric, Unit
from paribus.analysis.power import TrueNoise
from paribus.analysis.strictness import Strictness
from paribus.analysis.wording import counted, magnitude, percent
from paribus.errors import UsageError

_TABLE = (3, 5, 10, 20, 30, 50, 100)
_CAUTION = 0.8


@dataclass(frozen=True, slots=True)
class Detectable:
    """The smallest true difference that so many seeds find with the plan's power.

    Attributes:
        seeds: seeds per arm.
        difference: in the units of the scores; positive.
        example_share: share of the variance of the difference that only more test examples could remove.
    """

    seeds: int
    difference: float
    example_share: float


@dataclass(frozen=True, slots=True)
class SeedPlan:
    """How many seeds a difference needs, from the variance components of stored runs.

    Attributes:
        detect: the difference, in the units of the scores; positive.
        power: chance to find it, such as 0.8.
        level: level of the interval that decides.
        scope: what the claim will be about.
        seeds: seeds per arm that are needed; None where no number of seeds up to 100,000 is enough.
        seeds_cautious: the same if the seeds' variance is at its upper 80 % limit, as few stored seeds leave it very
            uncertain; None where no number of seeds is enough.
        floor: the smallest difference that any number of seeds can detect on a test set of this size (0 in scope
            "this test set").
        examples_needed: smallest size of a test set on which enough seeds find the difference; None where the
            present size is enough.
        table: what some numbers of seeds can detect: 3, 5, 10, 20, 30, 50 and 100 unless others were asked for.
        pilot_seeds: seeds that the components were estimated from.
        examples: size of the test set.
        statement: all of this in plain sentences.
        smallest_margin: the smallest margin within which these arms could be called equivalent on this test set,
            whatever the number of seeds; None where the plan is about another scope than the stored comparison.
    """

    detect: float
    power: float
    level: float
    scope: Scope
    seeds: int | None
    seeds_cautious: int | None
    floor: float
    examples_needed: int | None
    table: tuple[Detectable, ...]
    pilot_seeds: int
    examples: int
    statement: str
    smallest_margin: float | None = None


def plan_seeds(
    stored: Comparison,
    detect: float,
    metric: Metric,
    *,
    power: float = 0.8,
    level: float = 0.95,
    scope: str | None = None,
    contrasts: int = 1,
    weight: float | None = None,
    schedule: Schedule | None = None,
    table: Sequence[int] = _TABLE,
) -> SeedPlan:
    """Plan the number of seeds per arm for a contrast, from the variance components of a stored comparison.

    Args:
        stored: a comparison of the same two arms (or of two like them) over at least 2 seeds.
        detect: the true difference to detect, in the metric's units.
        metric: what is compared.
        power: the chance of detecting it.
        level: level of the intervals that will decide.
        scope: what the claim will be about; None means the stored comparison's.
        contrasts: how many statements the whole study makes, contrasts and effects, that will be judged at once.
        weight: this contrast's share of the error 1 - level; None means 1 / contrasts.
        schedule: the planned looks of a study that grows. The seeds are then those at which the last look, judged at
            its own nominal level, finds the difference: earlier looks only add to that chance.
        table: numbers of seeds, from 2 up, to list the smallest detectable difference for.

    Returns:
        The plan, with its sentences.

    Raises:
        UsageError: a comparison of one seed, without any spread, or of values known once per run with scope "new data";
            a difference that is not positive, or a power outside (0, 1).
    """
    parts = stored.components
    about = stored.scope if scope is None else parsed_scope(scope)
    if parts is None:
        raise UsageError(
            "1 seed is stored: a plan needs the spread over at least 2; run both arms with 2 or more seeds"
        )
    if parts.ms_seed == parts.ms_example == 0:
        raise UsageError("the stored runs score exactly alike: they show no spread that a plan could start from")
    if about is Scope.NEW_DATA and parts.examples < 2:
        raise UsageError(f'{metric.label} has one value a run: plan it with scope="this test set"')
    if not (detect > 0 and math.isfinite(detect)):
        raise UsageError(f"detect {detect!r}: the difference to detect is a positive number, such as 0.002")
    if not 0 < power < 1:
        raise UsageError(f"power {power!r}: a power lies between 0 and 1, such as 0.8")
    if any(seeds < 2 for seeds in table):
        raise UsageError(f"table {list(table)}: numbers of seeds from 2 up are needed, as one seed detects nothing")
    noise = true_noise(stored, about, last_look(level, contrasts, weight, schedule).alpha)
    freedom = parts.seeds - 1
    inflation = freedom / float(2 * special.gammaincinv(freedom / 2, 1 - _CAUTION))
    cautious = replace(noise, per_seed=noise.per_seed * inflation)
    floor = noise.floor(power)
    enough = floor < detect
    plan = SeedPlan(
        detect=detect,
        power=power,
        level=level,
        scope=about,
        seeds=noise.seeds_for(detect, power) if enough else None,
        seeds_cautious=cautious.seeds_for(detect, power) if enough else None,
        floor=floor,
        examples_needed=None if enough else math.floor(parts.examples * (floor / detect) ** 2) + 1,
        table=tuple(_row(noise, seeds, power) for seeds in table),
        smallest_margin=smallest_margin(stored) if about is stored.scope else None,
        pilot_seeds=parts.seeds,
        examples=parts.examples,
        statement="",
    )
    share = _row(noise, plan.seeds, power).example_share if plan.seeds else 0.0
    return replace(plan, statement=_statement(plan, metric, share))


def true_noise(stored: Comparison, scope: Scope, alpha: float) -> TrueNoise:
    """What a stored comparison says of the true variances.

    The seeds' mean square estimates var_rest and N times var_seed, so it is taken no smaller than ms_rest: a few seeds
    that agree by chance are no proof that seeds do not vary (decision record 0055).

    Args:
        stored: a comparison over at least 2 seeds.
        scope: what the claim will be about.
        alpha: two-sided nominal error of the test that is planned.

    Raises:
        UsageError: a comparison of one seed.
    """
    parts = stored.components
    if parts is None:
        raise UsageError(
            "1 seed is stored: a plan needs the spread over at least 2; run both arms with 2 or more seeds"
        )
    new_data = scope is Scope.NEW_DATA
    return TrueNoise(
        per_seed=max(parts.ms_seed, parts.ms_rest) / parts.examples,
        example=max(parts.var_example, 0.0) / parts.examples if new_data else 0.0,
        examples=parts.examples,
        alpha=alpha,
        disagreements=stored.disagreements if new_data else None,
        example_freedom=stored.example_freedom,
    )


def last_look(level: float, contrasts: int, weight: float | None, schedule: Schedule | None) -> Strictness:
    """How strict the last planned look is, or the only one.

    Args:
        level: the level at which all intervals of the study hold at once.
        contrasts: how many statements the study makes.
        weight: the statement's share of the error 1 - level; None means 1 / contrasts.
        schedule: the planned looks; None for one look.
    """
    return Strictness(level, contrasts, schedule, len(schedule.seeds) if schedule else 1, weight)


def _row(noise: TrueNoise, seeds: int, power: float) -> Detectable:
    total = noise.per_seed / seeds + noise.example
    return Detectable(seeds, noise.detectable(seeds, power), noise.example / total if total else 0.0)


def _statement(plan: SeedPlan, metric: Metric, example_share: float) -> str:
    unit: Unit = metric.unit
    target = f"a difference of {magnitude(plan.detect, unit)} in {metric.label} with power {percent(plan.power)}"
    origin = f"estimated from {counted(plan.pilot_seeds, 'stored seed')}"
    if plan.seeds is None:
        text = (
            f"No number of seeds finds {target} on new data with {plan.examples:,} test examples: the draw of the "
            f"examples alone hides differences below {magnitude(plan.floor, unit)} at that power. More seeds cannot "
            f"help"
        )
        if plan.examples_needed:
            text += f"; at least {plan.examples_needed:,} test examples would be needed"
        return f"{text} ({origin})."
    text = f"To find {target} {'on new data' if plan.scope is Scope.NEW_DATA else f'on this {metric.split} set'}, "
    text += f"{counted(plan.seeds, 'seed')} per arm are needed ({origin}"
    if plan.seeds_cautious is None:
        text += "; if their spread is small by chance, no number may be enough)."
    elif plan.seeds_cautious > plan.seeds:
        text += f"; {plan.seeds_cautious:,} to be safe, as so few leave their spread uncertain)."
    else:
        text += ")."
    if example_share > 0.5:
        text += (
            f" Most of the uncertainty is then the test sample's, not the seeds': beyond that, more test examples help "
            f"more than more seeds, and no number of seeds finds less than {magnitude(plan.floor, unit)} with "
            f"{percent(plan.power)} power."
        )
    return text
