"""Scores of 0 and 1, drawn entry by entry and judged by ``compare_scores`` itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from paribus.analysis.compare import compare_scores
from paribus.analysis.comparison import Scope, Verdict


@dataclass(frozen=True, slots=True)
class Exam:
    """Two arms that answer rightly where a normal variable is above zero.

    It is the sum of the arm's skill, the example's ease (shared by both arms), and for each arm what an example, a seed
    and a single answer add to it.

    Attributes:
        skill_a: mean of A's variable; 2.6 gives an accuracy of about 98 %.
        skill_b: mean of B's.
        ease: standard deviation of the examples' ease.
        example: standard deviation of what an example is to one arm.
        seed: standard deviation of what a seed does to all examples.
        rest: standard deviation of what is left.
    """

    skill_a: float
    skill_b: float
    ease: float = 1.0
    example: float = 0.3
    seed: float = 0.05
    rest: float = 0.5


@dataclass(frozen=True, slots=True)
class ExamRates:
    """The results for one exam and size.

    Attributes:
        covered: share of intervals that cover the true difference, by scope. On this test set that is the mean over all
            seeds on the very examples drawn.
        decided: share of "better" or "worse", by scope.
    """

    covered: dict[Scope, float]
    decided: dict[Scope, float]


def zero_one_rates(exam: Exam, seeds: int, examples: int, draws: int, generator: np.random.Generator) -> ExamRates:
    """Draw many studies of two arms with scores of 0 and 1, and judge each in both scopes.

    Args:
        exam: how the arms answer.
        seeds: number of seeds.
        examples: size of the test set.
        draws: number of studies.
        generator: draws them.
    """
    spread = np.sqrt(exam.ease**2 + exam.example**2 + exam.seed**2 + exam.rest**2)
    everywhere = float(stats.norm.cdf(exam.skill_a / spread) - stats.norm.cdf(exam.skill_b / spread))
    by_seed = np.hypot(exam.seed, exam.rest)
    covered, decided = (dict.fromkeys((Scope.NEW_DATA, Scope.THIS_TEST_SET), 0) for _ in range(2))
    for _ in range(draws):
        ease = exam.ease * generator.standard_normal(examples)
        scores, expected = [], []
        for skill in (exam.skill_a, exam.skill_b):
            level = skill + ease + exam.example * generator.standard_normal(examples)
            noise = generator.standard_normal((seeds, examples), dtype=np.float32)
            shift = exam.seed * generator.standard_normal((seeds, 1))
            scores.append(level + shift + exam.rest * noise > 0)
            expected.append(float(stats.norm.cdf(level / by_seed).mean()))
        for scope, truth in ((Scope.NEW_DATA, everywhere), (Scope.THIS_TEST_SET, expected[0] - expected[1])):
            comparison = compare_scores(scores[0], scores[1], scope=scope)
            if comparison.low is not None and comparison.high is not None:
                covered[scope] += comparison.low <= truth <= comparison.high
            decided[scope] += comparison.verdict in (Verdict.BETTER, Verdict.WORSE)
    return ExamRates(
        {scope: count / draws for scope, count in covered.items()},
        {scope: count / draws for scope, count in decided.items()},
    )
