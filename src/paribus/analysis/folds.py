"""Cross-validation: every example is a test example once in each repetition, and belongs to one fold there.

Two claims can be made of runs over folds (``docs/decisions/0115-two-scopes-of-cross-validation.md``). Both take the
differences as a matrix with a row for each pass over the folds, so that a row has every example once.

"New data, new training sets": the corrected resampled t interval. With the J = K R differences d of the folds (means
over the seeds of a fold) and their variance s**2,

    mean(d) +- t(J - 1) sqrt((1 / J + n_test / n_train) s**2)

(Nadeau and Bengio 2003; n_test / n_train is 1 / (K - 1) on average over the folds of a partition).

"These training sets": two-way random effects within the folds, as of seeds and examples of one test set. With n
examples and S seeds in each of K folds, A = MS_seed / (S n) with K (S - 1) degrees of freedom and
B = max(0, MS_example - MS_rest) / (S n) with n - K (of the examples as in Bayle, Bayle, Janson and Mackey 2020).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paribus.analysis.comparison import Scope
from paribus.analysis.critical import TwoPartVariance
from paribus.analysis.disagreements import Disagreements, sum_disagreements
from paribus.analysis.variance import effective_number, rounding_of
from paribus.analysis.zero_one import Term, is_zero_one
from paribus.errors import UsageError


@dataclass(frozen=True, slots=True, eq=False)
class FoldRows:
    """The folds of the rows of a score matrix.

    Attributes:
        codes: for each row the fold of each column, shape ``(rows, columns)``; every fold has a column in every row.
        repeats: for each row the repetition that it belongs to, shape ``(rows,)``.
        folds: the number of folds, K.
    """

    codes: NDArray[np.intp]
    repeats: NDArray[np.intp]
    folds: int

    def means(self, terms: Sequence[Term]) -> NDArray[np.float64]:
        """The mean of a weighted sum of score arrays in each fold of each row, shape ``(rows, folds)``."""
        means = np.empty((len(self.codes), self.folds))
        for row, codes in enumerate(self.codes):
            values = sum_of_terms(terms, row)
            means[row] = np.bincount(codes, weights=values, minlength=self.folds) / self.sizes(row)
        return means

    def sizes(self, row: int) -> NDArray[np.intp]:
        """The number of columns of each fold in a row."""
        return np.bincount(self.codes[row], minlength=self.folds)


@dataclass(frozen=True, slots=True, eq=False)
class FoldLayout:
    """How the examples of a study are divided into folds.

    Attributes:
        codes: for each repetition the fold of each example, shape ``(repeats, examples)``.
        folds: the number of folds, K.
    """

    codes: NDArray[np.intp]
    folds: int

    @property
    def repeats(self) -> int:
        """The number of repetitions, R."""
        return len(self.codes)

    @property
    def examples(self) -> int:
        """The number of examples, n."""
        return int(self.codes.shape[1])

    def of_rows(self, passes: Sequence[int], columns: int) -> FoldRows:
        """The folds of the rows of a score matrix.

        Args:
            passes: the number of the pass that each row is: ``pass % repeats`` is its repetition.
            columns: the number of columns: one for each example, or one for each fold where a run has one value.
        """
        repeats = np.asarray(passes, np.intp) % self.repeats
        if columns == self.folds and columns != self.examples:
            return FoldRows(np.tile(np.arange(self.folds), (len(repeats), 1)), repeats, self.folds)
        return FoldRows(self.codes[repeats], repeats, self.folds)


def make_layout(codes: ArrayLike, folds: int) -> FoldLayout:
    """A layout that is checked.

    Args:
        codes: for each repetition the fold of each example, shape ``(repeats, examples)``, whole numbers from 0.
        folds: the number of folds.

    Raises:
        UsageError: fewer than 2 folds, or a fold that has no example in some repetition.
    """
    array = np.asarray(codes, np.intp)
    if folds < 2:
        raise UsageError(f"{folds} folds: cross-validation has 2 folds or more, such as 5")
    for repeat, row in enumerate(array):
        empty = np.flatnonzero(np.bincount(row, minlength=folds)[:folds] == 0)
        if empty.size or row.max() >= folds:
            raise UsageError(f"repetition {repeat}: fold {empty[0] if empty.size else row.max()} of {folds} is empty")
    return FoldLayout(array, folds)


@dataclass(frozen=True, slots=True, eq=False)
class FoldParts:
    """What a claim about folds rests on.

    Attributes:
        mean: the estimated difference: the mean over the folds for new training sets, over the examples for these.
        variance: its estimated variance, in its two parts.
        floored: whether the scores showed no spread and their resolution takes its place.
        run_means: the mean of each run, shape ``(rows, folds)``.
        differences: the mean of each fold over its seeds, by repetition and then by fold.
        repeats: the number of repetitions, R.
        rounds: the number of seeds in each fold, S.
        disagreements: for scores of 0 and 1, the examples that tell the arms apart.
        effective_examples: see ``paribus.analysis.variance.Decomposition``; None for metrics with one value a run.
    """

    mean: float
    variance: TwoPartVariance
    floored: bool
    run_means: NDArray[np.float64]
    differences: NDArray[np.float64]
    repeats: int
    rounds: int
    disagreements: Disagreements | None
    effective_examples: float | None


def corrected_variance(differences: ArrayLike, ratio: float) -> float:
    """The corrected variance of the mean of differences over resampled training sets (Nadeau and Bengio 2003).

    Args:
        differences: one for each training set, shape ``(J,)`` with J of 2 or more.
        ratio: test examples for each training example: 1 / (K - 1) for K folds.

    Returns:
        (1 / J + ratio) s**2, s**2 the variance of the differences.
    """
    values = np.asarray(differences, np.float64)
    return float((1 / len(values) + ratio) * np.var(values, ddof=1))


def fold_parts(terms: Sequence[Term], rows: FoldRows, scope: Scope) -> FoldParts:
    """Estimate a weighted sum of score arrays over folds, and the variance of the estimate.

    Args:
        terms: weights and score arrays of shape ``(passes, columns)``.
        rows: the folds of the columns, row by row.
        scope: one of the two scopes of folds.

    Returns:
        The estimate, its variance, and what they rest on.

    Raises:
        UsageError: another scope; or "these training sets" with several repetitions or one seed in each fold.
    """
    repeats, examples = np.unique(rows.repeats), rows.codes.shape[1]
    check_fold_scope(scope, repeats=len(repeats), rounds=len(rows.repeats))
    run_means = rows.means(terms)
    by_fold = np.array([run_means[rows.repeats == repeat].mean(axis=0) for repeat in repeats])
    once_per_run = examples == rows.folds
    disagreements = None
    if not once_per_run and all(is_zero_one(values) for _, values in terms):
        disagreements = _disagreements(terms)
    if scope is Scope.NEW_TRAINING_SETS:
        mean, variance, floored = _new_training_sets(terms, rows, by_fold.reshape(-1), disagreements)
    else:
        mean, variance, floored = _these_training_sets(terms, rows, run_means, disagreements)
    return FoldParts(
        mean=mean,
        variance=variance,
        floored=floored,
        run_means=run_means,
        differences=by_fold.reshape(-1),
        repeats=len(repeats),
        rounds=len(rows.repeats) // len(repeats),
        disagreements=disagreements,
        effective_examples=None if once_per_run else effective_number(_effects(terms)),
    )


def check_fold_scope(scope: Scope, *, repeats: int, rounds: int) -> None:
    """Check that runs over folds can answer in a scope.

    Args:
        scope: the scope.
        repeats: the number of repetitions.
        rounds: the number of passes over the folds.

    Raises:
        UsageError: they cannot; the message says why.
    """
    if not scope.is_of_folds:
        raise UsageError(
            f'scope "{scope}": with folds every example is a test example, so claims are about '
            f'"{Scope.NEW_TRAINING_SETS}" or "{Scope.THESE_TRAINING_SETS}"; choose one of them'
        )
    if scope is Scope.THESE_TRAINING_SETS and repeats > 1:
        raise UsageError(
            f'scope "{scope}" with {repeats} repetitions: it is about one partition; leave `repeats` out and give more '
            f'`seeds`, or choose "{Scope.NEW_TRAINING_SETS}"'
        )
    if scope is Scope.THESE_TRAINING_SETS and rounds < 2:
        raise UsageError(
            f'scope "{scope}" with 1 seed in each fold: how far seeds move the scores is unknown; give 2 `seeds` or '
            f'more, or choose "{Scope.NEW_TRAINING_SETS}"'
        )


def sum_of_terms(terms: Sequence[Term], row: int) -> NDArray[np.float64]:
    """One row of a weighted sum of score arrays."""
    return np.asarray(sum(weight * values[row].astype(np.float64) for weight, values in terms), np.float64)


def _new_training_sets(
    terms: Sequence[Term], rows: FoldRows, differences: NDArray[np.float64], disagreements: Disagreements | None
) -> tuple[float, TwoPartVariance, bool]:
    """Mean over the folds, its corrected variance, and whether that rests on the scores' resolution."""
    count, ratio = len(differences), 1 / (rows.folds - 1)
    unit = _unit(terms, disagreements)
    if disagreements is None:
        lowest = unit**2
    else:
        # One seed of one fold with one more right answer (decision record 0013).
        seeds = len(rows.repeats) * rows.folds / count
        lowest = (unit * rows.folds / rows.codes.shape[1] / seeds) ** 2 / count
    spread = corrected_variance(differences, ratio)
    lowest *= 1 / count + ratio
    variance = TwoPartVariance(max(spread, lowest), count - 1, least=disagreements)
    return float(differences.mean()), variance, spread < lowest


