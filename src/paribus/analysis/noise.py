"""Where the noise comes from: shares of the variance per stream of randomness, and the test sample's share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import fmean

from numpy.typing import ArrayLike

from paribus.analysis.scores import checked_scores
from paribus.analysis.variance import decompose
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
        runs: runs in which this stream varied (for the test sample: all runs).
        observed_sd: standard deviation of the runs' scores as seen on this test set while this stream varied, the
            finite test's noise included; None for the test sample.
    """

    source: str
    variance: float
    share: float | None
    negative: bool
    runs: int
    observed_sd: float | None


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


def noise_shares(streams: Mapping[str, ArrayLike]) -> NoiseShares:
    """Split the variance of a single run's score into the streams of randomness and the test sample.

    Of each stream's runs, D[r, i] = mean + run_r + example_i + rest_ri as in :class:`paribus.analysis.Components`. The
    stream's own variance is var_run, what would be left on an endless test set; run-to-run differences on a finite one
    are mostly noise of the test sample (Jordan 2023, arXiv 2304.01910), so what falls with 1 / N is the test sample's:
    var_example / N (averaged over the streams) and var_rest / N of every stream. All estimates are unbiased; negative
    ones are reported as 0 and flagged. Streams were varied one at a time around held ones, so a stream's part includes
    its interactions with the others at the seeds that were held.

    Args:
        streams: for each stream's name (``init``, ``order``, ``dropout``) the scores of runs in which it alone varied,
            shape ``(runs, examples)``, the same examples everywhere.

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
    shared = fmean((part.ms_example - part.ms_rest) / part.seeds for part in parts.values())
    sample = (shared + sum(part.ms_rest for part in parts.values())) / examples
    total = sum(max(value, 0.0) for value in (*own.values(), sample))
    shares = [_share(name, own[name], total, part.seeds, sqrt(part.ms_seed / examples)) for name, part in parts.items()]
    runs = sum(part.seeds for part in parts.values())
    return NoiseShares((*shares, _share(TEST_SAMPLE, sample, total, runs, None)), total, examples)


def _share(source: str, estimate: float, total: float, runs: int, observed_sd: float | None) -> VarianceShare:
    variance = max(estimate, 0.0)
    return VarianceShare(source, variance, variance / total if total else None, estimate < 0, runs, observed_sd)
