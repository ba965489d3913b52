"""Mean, row means and two-way mean squares of a weighted sum of score arrays, in little memory.

A contrast is a weighted sum of arms' scores (A - B: weights 1 and -1). Score arrays stay as they are (bool, uint8,
float32 ...); the sum is formed in float64 a few rows at a time, so 1,000 runs of 10,000 examples need megabytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.disagreements import Disagreements, sum_disagreements
from paribus.analysis.groups import Groups
from paribus.analysis.zero_one import Term, answers_of

_CHUNK = 1 << 19
"""Entries of the float64 buffer: 4 MiB, small enough for a core's cache to be of use."""


@dataclass(frozen=True, slots=True, eq=False)
class Decomposition:
    """Two-way analysis of variance of D = sum of weight * scores.

    Attributes:
        mean: mean over all seeds and examples.
        seed_means: mean of each seed, shape ``(seeds,)``.
        seeds: S.
        examples: N.
        ms_seed: N / (S - 1) * sum of squared deviations of the seeds' means; 0 if S = 1.
        ms_example: S / (N - 1) * sum of squared deviations of the examples' means; 0 if N = 1.
        ms_rest: residual mean square with (S - 1)(N - 1) degrees of freedom; 0 if S = 1 or N = 1.
        step: the smallest step that one entry of D can take: for scores that are all 0 or 1 the smallest weight, else
            the rounding error of the scores. A spread below the effect of one such step counts as none.
        discrete: True where all scores are 0 or 1, example by example, or a run's own number minus that.
        disagreements: for such scores of two seeds or more, the examples that tell the arms apart.
        effective_examples: (sum of e**2)**2 / sum of e**4 over the examples' effects e, which is about N / 3 for normal
            effects and near 1 where one example outweighs all others; N where no example differs from another.
        example_freedom: degrees of freedom of the examples' part of the variance: N - 1, or that of their groups.
        unseen: how many examples one further, unseen difference may come with: 1, or the typical size of a group.

    With groups of examples, ``ms_example`` and ``ms_rest`` are S N times the clustered variances of the mean that they
    stand for (:mod:`paribus.analysis.groups`); where every group is one example they are the usual ones.
    """

    mean: float
    seed_means: NDArray[np.float64]
    seeds: int
    examples: int
    ms_seed: float
    ms_example: float
    ms_rest: float
    step: float
    discrete: bool
    disagreements: Disagreements | None
    effective_examples: float
    example_freedom: float
    unseen: float = 1.0


def decompose(
    terms: Sequence[Term], *, offset_by_run: bool = False, groups: Groups | None = None, one_seed: bool = False
) -> Decomposition:
    """Decompose the weighted sum of score arrays of equal shape ``(seeds, examples)``, all finite.

    Two passes: the means first, then the squared residuals themselves, so that no large numbers are subtracted.

    Args:
        terms: weights and score arrays.
        offset_by_run: whether the scores are a run's own number minus 0 or 1, as those of the generalization gap.
        groups: the groups that examples belong to; None where they are independent.
        one_seed: whether one seed is judged by itself, so that its disagreeing examples count.

    Returns:
        Means and mean squares.
    """
    seeds, examples = terms[0][1].shape
    seed_means = np.empty(seeds)
    example_sums = np.zeros(examples)
    for rows, chunk in _chunks(terms):
        seed_means[rows] = chunk.mean(axis=1)
        example_sums += chunk.sum(axis=0)
    example_means = example_sums / seeds
    mean = float(seed_means.mean())
    example_effects = example_means - mean
    ss_rest = rest_variance = 0.0
    if seeds > 1 and examples > 1:
        for rows, chunk in _chunks(terms):
            chunk -= seed_means[rows, None]
            chunk -= example_effects
            if groups is None:
                ss_rest += float(np.vdot(chunk, chunk))
            else:
                rest_variance += groups.variance(groups.sums(chunk)) / (seeds * (seeds - 1))
    ms_example = seeds * float(example_effects @ example_effects) / (examples - 1) if examples > 1 else 0.0
    ms_rest = ss_rest / ((seeds - 1) * (examples - 1)) if seeds > 1 and examples > 1 else 0.0
    if groups is not None:
        ms_example = seeds * examples * groups.variance(groups.sums(example_effects))
        ms_rest = seeds * examples * rest_variance
    seed_effects = seed_means - mean
    answers = answers_of(terms, offset_by_run=offset_by_run)
    discrete = answers is not None
    step = min(abs(weight) for weight, _ in terms) if discrete else rounding_of(terms)
    return Decomposition(
        mean=mean,
        seed_means=seed_means,
        seeds=seeds,
        examples=examples,
        ms_seed=examples * float(seed_effects @ seed_effects) / (seeds - 1) if seeds > 1 else 0.0,
        ms_example=ms_example,
        ms_rest=ms_rest,
        step=step,
        discrete=discrete,
        disagreements=_disagreements(answers, groups) if answers is not None and (seeds > 1 or one_seed) else None,
        effective_examples=effective_number(example_effects if groups is None else groups.sums(example_effects)),
        example_freedom=examples - 1 if groups is None else groups.freedom,
        unseen=1.0 if groups is None else groups.typical_size,
    )


def _disagreements(answers: Sequence[Term], groups: Groups | None) -> Disagreements:
    seeds, examples = answers[0][1].shape
    count = examples if groups is None else groups.count
    sums, squares, differs = np.zeros(count), np.zeros(count), np.zeros(examples, bool)
    for _, chunk in _chunks(answers):
        values = chunk
        if groups is not None:
            differs |= chunk.any(axis=0)
            values = groups.sums(chunk)
        sums += values.sum(axis=0)
        np.square(values, out=values)
        squares += values.sum(axis=0)
    weights = [weight for weight, _ in answers]
    differing = None if groups is None else int(np.count_nonzero(differs))
    return sum_disagreements(sums, squares, seeds, weights, differing=differing, groups=groups)


def effective_number(effects: NDArray[np.float64]) -> float:
    """How many examples the variance of the mean rests on: see :attr:`Decomposition.effective_examples`.

    Args:
        effects: the deviation of each example's mean from the grand mean, shape ``(examples,)``.
    """
    largest = float(np.abs(effects).max())
    if largest == 0:
        return float(len(effects))
    scaled = (effects / largest) ** 2
    return float(scaled.sum()) ** 2 / float(scaled @ scaled)


def _chunks(terms: Sequence[Term]) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield (rows, their weighted sum in float64); the caller may write into what it gets."""
    seeds, examples = terms[0][1].shape
    height = max(1, _CHUNK // examples)
    for start in range(0, seeds, height):
        rows = slice(start, min(start + height, seeds))
        total = np.zeros((rows.stop - rows.start, examples))
        for weight, values in terms:
            part = values[rows].astype(np.float64)
            part *= weight
            total += part
        yield rows, total


def rounding_of(terms: Sequence[Term]) -> float:
    """Rounding error of one entry of the weighted sum."""
    total = 0.0
    for weight, values in terms:
        epsilon = float(np.finfo(np.result_type(values.dtype, np.float16)).eps)
        total += abs(weight) * epsilon * max(float(values.max()), -float(values.min()))
    return total
