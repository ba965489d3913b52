"""Parts of sentences and captions: what an interval is called, the numbers of a comparison, what a reader must know."""

from __future__ import annotations

from collections.abc import Iterator

from paribus.analysis.comparison import Comparison, Look, Scope, Verdict
from paribus.analysis.metrics import Metric
from paribus.analysis.possible import print_limits
from paribus.analysis.shares import divisor_of
from paribus.analysis.wording import (
    confidence,
    counted,
    differences,
    magnitude,
    p_text,
    percent,
    with_unit,
    without_unit,
)


def scope_text(scope: Scope, metric: Metric) -> str:
    """``on new data``, ``on this test set``, or ``on this training set`` for metrics of the training split."""
    if scope is Scope.THESE_NETWORKS:
        return "of these trained networks on new data"
    if scope is Scope.NEW_TRAINING_SETS:
        return "on new data and new training sets"
    if scope is Scope.THESE_TRAINING_SETS:
        return "on new data with these training sets"
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
    return f"{share_title(comparison, noun)}, {confidence(comparison.interval_level)} CI ({share_text(comparison)})"


def has_own_share(comparison: Comparison) -> bool:
    """Whether its share of the error differs from an even one (decision record 0050)."""
    return divisor_of(comparison.share) != comparison.contrasts


def share_title(comparison: Comparison, noun: str = "contrast") -> str:
    """``primary contrast`` or ``secondary contrast``."""
    return f"{'primary' if comparison.primary else 'secondary'} {noun}"


def share_text(comparison: Comparison) -> str:
    """``0.8 of the 5 % error``."""
    return f"{comparison.share:.3g} of the {percent(1 - comparison.level)} error"


def numbers_text(comparison: Comparison, metric: Metric, noun: str = "contrast", factors: int = 1) -> str:
    """``test accuracy +0.36 points (95 % CI +0.12 to +0.60), p = 0.004, 10 seeds``; the p is the verdict's.

    Raises:
        ValueError: a comparison of one seed, which has no interval.
    """
    equivalent = comparison.verdict is Verdict.EQUIVALENT
    p_value = comparison.p_equivalent_adjusted if equivalent else comparison.p_adjusted
    if comparison.low is None or comparison.high is None or p_value is None:
        raise ValueError("a comparison of two or more seeds has an interval and a p value")
    limits = print_limits(metric, comparison.low, comparison.high, factors)
    difference, low, high = differences([comparison.difference, limits.low, limits.high], metric.unit)
    if has_own_share(comparison):
        name = f"{share_title(comparison, noun)}, {confidence(comparison.interval_level)} CI"
        interval = f"{name} {low} to {high}, {share_text(comparison)}"
    else:
        simultaneous = "simultaneous " if comparison.contrasts > 1 else ""
        interval = f"{simultaneous}{percent(comparison.level)} CI {low} to {high}"
    return (
        f"{metric.label} {with_unit(difference, metric.unit)} ({interval}), "
        f"{_p_words(comparison, p_value, equivalent=equivalent)}, {sample_text(comparison)}"
    )


def sample_text(comparison: Comparison) -> str:
    """``5 seeds``; for cross-validation ``10 runs an arm: 5 folds, repeated 2 times``."""
    folded = comparison.folded
    if folded is None:
        return counted(comparison.seeds, "seed")
    words = counted(folded.folds, "fold")
    if folded.repeats > 1:
        words = f"{words}, repeated {counted(folded.repeats, 'time')}"
    if folded.seeds > 1:
        words = f"{words}, {counted(folded.seeds, 'seed')} in each"
    return f"{comparison.seeds:,} runs an arm: {words}"


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


def compatible_text(comparison: Comparison, metric: Metric, factors: int = 1) -> str:
    """Which true differences the data leave open, against the margin if there is one.

    Raises:
        ValueError: a comparison of one seed, which has no interval.
    """
    if comparison.low is None or comparison.high is None:
        raise ValueError("a comparison of two or more seeds has an interval")
    limits = print_limits(metric, comparison.low, comparison.high, factors)
    if limits.cut == 2:
        return f"No difference is ruled out: {_few(comparison)} too few to bound it."
    low, high = differences([limits.low, limits.high], metric.unit)
    text = f"The data are compatible with {low} to {with_unit(high, metric.unit)}"
    if comparison.margin is None:
        return f"{text}; no margin is declared that would count as equivalent."
    beyond = [name for name, end in (("lower", -comparison.low), ("upper", comparison.high)) if end > comparison.margin]
    ends = {0: "both ends lie close to", 1: f"the {''.join(beyond)} end exceeds", 2: "both ends exceed"}[len(beyond)]
    return f"{text}; {ends} the margin of {without_unit(comparison.margin, metric.unit)}."


def _few(comparison: Comparison) -> str:
    """``2 seeds are``, ``3 runs over 3 folds are``: what there are too few of."""
    if comparison.folded is not None:
        return f"{comparison.seeds:,} runs over {counted(comparison.folded.folds, 'fold')} are"
    return f"{counted(comparison.seeds, 'seed')} {'is' if comparison.seeds == 1 else 'are'}"


def look_text(look: Look) -> str:
    """``Final planned analysis, 8 seeds per arm.`` or ``Interim analysis 1 of 4, 3 of 8 planned seeds per arm.``."""
    if look.number == look.planned:
        return f"Final planned analysis, {counted(look.seeds, 'seed')} per arm."
    return (
        f"Interim analysis {look.number} of {look.planned}, {look.seeds} of {look.seeds_planned} planned seeds per arm."
    )


def remarks_on(comparison: Comparison, metric: Metric) -> Iterator[str]:
    """Further sentences: a difference within the margin, scores without spread, uneven scores, the planned look."""
    decided = comparison.verdict in (Verdict.BETTER, Verdict.WORSE)
    if decided and comparison.within_margin and comparison.margin is not None:
        yield f"The difference is smaller than the margin of {magnitude(comparison.margin, metric.unit)}."
    if comparison.components is not None and comparison.components.floored:
        only_seeds = comparison.components.ms_seed == 0 < comparison.components.ms_example
        where = "Between seeds these" if only_seeds else "These"
        yield f"{where} scores show no spread to judge by; the interval is what their resolution allows."
    if comparison.folded is not None and comparison.folded.floored:
        yield "Between folds these scores show no spread to judge by; the interval is what their resolution allows."
    if comparison.rests_on_few_examples:
        yield (
            f"A few of the {comparison.examples:,} examples make most of this difference, as though there were "
            f"{max(round(comparison.effective_examples or 1.0), 1)}: where {metric.label} is so uneven, intervals miss "
            f"the truth more often than their level says."
        )
    if comparison.look is not None:
        yield look_text(comparison.look)
