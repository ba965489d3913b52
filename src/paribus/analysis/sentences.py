"""The plain sentence of a comparison, made from its numbers and printed everywhere.

One sentence says the verdict, its scope and the numbers it rests on; further ones follow where a reader must know more:
arms that a margin does not tell apart, looks, seeds left out, scores without any spread.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from paribus.analysis.comparison import Comparison, Look, Scope, Verdict
from paribus.analysis.contrasts import JudgedContrast
from paribus.analysis.factorial import Effect
from paribus.analysis.metrics import Metric
from paribus.analysis.noninferiority import CheckAnswer, NonInferiority
from paribus.analysis.pairing import Missing
from paribus.analysis.shares import divisor_of
from paribus.analysis.wording import (
    capitalized,
    counted,
    differences,
    listed,
    magnitude,
    p_text,
    percent,
    with_unit,
    without_unit,
)


def contrast_sentence(contrast: JudgedContrast) -> str:
    """What a contrast says. Nothing is claimed that its numbers do not carry."""
    if contrast.comparison is None:
        return _joined(f"{contrast.a} and {contrast.b} have no scored seed in common: no comparison.", contrast.missing)
    sentence = comparison_sentence(contrast.comparison, contrast.a, contrast.b, contrast.metric, contrast.missing)
    return " ".join(filter(None, (sentence, contrast.next_step)))


def comparison_sentence(
    comparison: Comparison,
    a: str,
    b: str,
    metric: Metric,
    missing: Sequence[Missing] = (),
    averaged_over: Sequence[str] = (),
    noun: str = "contrast",
) -> str:
    """What a comparison says of arm ``a`` against arm ``b``.

    Args:
        comparison: the comparison; ``difference`` is a - b in the metric's units.
        a: name of the first arm.
        b: name of the second arm.
        metric: what was compared; its direction must be the comparison's.
        missing: seeds that were left out.
        averaged_over: other factors that the arms are averaged over.
        noun: what the comparison is: a contrast or an effect.
    """
    where = scope_text(comparison.scope, metric)
    if averaged_over:
        where = f"{where}, averaged over {listed(averaged_over)}"
    if comparison.seeds == 1:
        (text,) = differences([comparison.difference], metric.unit)
        first = (
            f"Undecided {where}, as one seed cannot tell {a} from {b}: {metric.label} differs by "
            f"{with_unit(text, metric.unit)}, and how far another seed would move that is unknown."
        )
        return _joined(first, missing)
    if comparison.verdict in (Verdict.BETTER, Verdict.WORSE):
        verb = metric.better if comparison.verdict is Verdict.BETTER else metric.worse
        # "fits the training set more closely" has said where.
        place = where.removeprefix(scope_text(comparison.scope, metric)) if "training set" in verb else f" {where}"
        first = f"{a} {verb} {b}{place}: {_numbers(comparison, metric, noun)}."
    elif comparison.verdict is Verdict.EQUIVALENT and comparison.margin is not None:
        first = (
            f"{a} and {b} are equivalent {where} within the margin of {magnitude(comparison.margin, metric.unit)}: "
            f"{_numbers(comparison, metric, noun)}."
        )
    else:
        numbers = _numbers(comparison, metric, noun)
        first = f"Undecided between {a} and {b} {where}: {numbers}. {_compatible(comparison, metric)}"
    return _joined(first, missing, comparison, metric)


def effect_sentence(effect: Effect) -> str:
    """What a main effect or an interaction says."""
    return " ".join(filter(None, (_effect_sentence(effect), effect.next_step)))


def _effect_sentence(effect: Effect) -> str:
    if effect.comparison is None:
        return _joined(f"{effect.name}: no seed has scores in all arms, so there is no estimate.", effect.missing)
    if effect.is_interaction:
        return _joined(_interaction(effect, effect.comparison), effect.missing, effect.comparison, effect.metric)
    (factor,) = effect.factors
    ((low, high),) = effect.levels
    names = f"{factor} {high}", f"{factor} {low}"
    return comparison_sentence(effect.comparison, *names, effect.metric, effect.missing, effect.averaged_over, "effect")


def check_sentence(check: NonInferiority) -> str:
    """What a non-inferiority check says."""
    comparison, metric = check.comparison, check.metric
    where = scope_text(comparison.scope, metric)
    claim = f"{check.new} is not worse than {check.old} by {magnitude(check.margin, metric.unit)} or more {where}"
    if check.worst is None or check.p_value is None:
        return _joined(f"Undecided whether {claim}: one seed cannot tell.", check.missing)
    difference, worst = differences([comparison.difference, check.worst], metric.unit)
    numbers = (
        f"{metric.label} {with_unit(difference, metric.unit)}, at worst {worst} "
        f"(one-sided {percent(comparison.level)} limit), {counted(comparison.seeds, 'seed')}"
    )
    much = magnitude(check.margin, metric.unit)
    lead = {
        CheckAnswer.HOLDS: f"It holds that {claim}",
        CheckAnswer.FAILS: f"{check.new} {metric.worse} {check.old} by more than {much} {where}",
        CheckAnswer.UNDECIDED: f"Undecided whether {claim}",
    }[check.answer]
    return _joined(f"{lead}: {numbers}.", check.missing)


def scope_text(scope: Scope, metric: Metric) -> str:
    """``on new data``, ``on this test set``, or ``on this training set`` for metrics of the training split."""
    return f"on this {metric.split} set" if scope is Scope.THIS_TEST_SET else f"on {scope}"


def interval_name(comparison: Comparison, noun: str = "contrast") -> str:
    """``95 % CI``, ``simultaneous 95 % CI, 3 contrasts`` or ``primary contrast, 96 % CI (0.8 of the 5 % error)``.

    Args:
        comparison: whose interval is named.
        noun: what the comparison is: a contrast or an effect.
    """
    if comparison.contrasts == 1:
        return f"{percent(comparison.level)} CI"
    if not has_own_share(comparison):
        return f"simultaneous {percent(comparison.level)} CI, {comparison.contrasts} contrasts"
    return f"{share_title(comparison, noun)}, {percent(comparison.interval_level)} CI ({share_text(comparison)})"


def has_own_share(comparison: Comparison) -> bool:
    """Whether its share of the error differs from an even one (decision record 0050)."""
    return divisor_of(comparison.share) != comparison.contrasts


def share_title(comparison: Comparison, noun: str = "contrast") -> str:
    """``primary contrast`` or ``secondary contrast``."""
    return f"{'primary' if comparison.primary else 'secondary'} {noun}"


def share_text(comparison: Comparison) -> str:
    """``0.8 of the 5 % error``."""
    return f"{comparison.share:.3g} of the {percent(1 - comparison.level)} error"


def _numbers(comparison: Comparison, metric: Metric, noun: str = "contrast") -> str:
    """``test accuracy +0.36 points (95 % CI +0.12 to +0.60), p = 0.004, 10 seeds``; the p is the verdict's."""
    equivalent = comparison.verdict is Verdict.EQUIVALENT
    p_value = comparison.p_equivalent_adjusted if equivalent else comparison.p_adjusted
    if comparison.low is None or comparison.high is None or p_value is None:
        raise ValueError("a comparison of two or more seeds has an interval and a p value")
    difference, low, high = differences([comparison.difference, comparison.low, comparison.high], metric.unit)
    if has_own_share(comparison):
        name = f"{share_title(comparison, noun)}, {percent(comparison.interval_level)} CI"
        interval = f"{name} {low} to {high}, {share_text(comparison)}"
    else:
        simultaneous = "simultaneous " if comparison.contrasts > 1 else ""
        interval = f"{simultaneous}{percent(comparison.level)} CI {low} to {high}"
    return (
        f"{metric.label} {with_unit(difference, metric.unit)} ({interval}), "
        f"{_p_words(comparison, p_value, equivalent=equivalent)}, {counted(comparison.seeds, 'seed')}"
    )


