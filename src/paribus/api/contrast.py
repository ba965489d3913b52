"""A declared contrast in Python: in either order of its arms, with its sentence."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from paribus.analysis import Comparison, Superiority, Verdict, contrast_sentence
from paribus.analysis import JudgedContrast as Judged
from paribus.analysis.comparison import FoldedRuns
from paribus.errors import UnknownNameError, unknown_name
from paribus.errors.control_characters import show_control_characters
from paribus.outcome.outcome import Outcome

_OPPOSITE = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """Arm ``a`` against arm ``b`` on one metric, judged together with all contrasts that were declared.

    Its ``repr`` is its sentence, with the minus sign of tables.

    Differences are fractions of 1 for accuracies (0.001 is 0.1 points), nats for losses.

    Attributes:
        a: the first arm.
        b: the second arm; the difference is a - b.
        metric: the name of the metric, such as ``test_accuracy``.
        comparison: all numbers; None where the arms have no scored seed in common.
        sentence: the verdict with its numbers, in words.

    Example:
        >>> contrast = study.run(seeds=3, progress=False).contrast("large", "small")
        >>> contrast.a, contrast.b, contrast.metric, contrast.scope
        ('large', 'small', 'test_accuracy', 'new data')
        >>> contrast.low < contrast.difference < contrast.high
        True
        >>> contrast.sentence.startswith("large is better than small on new data: test accuracy +")
        True
    """

    a: str
    b: str
    metric: str
    comparison: Comparison | None
    sentence: str
    _judged: Judged = field(repr=False)

    @property
    def difference(self) -> float | None:
        """The mean of a - b over seeds; None where the arms have no scored seed in common."""
        return self.comparison.difference if self.comparison else None

    @property
    def low(self) -> float | None:
        """Lower limit of the interval, which holds for all declared contrasts at once; None with one seed."""
        return self.comparison.low if self.comparison else None

    @property
    def high(self) -> float | None:
        """Upper limit of the interval; None with one seed."""
        return self.comparison.high if self.comparison else None

    @property
    def p_value(self) -> float | None:
        """Two-sided p of this contrast alone."""
        return self.comparison.p_value if self.comparison else None

    @property
    def p_adjusted(self) -> float | None:
        """P adjusted for all declared contrasts; it agrees with the interval and the verdict."""
        return self.comparison.p_adjusted if self.comparison else None

    @property
    def scope(self) -> str | None:
        """The scope of the claim, such as "new data" or "this test set"; None where nothing could be compared."""
        return str(self.comparison.scope) if self.comparison else None

    @property
    def verdict(self) -> str:
        """For ``a``: better, worse, equivalent or undecided."""
        return str(self.comparison.verdict if self.comparison else Verdict.UNDECIDED)

    def __repr__(self) -> str:
        from paribus.report.numbers import with_minus

        return show_control_characters(with_minus(self.sentence))

    def _repr_html_(self) -> str:
        """What Jupyter shows: the verdict and the sentence."""
        from paribus.report.html import contrast_fragment

        return show_control_characters(contrast_fragment(self._judged))


def turn_contrast(judged: Judged, first: str) -> Judged:
    """The contrast with arm ``first`` as its first; the other order changes signs and verdict, and nothing else.

    Args:
        judged: a judged contrast.
        first: one of its two arms.
    """
    if judged.a == first:
        return judged
    turned = None if judged.comparison is None else _turn_comparison(judged.comparison)
    return replace(judged, a=judged.b, b=judged.a, comparison=turned)


def make_contrast(judged: Judged, first: str) -> Contrast:
    """The public form of a judged contrast.

    Args:
        judged: a judged contrast.
        first: the arm that becomes ``a``: one of its two.
    """
    judged = turn_contrast(judged, first)
    return Contrast(judged.a, judged.b, judged.metric.name, judged.comparison, contrast_sentence(judged), judged)


def _turn_comparison(comparison: Comparison) -> Comparison:
    return replace(
        comparison,
        difference=-comparison.difference,
        low=_negate(comparison.high),
        high=_negate(comparison.low),
        verdict=_OPPOSITE.get(comparison.verdict, comparison.verdict),
        seed_differences=tuple(-value for value in comparison.seed_differences),
        folded=None if comparison.folded is None else _turn_folds(comparison.folded),
        superiority=None if comparison.superiority is None else _turn_superiority(comparison.superiority),
    )


def _turn_folds(folded: FoldedRuns) -> FoldedRuns:
    return replace(folded, differences=tuple(-value for value in folded.differences))


def _turn_superiority(superiority: Superiority) -> Superiority:
    low, high = superiority.high, superiority.low
    return Superiority(
        probability=1 - superiority.probability,
        low=None if low is None else 1 - low,
        high=None if high is None else 1 - high,
        wins=superiority.losses,
        ties=superiority.ties,
        losses=superiority.wins,
    )


def _negate(value: float | None) -> float | None:
    return None if value is None else -value


def find_contrast(outcome: Outcome, a: str, b: str, metric: str) -> Contrast:
    """The declared contrast of two arms, as ``a`` against ``b``.

    Raises:
        UnknownNameError: there is no such arm, or this contrast was not declared; the message lists those that are.
    """
    arms = [arm.name for arm in outcome.arms]
    for name in (a, b):
        if name not in arms:
            raise unknown_name("arm", name, arms)
    for judged in outcome.contrasts:
        if {judged.a, judged.b} == {a, b} and judged.metric.name == metric:
            return make_contrast(judged, a)
    declared = "; ".join(f"{c.a} - {c.b} on {c.metric.name}" for c in outcome.contrasts) or "none"
    raise UnknownNameError(
        f"'{a}' against '{b}' on {metric} was not declared, and contrasts are declared before looking; "
        f"declared: {declared}"
    )
