"""Where the noise comes from: shares of the variance per stream of randomness, and the test sample's share."""

from __future__ import annotations

from dataclasses import dataclass


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
