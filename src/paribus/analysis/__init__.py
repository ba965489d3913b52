"""Statistics as pure functions of arrays: NumPy and SciPy only, no store, no study, no network.

The methods, with formulas and sources, are in ``docs/statistics.md``.
"""

from paribus.analysis.calibration import Calibration
from paribus.analysis.comparison import Comparison, Components, Look, Scope, SignFlip, Superiority, Verdict
from paribus.analysis.confusion import Confusion
from paribus.analysis.contrasts import Contrast
from paribus.analysis.estimates import Estimate
from paribus.analysis.examples import Difficulty, Flips
from paribus.analysis.factorial import Effect
from paribus.analysis.metrics import METRICS, Metric, Unit, metric_named
from paribus.analysis.noise import NoiseShares, VarianceShare
from paribus.analysis.pairing import Missing, SeedScores
from paribus.analysis.planning import Detectable, Plan

__all__ = [
    "METRICS",
    "Calibration",
    "Comparison",
    "Components",
    "Confusion",
    "Contrast",
    "Detectable",
    "Difficulty",
    "Effect",
    "Estimate",
    "Flips",
    "Look",
    "Metric",
    "Missing",
    "NoiseShares",
    "Plan",
    "Scope",
    "SeedScores",
    "SignFlip",
    "Superiority",
    "Unit",
    "VarianceShare",
    "Verdict",
    "metric_named",
]
