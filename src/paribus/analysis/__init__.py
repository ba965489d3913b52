"""Statistics as pure functions of arrays: NumPy and SciPy only, no store, no study, no network.

The methods, with formulas and sources, are in ``docs/statistics.md``.
"""

from paribus.analysis.calibration import Calibration
from paribus.analysis.compare import DEFAULT_MARGIN, compare_scores
from paribus.analysis.comparison import Comparison, Components, Look, Scope, SignFlip, Superiority, Verdict
from paribus.analysis.confusion import Confusion
from paribus.analysis.contrasts import Contrast, Declared, compare_family, holm
from paribus.analysis.estimates import Estimate, estimate_scores, estimate_values
from paribus.analysis.examples import Difficulty, Flips
from paribus.analysis.factorial import Effect, Factor, factorial_effects
from paribus.analysis.looks import Schedule, plan_looks
from paribus.analysis.metrics import METRICS, Metric, Unit, metric_named
from paribus.analysis.noise import NoiseShares, VarianceShare
from paribus.analysis.noninferiority import CheckAnswer, NonInferiority, check_not_worse
from paribus.analysis.pairing import Aligned, Missing, SeedScores, align
from paribus.analysis.planning import Detectable, Plan
from paribus.analysis.scores import gap_scores, log_loss, right

__all__ = [
    "DEFAULT_MARGIN",
    "METRICS",
    "Aligned",
    "Calibration",
    "CheckAnswer",
    "Comparison",
    "Components",
    "Confusion",
    "Contrast",
    "Declared",
    "Detectable",
    "Difficulty",
    "Effect",
    "Estimate",
    "Factor",
    "Flips",
    "Look",
    "Metric",
    "Missing",
    "NoiseShares",
    "NonInferiority",
    "Plan",
    "Schedule",
    "Scope",
    "SeedScores",
    "SignFlip",
    "Superiority",
    "Unit",
    "VarianceShare",
    "Verdict",
    "align",
    "check_not_worse",
    "compare_family",
    "compare_scores",
    "estimate_scores",
    "estimate_values",
    "factorial_effects",
    "gap_scores",
    "holm",
    "log_loss",
    "metric_named",
    "plan_looks",
    "right",
]