def _these_training_sets(
    terms: Sequence[Term], rows: FoldRows, run_means: NDArray[np.float64], disagreements: Disagreements | None
) -> tuple[float, TwoPartVariance, bool]:
    """Mean over all examples, its variance within the folds, and whether that rests on the scores' resolution."""
    seeds, examples, codes = len(run_means), rows.codes.shape[1], rows.codes[0]
    sizes = rows.sizes(0).astype(np.float64)
    shares, fold_means = sizes / examples, run_means.mean(axis=0)
    # Folds weigh as many examples as they have. Of folds of equal size this is MS_seed / (S n).
    seed_part = float(shares**2 @ run_means.var(axis=0, ddof=1)) / seeds
    seed_freedom = (seeds - 1) * float((sizes**2).sum() ** 2 / (sizes**4).sum())
    effects = _example_means(terms) - fold_means[codes]
    ss_rest = 0.0
    for row in range(seeds):
        rest = sum_of_terms(terms, row) - run_means[row][codes] - effects
        ss_rest += float(rest @ rest)
    freedom, cells = examples - rows.folds, seeds * examples
    ms_example, ms_rest = seeds * float(effects @ effects) / freedom, ss_rest / ((seeds - 1) * freedom)
    # Scores without spread: as of one test set (paribus.analysis.compare.variance_of_mean).
    unit = _unit(terms, disagreements)
    step = unit if disagreements is None else unit / examples
    lowest = step**2 if disagreements is None else (step / seeds) ** 2
    negligible = 4 * cells * seeds * step**2 if disagreements is None else unit**2 / 4
    floored, example_part = seed_part < lowest, max(ms_example - ms_rest, 0.0) / cells
    if ms_example * cells < negligible:
        example_part, floored = 2 * step**2, True
    variance = TwoPartVariance(max(seed_part, lowest), seed_freedom, example_part, freedom, disagreements)
    return float(shares @ fold_means), variance, floored


def _unit(terms: Sequence[Term], disagreements: Disagreements | None) -> float:
    """The smallest step of one entry of the weighted sum: of answers the smallest weight, else the rounding error."""
    return rounding_of(terms) if disagreements is None else min(abs(weight) for weight, _ in terms)


def _example_means(terms: Sequence[Term]) -> NDArray[np.float64]:
    means = np.zeros(terms[0][1].shape[1])
    for row in range(len(terms[0][1])):
        means += sum_of_terms(terms, row)
    return means / len(terms[0][1])


def _effects(terms: Sequence[Term]) -> NDArray[np.float64]:
    means = _example_means(terms)
    return np.asarray(means - means.mean())


def _disagreements(terms: Sequence[Term]) -> Disagreements:
    """The examples that tell the arms apart, over all passes."""
    passes, examples = terms[0][1].shape
    sums, squares = np.zeros(examples), np.zeros(examples)
    for row in range(passes):
        differences = sum_of_terms(terms, row)
        sums += differences
        squares += differences**2
    return sum_disagreements(sums, squares, passes, [weight for weight, _ in terms])
