"""The plain sentence of a comparison, made from its numbers and printed everywhere.

One sentence says the verdict, its scope and the numbers it rests on; further ones follow where a reader must know more:
arms that a margin does not tell apart, looks, seeds left out, scores without any spread.
"""

from __future__ import annotations

from collections.abc import Sequence

from paribus.analysis.comparison import Comparison, Scope, Verdict
from paribus.analysis.contrasts import JudgedContrast
from paribus.analysis.factorial import Effect
from paribus.analysis.metrics import Metric
from paribus.analysis.noninferiority import CheckAnswer, NonInferiority
from paribus.analysis.pairing import Missing
from paribus.analysis.phrases import compatible_text, interval_name, numbers_text, remarks_on, sample_text, scope_text
from paribus.analysis.possible import largest_difference, print_limits
from paribus.analysis.wording import capitalized, confidence, counted, differences, listed, magnitude, with_unit


def contrast_sentence(contrast: JudgedContrast) -> str:
    """The sentences of a contrast: verdict, scope, numbers, and what a reader must know beside them.

    Args:
        contrast: a judged contrast.
    """
    if contrast.comparison is None:
        return _joined(
            f"{contrast.a} and {contrast.b} have no scored {contrast.unit} in common: no comparison.", contrast.missing
        )
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

    Returns:
        One sentence, and further ones where a reader must know more.
    """
    where = scope_text(comparison.scope, metric)
    if averaged_over:
        where = f"{where}, averaged over {listed(averaged_over)}"
    if comparison.scope is Scope.THESE_NETWORKS:
        return _joined(_these_networks(comparison, a, b, metric, noun), missing, comparison, metric)
    if comparison.seeds == 1 or _has_one_seed_a_fold(comparison):
        (text,) = differences([comparison.difference], metric.unit)
        alone = "one seed" if comparison.folded is None else "one seed in each fold"
        first = (
            f"Undecided {where}, as {alone} cannot tell {a} from {b}: {metric.label} differs by "
            f"{with_unit(text, metric.unit)}, and how far another seed would move that is unknown."
        )
        return _joined(first, missing)
    if comparison.verdict in (Verdict.BETTER, Verdict.WORSE):
        verb = metric.better if comparison.verdict is Verdict.BETTER else metric.worse
        # "fits the training set more closely" names the split already.
        place = where.removeprefix(scope_text(comparison.scope, metric)) if "training set" in verb else f" {where}"
        first = f"{a} {verb} {b}{place}: {numbers_text(comparison, metric, noun)}."
    elif comparison.verdict is Verdict.EQUIVALENT and comparison.margin is not None:
        first = (
            f"{a} and {b} are equivalent {where} within the margin of {magnitude(comparison.margin, metric.unit)}: "
            f"{numbers_text(comparison, metric, noun)}."
        )
    else:
        numbers = numbers_text(comparison, metric, noun)
        first = f"Undecided between {a} and {b} {where}: {numbers}. {compatible_text(comparison, metric)}"
    return _joined(first, missing, comparison, metric)


def _has_one_seed_a_fold(comparison: Comparison) -> bool:
    """Whether these training sets were judged with one seed in each fold, which gives no interval."""
    return comparison.folded is not None and comparison.low is None


def _these_networks(comparison: Comparison, a: str, b: str, metric: Metric, noun: str) -> str:
    """What is known of one trained network of each arm, and what is not."""
    if comparison.low is None or comparison.high is None:
        raise ValueError("a comparison of trained networks has an interval")
    limits = print_limits(metric, comparison.low, comparison.high)
    difference, low, high = differences([comparison.difference, limits.low, limits.high], metric.unit)
    sample = counted(comparison.examples, "test example")
    if comparison.groups is not None:
        sample = f"{sample} in {counted(comparison.groups, 'group')}"
    return (
        f"Undecided between the recipes of {a} and {b}. Of these two trained networks on new data, {a} minus {b}: "
        f"{metric.label} {with_unit(difference, metric.unit)} ({interval_name(comparison, noun)} {low} to {high}, "
        f"{sample}). There is one seed of each: how far other seeds would move the difference is unknown, so this is "
        "no verdict on the recipes."
    )


def effect_sentence(effect: Effect) -> str:
    """The sentences of a main effect or an interaction.

    Args:
        effect: a judged effect.
    """
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
    """The sentence of a non-inferiority check.

    Args:
        check: the check.
    """
    comparison, metric = check.comparison, check.metric
    where = scope_text(comparison.scope, metric)
    claim = f"{check.new} is not worse than {check.old} by {magnitude(check.margin, metric.unit)} or more {where}"
    if comparison.scope is Scope.THESE_NETWORKS:
        sentence = _these_networks(comparison, check.new, check.old, metric, "contrast")
        return _joined(f"Undecided whether {check.new} is not worse than {check.old}. {sentence}", check.missing)
    if check.worst is None or check.p_value is None:
        return _joined(f"Undecided whether {claim}: one seed cannot tell.", check.missing)
    largest = largest_difference(metric)
    worst_limit = check.worst if largest is None else min(max(check.worst, -largest), largest)
    difference, worst = differences([comparison.difference, worst_limit], metric.unit)
    numbers = (
        f"{metric.label} {with_unit(difference, metric.unit)}, at worst {worst} "
        f"(one-sided {confidence(comparison.level)} limit), {sample_text(comparison)}"
    )
    much = magnitude(check.margin, metric.unit)
    lead = {
        CheckAnswer.HOLDS: f"It holds that {claim}",
        CheckAnswer.FAILS: f"{check.new} {metric.worse} {check.old} by more than {much} {where}",
        CheckAnswer.UNDECIDED: f"Undecided whether {claim}",
    }[check.answer]
    return _joined(f"{lead}: {numbers}.", check.missing)


def _interaction(effect: Effect, comparison: Comparison) -> str:
    where = scope_text(comparison.scope, effect.metric)
    if len(effect.factors) == 2:
        (first, second), ((low, high), (other_low, other_high)) = effect.factors, effect.levels
        subject = f"the effect of {first} ({high} against {low}) on {effect.metric.label}"
        between = f"{second} {other_high} and {second} {other_low}"
        differs = f"differs between {between}"
        direction = "higher" if comparison.difference > 0 else "lower"
        claim = f"is {direction} with {second} {other_high} than with {second} {other_low}"
    else:
        subject = f"the interaction {effect.name} in {effect.metric.label}"
        between, differs = "all levels", "is not zero"
        claim = "is above zero" if comparison.difference > 0 else "is below zero"
    if comparison.seeds == 1 or _has_one_seed_a_fold(comparison):
        (text,) = differences([comparison.difference], effect.metric.unit)
        return (
            f"Undecided {where} whether {subject} {differs}: one seed cannot tell; "
            f"this one says {with_unit(text, effect.metric.unit)}."
        )
    factors = len(effect.factors)
    numbers = numbers_text(comparison, effect.metric, "effect", factors).removeprefix(f"{effect.metric.label} ")
    if comparison.verdict in (Verdict.BETTER, Verdict.WORSE):
        return f"{capitalized(subject)} {claim} {where}: {numbers}."
    if comparison.verdict is Verdict.EQUIVALENT and comparison.margin is not None:
        margin = magnitude(comparison.margin, effect.metric.unit)
        if len(effect.factors) == 2:
            return (
                f"{capitalized(subject)} is equivalent {where} for {between} within the margin of {margin}: {numbers}."
            )
        return f"{capitalized(subject)} is equivalent to none {where} within the margin of {margin}: {numbers}."
    compatible = compatible_text(comparison, effect.metric, factors)
    return f"Undecided {where} whether {subject} {differs}: {numbers}. {compatible}"


def _joined(
    first: str, missing: Sequence[Missing], comparison: Comparison | None = None, metric: Metric | None = None
) -> str:
    """The sentence and whatever a reader must know beside it."""
    parts = [first]
    if comparison is not None and metric is not None:
        parts.extend(remarks_on(comparison, metric))
    for item in missing:
        unit, single = capitalized(item.unit), len(item.seeds) == 1
        noun, verb = (unit, "is") if single else (f"{unit}s" if item.unit == "seed" else unit, "are")
        parts.append(f"{noun} {listed(item.seeds)} of {item.arm} {verb} missing.")
    return " ".join(parts)
