"""Judging a weighted sum of arms over folds: what :mod:`paribus.analysis.compare` does over seeds of one split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from paribus.analysis.compare import MeanAnswer, checked_margin, judge_mean
from paribus.analysis.comparison import Comparison, FoldedRuns, Scope
from paribus.analysis.folds import FoldRows, fold_parts
from paribus.analysis.strictness import Strictness
from paribus.analysis.zero_one import Term


def compare_folds(
    terms: Sequence[Term],
    rows: FoldRows,
    margin: float | None,
    strictness: Strictness,
    scope: Scope,
    *,
    higher_is_better: bool = True,
) -> Comparison:
    """Judge a weighted sum of score arrays over folds against zero.

    Args:
        terms: weights and checked arrays of shape ``(passes, columns)``.
        rows: the folds of the columns, row by row.
        margin: differences smaller than this count as equivalent; None for no margin.
        strictness: the promised level, and the family it is shared among.
        scope: one of the two scopes of folds. A metric with one value a run is judged for new training sets, whatever
            is asked for, and its comparison says so.
        higher_is_better: False for losses: then a negative difference is the better one.

    Returns:
        The comparison, with its folds in ``folded``.

    Raises:
        UsageError: a bad margin; or runs that cannot answer in this scope.
    """
    limit = checked_margin(margin)
    about = Scope.NEW_TRAINING_SETS if rows.codes.shape[1] == rows.folds else scope
    if about is Scope.THESE_TRAINING_SETS and len(rows.repeats) == 1:
        return _undecided(terms, rows, limit, strictness, higher_is_better=higher_is_better)
    parts = fold_parts(terms, rows, about)
    judged = judge_mean(parts.mean, parts.variance, limit, strictness, higher_is_better=higher_is_better)
    return Comparison(
        difference=parts.mean,
        **asdict(judged),
        scope=about,
        components=None,
        level=strictness.level,
        margin=limit,
        seeds=parts.run_means.size,
        examples=rows.codes.shape[1],
        seed_differences=tuple(float(value) for value in parts.run_means.reshape(-1)),
        contrasts=strictness.contrasts,
        higher_is_better=higher_is_better,
        share=strictness.share,
        primary=strictness.primary,
        disagreements=parts.disagreements,
        effective_examples=parts.effective_examples,
        folded=FoldedRuns(
            rows.folds, parts.repeats, parts.rounds, tuple(float(value) for value in parts.differences), parts.floored
        ),
    )


def _undecided(
    terms: Sequence[Term], rows: FoldRows, margin: float | None, strictness: Strictness, *, higher_is_better: bool
) -> Comparison:
    """What one seed in each fold says of these training sets: a difference, and not how far seeds move it."""
    means = rows.means(terms)[0]
    return Comparison(
        difference=float(rows.sizes(0) @ means) / rows.codes.shape[1],
        **asdict(MeanAnswer()),
        scope=Scope.THESE_TRAINING_SETS,
        components=None,
        level=strictness.level,
        margin=margin,
        seeds=rows.folds,
        examples=rows.codes.shape[1],
        seed_differences=tuple(float(value) for value in means),
        contrasts=strictness.contrasts,
        higher_is_better=higher_is_better,
        share=strictness.share,
        primary=strictness.primary,
        folded=FoldedRuns(rows.folds, 1, 1, tuple(float(value) for value in means)),
    )
