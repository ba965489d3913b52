"""Where the noise comes from: shares of the variance per stream of randomness, and the test sample's share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt
from statistics import fmean

from numpy.typing import ArrayLike
from scipy import special

from paribus.analysis.scores import checked_scores
from paribus.analysis.variance import Decomposition, decompose
from paribus.errors import UsageError

TEST_SAMPLE = "test sample"


@dataclass(frozen=True, slots=True)
class VarianceShare:
    """One source's part of the variance of a single run's score.

    Attributes:
        source: ``init``, ``order``, ``dropout`` (a stream of randomness) or ``test sample``.
        variance: its variance in squared score units; never below 0.
        share: its part of the sum over all sources, in [0, 1]; None where that sum is 0.
        negative: True where the unbiased estimate was negative and is reported as 0.
        runs: runs in which this stream varied (for the test sample: all different runs).
        observed_sd: standard deviation of the runs' scores as seen on this test set while this stream varied, the
            finite test's noise included; None for the test sample.
        low: lower limit of a stream's variance, 0 where the estimate may be chance alone; None for the test sample.
        high: upper limit of a stream's variance; None for the test sample.
    """

    source: str
    variance: float
    share: float | None
    negative: bool
    runs: int
    observed_sd: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class NoiseShares:
    """All sources of one arm's noise.

    Attributes:
        shares: one for each stream that was varied, then the test sample's.
        total: sum of the sources' variances.
        examples: size of the test set.
    """

    shares: tuple[VarianceShare, ...]
    total: float
    examples: int


def noise_shares(
    streams: Mapping[str, ArrayLike], *, distinct_runs: int | None = None, level: float = 0.95
) -> NoiseShares:
    """Split the variance of a single run's score into the streams of randomness and the test sample.

    Of each stream's runs, D[r, i] = mean + run_r + example_i + rest_ri as in :class:`paribus.analysis.Components`. The
    stream's own variance is var_run, what would be left on an endless test set; run-to-run differences on a finite one
    are mostly noise of the test sample (Jordan 2023, arXiv 2304.01910), so what falls with 1 / N is the test sample's:
    (var_example + var_rest) / N of a single run, averaged over the streams. It is the same quantity in each of them,
    the variance of one run's answers over the examples: at most 0.25 / N for scores of 0 and 1. The estimates are
    unbiased; negative ones are reported as 0 and flagged, so that the reported share of a small source is too large on
    average: its interval says how far to trust it (``docs/decisions/0053-noise-shares-again.md``). Streams were varied
    one at a time around held ones, so a stream's part includes its interactions with the others at the seeds that were
    held.

    Args:
        streams: for each stream's name (``init``, ``order``, ``dropout``) the scores of runs in which it alone varied,
            shape ``(runs, examples)``, the same examples everywhere.
        distinct_runs: number of different runs among all streams, as the run at the held seeds is one of each stream's;
            None counts all rows.
        level: level of the intervals of the streams' variances.

    Returns:
        One share for each stream, then the test sample's.

    Raises:
        UsageError: no stream, fewer than 2 runs or examples, different numbers of examples, or bad scores.
    """
    if not streams:
        raise UsageError("no stream was varied: pass the scores of runs that differ in init, order or dropout alone")
    arrays = {name: checked_scores(values, f"scores of {name}") for name, values in streams.items()}
    sizes = {array.shape[1] for array in arrays.values()}
    if len(sizes) > 1:
        raise UsageError(f"streams were scored on {sorted(sizes)} examples: all runs need the same test set")
    (examples,) = sizes
    for name, array in arrays.items():
        if len(array) < 2 or examples < 2:
            raise UsageError(f"scores of {name} have shape {array.shape}: at least 2 runs and 2 examples are needed")
    parts = {name: decompose(((1.0, array),)) for name, array in arrays.items()}
    own = {name: (part.ms_seed - part.ms_rest) / examples for name, part in parts.items()}
    sample = fmean((part.ms_example - part.ms_rest) / part.seeds + part.ms_rest for part in parts.values()) / examples
    total = sum(max(value, 0.0) for value in (*own.values(), sample))
    shares = [
        replace(
            _share(name, own[name], total, part.seeds, sqrt(part.ms_seed / examples)),
            low=_limit(part, (1 - level) / 2),
            high=_limit(part, (1 + level) / 2),
        )
        for name, part in parts.items()
    ]
    runs = sum(part.seeds for part in parts.values()) if distinct_runs is None else distinct_runs
    return NoiseShares((*shares, _share(TEST_SAMPLE, sample, total, runs, None)), total, examples)


def _share(source: str, estimate: float, total: float, runs: int, observed_sd: float | None) -> VarianceShare:
    variance = max(estimate, 0.0)
    return VarianceShare(source, variance, variance / total if total else None, estimate < 0, runs, observed_sd)


def _limit(part: Decomposition, chance: float) -> float:
    """A limit of a stream's variance: the chi-square limit of ms_seed less ms_rest, which is known far better."""
    freedom = part.seeds - 1
    mean_square = part.ms_seed * freedom / float(2 * special.gammainccinv(freedom / 2, chance))
    return max(mean_square - part.ms_rest, 0.0) / part.examples
