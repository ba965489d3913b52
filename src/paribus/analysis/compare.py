"""Comparing two arms, or any weighted sum of arms, over seeds and examples."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from numpy.typing import ArrayLike

from paribus.analysis.comparison import Comparison, Scope, Verdict
from paribus.analysis.components import Components
from paribus.analysis.critical import TwoPartVariance, above_p, below_p, half_width, two_sided_p
from paribus.analysis.disagreements import Side
from paribus.analysis.groups import Groups
from paribus.analysis.scores import checked_scores
from paribus.analysis.signs import sign_flip, superiority
from paribus.analysis.strictness import Strictness
from paribus.analysis.variance import Decomposition, decompose
from paribus.analysis.zero_one import Term, is_zero_one
from paribus.errors import UsageError

DEFAULT_MARGIN = 0.001
"""Differences in accuracy below this count as equivalent unless a margin is declared: 0.1 points."""


def compare_scores(
    a: ArrayLike,
    b: ArrayLike,
    margin: float | None = None,
    level: float = 0.95,
    scope: str = "new data",
) -> Comparison:
    """Compare arm A with arm B from per-example scores, paired by seed (rows) and by example (columns).

    A score is higher where an answer is better: 1 if right and 0 if wrong, or minus the log loss. Nothing may be nan.
    Scope "new data" (seeds and examples vary): two-way random effects, Var = var_seed / S + var_example / N +
    var_rest / (S N), with the critical value of :mod:`paribus.analysis.critical`. Scope "this test set" (only seeds
    vary): paired t test over the seeds' means. Formulas and sources: ``docs/statistics.md``.

    Args:
        a: scores of A, shape ``(seeds, examples)``; row i of both arrays comes from the same seed.
        b: scores of B, same shape.
        margin: differences smaller than this count as equivalent, in the scores' units; declare it before looking.
            None means 0.001 for scores that are all 0 or 1, which is 0.1 points of accuracy, and no margin for others:
            then the verdict is never "equivalent" (``docs/decisions/0052-no-margin-that-nobody-declared.md``).
        level: level of the interval. The verdict "better" or "worse" errs with probability 1 - level at most, and so
            does "equivalent".
        scope: "new data" or "this test set" (also written "on new data", "on this test set").

    Returns:
        The comparison. With one seed there is no interval and the verdict is undecided.

    Raises:
        UsageError: shapes differ or are not two-dimensional, a score is not finite, fewer than 2 examples for claims
            about new data, a level outside (0, 1), a margin that is not positive, or an unknown scope.
    """
    if parsed_scope(scope) not in (Scope.NEW_DATA, Scope.THIS_TEST_SET):
        raise _unknown_scope(scope)
    first, second = checked_scores(a, "a"), checked_scores(b, "b")
    if first.shape != second.shape:
        raise UsageError(
            f"a has shape {first.shape} and b has shape {second.shape}: both need the same seeds and the same examples"
        )
    if margin is None and is_zero_one(first) and is_zero_one(second):
        margin = DEFAULT_MARGIN
    return compare_terms(((1.0, first), (-1.0, second)), margin, Strictness(level), scope)


def compare_terms(
    terms: Sequence[Term],
    margin: float | None,
    strictness: Strictness,
    scope: str,
    *,
    higher_is_better: bool = True,
    offset_by_run: bool = False,
    groups: Groups | None = None,
) -> Comparison:
    """Judge a weighted sum of score arrays against zero; the basis of :func:`compare_scores` and of all contrasts.

    Args:
        terms: weights and checked arrays of equal shape ``(seeds, examples)``.
        margin: differences smaller than this count as equivalent; None for no margin.
        strictness: the promised level, and the family and looks it is shared among.
        scope: as in :func:`compare_scores`.
        higher_is_better: False for losses: then a negative difference is the better one.
        offset_by_run: whether the scores are a run's own number minus 0 or 1, as those of the generalization gap.
        groups: the groups that examples belong to; None where they are independent.

    Returns:
        The comparison; its numbers are those of the weighted sum.

    Raises:
        UsageError: as :func:`compare_scores`; or scope "these trained networks" with several seeds.
    """
    about = parsed_scope(scope)
    limit = checked_margin(margin)
    if about.is_of_folds:
        raise UsageError(f'scope "{about}" is that of cross-validation, and these scores are of one split')
    one_seed = about is Scope.THESE_NETWORKS
    if one_seed and len(terms[0][1]) > 1:
        raise UsageError(f'{len(terms[0][1])} seeds: scope "{about}" is that of one seed an arm')
    if about is not Scope.THIS_TEST_SET and terms[0][1].shape[1] < 2:
        raise UsageError(
            "scores have 1 example: claims about new data need at least 2; "
            'compare values known once per run with scope="this test set"'
        )
    parts = decompose(terms, offset_by_run=offset_by_run, groups=groups, one_seed=one_seed)
    variance, floored = variance_of_mean(parts, about)
    judged = MeanAnswer()
    if parts.seeds > 1:
        judged = judge_mean(parts.mean, variance, limit, strictness, higher_is_better=higher_is_better)
    elif one_seed:
        # There is an interval over the examples, and neither a p value nor a verdict.
        low, high = limits_of_mean(parts.mean, variance, strictness.alpha)
        judged = MeanAnswer(low, high, math.sqrt(float(variance.total)))
    sign = 1.0 if higher_is_better else -1.0
    return Comparison(
        difference=parts.mean,
        **asdict(judged),
        scope=about,
        components=components_of(parts, floored=floored) if parts.seeds > 1 else None,
        level=strictness.level,
        margin=limit,
        seeds=parts.seeds,
        examples=parts.examples,
        seed_differences=tuple(float(value) for value in parts.seed_means),
        contrasts=strictness.contrasts,
        higher_is_better=higher_is_better,
        sign_flip=sign_flip(parts.seed_means),
        superiority=superiority(sign * parts.seed_means, strictness.level),
        look=strictness.look,
        share=strictness.share,
        primary=strictness.primary,
        disagreements=parts.disagreements,
        effective_examples=parts.effective_examples if (parts.seeds > 1 or one_seed) and parts.examples > 1 else None,
        groups=None if groups is None else groups.count,
        example_freedom=None if groups is None else groups.freedom,
    )


@dataclass(frozen=True, slots=True)
class MeanAnswer:
    """What a mean and its variance say against zero: the fields of those names of a ``Comparison``."""

    low: float | None = None
    high: float | None = None
    standard_error: float | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    p_equivalent: float | None = None
    p_equivalent_adjusted: float | None = None
    verdict: Verdict = Verdict.UNDECIDED


def judge_mean(
    mean: float, variance: TwoPartVariance, margin: float | None, strictness: Strictness, *, higher_is_better: bool
) -> MeanAnswer:
    """Judge a mean difference whose variance was estimated: interval, p values and verdict, which always agree.

    Args:
        mean: the estimated difference.
        variance: its estimated variance, in its two parts.
        margin: differences smaller than this count as equivalent; None for no margin.
        strictness: the promised level, and the family and looks it is shared among.
        higher_is_better: False for losses: then a negative difference is the better one.
    """
    low, high = limits_of_mean(mean, variance, strictness.alpha)
    p_value = two_sided_p(mean, variance)
    p_equivalent = p_equivalent_adjusted = None
    if margin is not None:
        p_equivalent = max(above_p(margin + mean, variance), below_p(margin - mean, variance))
        p_equivalent_adjusted = strictness.adjusted_one_sided(p_equivalent)
    verdict = Verdict.UNDECIDED
    if low > 0 or high < 0:
        verdict = Verdict.BETTER if (low > 0) == higher_is_better else Verdict.WORSE
    elif p_equivalent_adjusted is not None and p_equivalent_adjusted <= 1 - strictness.level:
        verdict = Verdict.EQUIVALENT
    return MeanAnswer(
        low,
        high,
        math.sqrt(float(variance.total)),
        p_value,
        strictness.adjusted(p_value),
        p_equivalent,
        p_equivalent_adjusted,
        verdict,
    )


def limits_of_mean(mean: float, variance: TwoPartVariance, alpha: float) -> tuple[float, float]:
    """The interval with error ``alpha`` around a mean.

    Returns:
        The lower and the upper limit.
    """
    below, above = (float(half_width(variance, alpha, side)) for side in (Side.LOWER, Side.UPPER))
    return mean - below, mean + above


def checked_margin(margin: float | None) -> float | None:
    """A margin that is a positive number, or None.

    Raises:
        UsageError: it is not.
    """
    limit = None if margin is None else float(margin)
    if limit is not None and not (limit > 0 and math.isfinite(limit)):
        raise UsageError(f"margin {margin!r}: a margin is a positive number, such as 0.001 for 0.1 points")
    return limit


def parsed_scope(scope: str) -> Scope:
    """The scope of that name, with or without a leading "on".

    Raises:
        UsageError: there is no such scope.
    """
    try:
        return Scope(scope.removeprefix("on "))
    except ValueError:
        raise _unknown_scope(scope) from None


def _unknown_scope(scope: str) -> UsageError:
    return UsageError(f'scope {str(scope)!r}: choose "{Scope.NEW_DATA}" or "{Scope.THIS_TEST_SET}"')


def variance_of_mean(parts: Decomposition, scope: Scope) -> tuple[TwoPartVariance, bool]:
    """The variance of the grand mean in its two parts, and whether it rests on the scores' resolution.

    New data: A = ms_seed / (S N), B = max(0, ms_example - ms_rest) / (S N) (Hillis 2007: the truncated form). This test
    set: A is the variance of the seeds' means over S, and B is 0. These networks: A is 0, and B that of one seed.

    Scores without any spread leave nothing to estimate a variance from. Then A is what the smallest spread that such
    scores can show would make, one seed one step off (decision record 0013); and B is as though 2 of the N examples had
    differed. On new data, scores of 0 and 1 have their disagreeing examples counted as well (decision record 0051). So
    no interval ever has zero width.

    Args:
        parts: the two-way analysis of variance of the differences.
        scope: what the claim is about.
    """
    seeds, examples = parts.seeds, parts.examples
    cells = seeds * examples
    # The smallest step of a seed's mean: one example right or wrong; or else the rounding error of the scores.
    step = parts.step / examples if parts.discrete else parts.step
    lowest = (step / seeds) ** 2 if parts.discrete else step**2
    seed_part = max(parts.ms_seed / cells, lowest)
    floored = seed_part > parts.ms_seed / cells
    if scope is Scope.THIS_TEST_SET:
        return TwoPartVariance(seed_part, seeds - 1), floored
    # With one seed ms_rest is 0: the examples' part is the variance of its differences over N.
    example_part = max(parts.ms_example - parts.ms_rest, 0.0) / cells
    # The least that one differing example makes of this sum of squares is step ** 2: a quarter of it is rounding.
    negligible = parts.step**2 / 4 if parts.discrete else 4 * cells * seeds * step**2
    if parts.ms_example * cells < negligible:
        example_part = 2 * (parts.unseen * step) ** 2
        floored = True
    if scope is Scope.THESE_NETWORKS:
        return TwoPartVariance(0.0, 1, example_part, parts.example_freedom, parts.disagreements), floored
    return TwoPartVariance(seed_part, seeds - 1, example_part, parts.example_freedom, parts.disagreements), floored


def components_of(parts: Decomposition, *, floored: bool) -> Components:
    """The mean squares as public values.

    Args:
        parts: the two-way analysis of variance of the differences.
        floored: whether the interval rests on the scores' resolution.
    """
    return Components(parts.seeds, parts.examples, parts.ms_seed, parts.ms_example, parts.ms_rest, floored)