def _p_words(comparison: Comparison, p_value: float, *, equivalent: bool) -> str:
    """``p = 0.004``, ``adjusted p = 0.012 (3 contrasts)``, ``adjusted equivalence p = 0.02 (3 contrasts, 4 looks)``."""
    reasons = []
    if has_own_share(comparison):
        reasons.append(f"p / {comparison.share:.3g}")
    elif comparison.contrasts > 1:
        reasons.append(f"{comparison.contrasts} contrasts")
    if comparison.look is not None:
        reasons.append(counted(comparison.look.planned, "look"))
    words = f"{'equivalence ' if equivalent else ''}{p_text(p_value, 1 - comparison.level)}"
    return f"adjusted {words} ({', '.join(reasons)})" if reasons else words


def _compatible(comparison: Comparison, metric: Metric) -> str:
    """Which true differences the data leave open, against the margin if there is one."""
    if comparison.low is None or comparison.high is None:
        raise ValueError("a comparison of two or more seeds has an interval")
    low, high = differences([comparison.low, comparison.high], metric.unit)
    text = f"The data are compatible with {low} to {with_unit(high, metric.unit)}"
    if comparison.margin is None:
        return f"{text}; no margin is declared that would count as equivalent."
    beyond = [name for name, end in (("lower", -comparison.low), ("upper", comparison.high)) if end > comparison.margin]
    ends = {0: "both ends lie close to", 1: f"the {''.join(beyond)} end exceeds", 2: "both ends exceed"}[len(beyond)]
    return f"{text}; {ends} the margin of {without_unit(comparison.margin, metric.unit)}."


