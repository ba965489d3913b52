"""Statistics as pure functions of arrays: NumPy and SciPy only, no store, no study, no network.

The methods, with formulas and sources, are in ``docs/statistics.md``::

    >>> import numpy as np, paribus as pb
    >>> generator = np.random.default_rng(0)
    >>> a, b = (generator.random((5, 1000)) < accuracy for accuracy in (0.95, 0.90))
    >>> comparison = pb.analysis.compare_scores(a, b, margin=0.01)
    >>> str(comparison.verdict), comparison.seeds, comparison.examples
    ('better', 5, 1000)
"""

from paribus.analysis.calibration import Calibration, calibrate
from paribus.analysis.compare import DEFAULT_MARGIN, compare_scores
from paribus.analysis.comparison import Comparison, Look, Scope, SignFlip, Superiority, Verdict
from paribus.analysis.components import Components
from paribus.analysis.confusion import Confusion, confuse
from paribus.analysis.contrasts import ContrastScores, JudgedContrast, compare_family
from paribus.analysis.estimates import Estimate, estimate_scores, estimate_values
from paribus.analysis.examples import Difficulty, Flips, difficulty, flips, usual_wrong_answer
from paribus.analysis.factorial import Effect, Factor, factorial_effects
from paribus.analysis.looks import Schedule, plan_looks
from paribus.analysis.margins import smallest_margin
from paribus.analysis.metrics import METRICS, Metric, Unit, metric_named
from paribus.analysis.noise import NoiseShares, VarianceShare, noise_shares
from paribus.analysis.noninferiority import CheckAnswer, NonInferiority, check_not_worse
from paribus.analysis.pairing import Aligned, Missing, SeedScores, align
from paribus.analysis.planning import Detectable, SeedPlan, plan_seeds
from paribus.analysis.power import TrueNoise
from paribus.analysis.scores import gap_scores, log_loss, right
from paribus.analysis.sentences import check_sentence, comparison_sentence, contrast_sentence, effect_sentence
from paribus.analysis.shares import PRIMARY_SHARE, error_shares, holm, weighted_holm
from paribus.analysis.stopping import Stops, simulate_stops

__all__ = [
    "DEFAULT_MARGIN",
    "METRICS",
    "PRIMARY_SHARE",
    "Aligned",
    "Calibration",
    "CheckAnswer",
    "Comparison",
    "Components",
    "Confusion",
    "ContrastScores",
    "Detectable",
    "Difficulty",
    "Effect",
    "Estimate",
    "Factor",
    "Flips",
    "JudgedContrast",
    "Look",
    "Metric",
    "Missing",
    "NoiseShares",
    "NonInferiority",
    "Schedule",
    "Scope",
    "SeedPlan",
    "SeedScores",
    "SignFlip",
    "Stops",
    "Superiority",
    "TrueNoise",
    "Unit",
    "VarianceShare",
    "Verdict",
    "align",
    "calibrate",
    "check_not_worse",
    "check_sentence",
    "compare_family",
    "compare_scores",
    "comparison_sentence",
    "confuse",
    "contrast_sentence",
    "difficulty",
    "effect_sentence",
    "error_shares",
    "estimate_scores",
    "estimate_values",
    "factorial_effects",
    "flips",
    "gap_scores",
    "holm",
    "log_loss",
    "metric_named",
    "noise_shares",
    "plan_looks",
    "plan_seeds",
    "right",
    "simulate_stops",
    "smallest_margin",
    "usual_wrong_answer",
    "weighted_holm",
]
