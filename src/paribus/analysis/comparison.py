"""What a comparison of two arms says: the values that every table, figure and sentence is made from.

Statistics are in :mod:`paribus.analysis.compare`; this module only holds their results. Score units are those of the
scores that were compared: fractions of 1 for accuracies (0.001 is 0.1 points), nats for losses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from paribus.analysis.components import Components
from paribus.analysis.disagreements import Disagreements

_FEW_EXAMPLES = 12.0
"""Below so many effective examples the coverage of 95 % intervals fell under 93.5 % in simulated log losses."""


class Scope(StrEnum):
    """What a claim is about. Always named with an interval or a verdict.

    ``NEW_DATA``: seeds and examples both vary; the claim holds for fresh seeds on a fresh test set of the same kind.
    ``THIS_TEST_SET``: only seeds vary; the claim holds for fresh seeds scored on these very examples.
    ``THESE_NETWORKS``: only examples vary; one seed of each arm was trained, so that nothing is claimed about the
    recipes. Only predictions from elsewhere have it (``docs/decisions/0096-one-seed-an-arm.md``).
    ``NEW_TRAINING_SETS``: seeds, examples and training sets vary; the claim holds for fresh seeds trained on fresh
    training sets of the size of a fold's training part, scored on fresh examples. ``THESE_TRAINING_SETS``: seeds and
    examples vary; the claim holds for fresh seeds trained on these very training parts. Only cross-validation has these
    two (``docs/decisions/0115-two-scopes-of-cross-validation.md``).
    """

    NEW_DATA = "new data"
    THIS_TEST_SET = "this test set"
    THESE_NETWORKS = "these trained networks, new data"
    NEW_TRAINING_SETS = "new data, new training sets"
    THESE_TRAINING_SETS = "these training sets"

    @property
    def is_of_folds(self) -> bool:
        """Whether only cross-validation has this scope."""
        return self in (Scope.NEW_TRAINING_SETS, Scope.THESE_TRAINING_SETS)


class Verdict(StrEnum):
    """The answer of a comparison of A with B. "Not significant" is never "equal": that is ``UNDECIDED``."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class SignFlip:
    """Exact sign-flip permutation test over the seeds' differences, two-sided; it speaks of this test set only.

    Attributes:
        p_value: share of the 2^n ways to sign the n differences with a mean at least as far from zero.
        smallest: the smallest p that n seeds can reach, 2 / 2^n.
    """

    p_value: float
    smallest: float


@dataclass(frozen=True, slots=True)
class Superiority:
    """P(A beats B on a fresh seed), on this test set: counted over the seeds, a tie counts one half.

    Attributes:
        probability: (wins + ties / 2) / seeds.
        low: lower Clopper-Pearson limit with every tie counted against A; None with one seed.
        high: upper Clopper-Pearson limit with every tie counted for A; None with one seed.
        wins: seeds where A is better.
        ties: seeds where both are the same.
        losses: seeds where B is better.
    """

    probability: float
    low: float | None
    high: float | None
    wins: int
    ties: int
    losses: int


@dataclass(frozen=True, slots=True)
class Look:
    """One planned look at a growing study (``paribus run --until-decided``).

    Attributes:
        number: which look, from 1.
        planned: how many looks were planned.
        seeds: seeds per arm at this look.
        seeds_planned: seeds per arm at the last planned look.
        alpha: two-sided error that this look may spend as its nominal level, for one contrast.
        alpha_equivalence: one-sided nominal level of this look's equivalence tests, for one contrast.
    """

    number: int
    planned: int
    seeds: int
    seeds_planned: int
    alpha: float
    alpha_equivalence: float