def _interaction(effect: Effect, comparison: Comparison) -> str:
    where = scope_text(comparison.scope, effect.metric)
    if len(effect.factors) == 2:
        (first, second), ((low, high), (other_low, other_high)) = effect.factors, effect.levels
        subject = f"the effect of {first} ({high} against {low}) on {effect.metric.label}"
        between = f"{second} {other_high} and {second} {other_low}"
        differs = f"differs between {between}"
        direction = "higher" if comparison.difference > 0 else "lower"
        shown = f"is {direction} with {second} {other_high} than with {second} {other_low}"
    else:
        subject = f"the interaction {effect.name} in {effect.metric.label}"
        between, differs = "all levels", "is not zero"
        shown = "is above zero" if comparison.difference > 0 else "is below zero"
    if comparison.seeds == 1:
        (text,) = differences([comparison.difference], effect.metric.unit)
        return (
            f"Undecided {where} whether {subject} {differs}: one seed cannot tell; "
            f"this one says {with_unit(text, effect.metric.unit)}."
        )
    numbers = _numbers(comparison, effect.metric, "effect").removeprefix(f"{effect.metric.label} ")
    if comparison.verdict in (Verdict.BETTER, Verdict.WORSE):
        return f"{capitalized(subject)} {shown} {where}: {numbers}."
    if comparison.verdict is Verdict.EQUIVALENT and comparison.margin is not None:
        margin = magnitude(comparison.margin, effect.metric.unit)
        if len(effect.factors) == 2:
            return (
                f"{capitalized(subject)} is equivalent {where} for {between} within the margin of {margin}: {numbers}."
            )
        return f"{capitalized(subject)} is equivalent to none {where} within the margin of {margin}: {numbers}."
    return f"Undecided {where} whether {subject} {differs}: {numbers}. {_compatible(comparison, effect.metric)}"


def _joined(
    first: str, missing: Sequence[Missing], comparison: Comparison | None = None, metric: Metric | None = None
) -> str:
    """The sentence and whatever a reader must know beside it."""
    parts = [first]
    if comparison is not None and metric is not None:
        parts.extend(_remarks(comparison, metric))
    for item in missing:
        noun, verb = ("Seed", "is") if len(item.seeds) == 1 else ("Seeds", "are")
        parts.append(f"{noun} {listed(item.seeds)} of {item.arm} {verb} missing.")
    return " ".join(parts)


def _remarks(comparison: Comparison, metric: Metric) -> Iterator[str]:
    decided = comparison.verdict in (Verdict.BETTER, Verdict.WORSE)
    if decided and comparison.within_margin and comparison.margin is not None:
        yield f"The difference is smaller than the margin of {magnitude(comparison.margin, metric.unit)}."
    if comparison.components is not None and comparison.components.floored:
        only_seeds = comparison.components.ms_seed == 0 < comparison.components.ms_example
        where = "Between seeds these" if only_seeds else "These"
        yield f"{where} scores show no spread to judge by; the interval is what their resolution allows."
    if comparison.rests_on_few_examples:
        yield (
            f"A few of the {comparison.examples:,} examples make most of this difference, as though there were "
            f"{max(round(comparison.effective_examples or 1.0), 1)}: where {metric.label} is so uneven, intervals miss "
            f"more often than they say."
        )
    if comparison.look is not None:
        yield look_text(comparison.look)


def look_text(look: Look) -> str:
    """``Final planned analysis, 8 seeds per arm.`` or ``Interim analysis 1 of 4, 3 of 8 planned seeds per arm.``."""
    if look.number == look.planned:
        return f"Final planned analysis, {counted(look.seeds, 'seed')} per arm."
    return (
        f"Interim analysis {look.number} of {look.planned}, {look.seeds} of {look.seeds_planned} planned seeds per arm."
    )