@dataclass(frozen=True, slots=True)
class FoldedRuns:
    """The runs of a comparison over folds.

    Attributes:
        folds: the number of folds, K.
        repeats: the number of repetitions that were judged, R.
        seeds: the number of seeds in each fold, S.
        differences: A - B of each fold, the mean over its seeds, by repetition and then by fold: K R of them.
        floored: whether the scores showed no spread and the interval rests on their resolution instead.
    """

    folds: int
    repeats: int
    seeds: int
    differences: tuple[float, ...]
    floored: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """A compared with B: the difference A - B, what is known of it, and the verdict.

    With one seed ``low``, ``high``, ``p_value``, ``standard_error`` and all other p values are None, the verdict is
    ``UNDECIDED``, and ``components`` is None. No field is ever nan and no interval has zero width. In scope "these
    trained networks" there is an interval over the examples, and still neither a p value nor a verdict.

    ``low`` and ``high``, ``p_adjusted`` and ``verdict`` always agree: they hold for all ``contrasts`` of the family at
    once and for all planned looks, so that better or worse, 0 outside the interval, and p_adjusted <= 1 - level are the
    same statement. ``p_value`` is the raw one of this contrast and this look alone.

    Attributes:
        difference: mean over seeds and examples of A - B, in the units of the scores.
        low: lower limit of the interval.
        high: upper limit of the interval.
        p_value: two-sided p of "no difference", not adjusted.
        verdict: better, worse, equivalent or undecided, for A against B.
        scope: what the claim is about.
        components: variance components of the paired differences.
        level: level of the interval, such as 0.95, over the whole family and all looks.
        margin: differences smaller than this count as equivalent, in the units of the scores; None where none was
            declared and the metric has none by default: then the verdict is never ``EQUIVALENT``.
        standard_error: square root of the estimated variance of ``difference``.
        p_equivalent: p of the two one-sided tests of a difference beyond the margin, not adjusted; None
            without a margin.
        p_adjusted: ``p_value`` adjusted for the family and the looks.
        p_equivalent_adjusted: ``p_equivalent`` adjusted likewise.
        seeds: number of paired seeds.
        examples: number of examples (1 where each seed has one value).
        seed_differences: A - B of each seed, in the order of the seeds.
        contrasts: size of the family whose intervals hold at once.
        higher_is_better: False for losses, where a negative difference is the better one.
        sign_flip: exact sign-flip check; None with one seed or with more than it can enumerate.
        superiority: how often A beats B on a fresh seed.
        look: the planned look this was computed at, if looks were planned.
        share: the share of the study's error 1 - level that this statement may spend.
        primary: whether it is one of the study's primary statements.
        disagreements: for scores of 0 and 1 over two seeds or more, the examples that tell the arms apart.
        effective_examples: on how many examples the variance between examples rests: (sum of e**2)**2 / sum of e**4
            over the examples' effects e; about N / 3 for normal effects, 1 where one outweighs all others.
        groups: the number of groups that the examples belong to; None where they are independent.
        example_freedom: degrees of freedom of the variance between examples, where they belong to groups.
        folded: for cross-validation the folds, whose runs have a seed each: ``seeds`` counts the runs of an arm.
    """

    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    verdict: Verdict
    scope: Scope
    components: Components | None
    level: float
    margin: float | None
    standard_error: float | None
    p_equivalent: float | None
    p_adjusted: float | None
    p_equivalent_adjusted: float | None
    seeds: int
    examples: int
    seed_differences: tuple[float, ...]
    contrasts: int = 1
    higher_is_better: bool = True
    sign_flip: SignFlip | None = None
    superiority: Superiority | None = None
    look: Look | None = None
    share: float = 1.0
    primary: bool = False
    disagreements: Disagreements | None = None
    effective_examples: float | None = None
    groups: int | None = None
    example_freedom: float | None = None
    folded: FoldedRuns | None = None

    @property
    def interval_level(self) -> float:
        """Level of this interval alone, over all looks: 0.96 for a share of 0.8 of an error of 5 %."""
        return 1 - (1 - self.level) * self.share

    @property
    def rests_on_few_examples(self) -> bool:
        """Whether a few examples make most of a difference in scores other than 0 and 1, as heavy-tailed losses do.

        Its interval on new data then covers less than its level: 78 to 91 % instead of 95 % in the simulations of
        ``docs/statistics.md``.
        """
        return (
            (self.scope is Scope.NEW_DATA or self.scope.is_of_folds)
            and self.disagreements is None
            and self.effective_examples is not None
            and self.effective_examples < _FEW_EXAMPLES
        )

    @property
    def within_margin(self) -> bool:
        """Whether the equivalence tests hold, whatever the verdict (a better arm can be better by very little)."""
        return self.p_equivalent_adjusted is not None and self.p_equivalent_adjusted <= 1 - self.level
