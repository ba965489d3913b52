"""Settings to which the methods were not tuned: unequal seeds, seeds that collapse, losses with heavy tails.

Every row says what is promised of it. Exceptions are measured as well, and named in ``docs/statistics.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from paribus.analysis.compare import compare_scores
from paribus.analysis.comparison import Verdict
from paribus.analysis.simulate.table import Table, as_percent, markdown, tolerance

Floats = NDArray[np.float64]
Draw = Callable[[int, int, np.random.Generator], tuple[Floats, Floats, float]]
"""Draws one study: scores of A and of B, shape (seeds, examples), and the true mean difference."""

_LOWEST, _HIGHEST_ERROR = 0.935, 0.05


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that was not tuned to.

    Attributes:
        name: as printed.
        draw: draws one study.
        sizes: numbers of seeds and examples.
        promised: whether coverage of 93.5 % is promised; False for what no method can do, which is measured and named.
    """

    name: str
    draw: Draw
    sizes: tuple[tuple[int, int], ...]
    promised: bool = True


@dataclass(frozen=True, slots=True)
class UntunedRates:
    """What came out at one size.

    Attributes:
        covered: share of intervals that cover the true difference.
        wrong: share of "better" where A is truly not better, or of "worse" where it is truly not worse.
        remarked: share of studies that are remarked as resting on few examples.
        covered_unremarked: coverage among the others; 1 where there are none.
    """

    covered: float
    wrong: float
    remarked: float
    covered_unremarked: float


def _answers(
    skills: tuple[float, float],
    seed_sds: tuple[float, float],
    seeds: int,
    examples: int,
    generator: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Two arms' 0/1 scores: shared ease of the examples, a shift for each seed of an arm, a little noise."""
    ease = generator.standard_normal(examples)
    scores = []
    for skill, seed_sd in zip(skills, seed_sds, strict=True):
        own = 0.3 * generator.standard_normal(examples)
        shift = seed_sd * generator.standard_normal((seeds, 1))
        noise = 0.4 * generator.standard_normal((seeds, examples))
        scores.append((skill + ease + own + shift + noise > 0).astype(np.float64))
    return scores[0], scores[1]


def unequal_seeds(seeds: int, examples: int, generator: np.random.Generator) -> tuple[Floats, Floats, float]:
    """A's seeds vary by 3 points of accuracy, B's by a fifth of a point; both are right equally often on average."""
    return _unequal(0.15, seeds, examples, generator)


def uneven_seeds(seeds: int, examples: int, generator: np.random.Generator) -> tuple[Floats, Floats, float]:
    """A's seeds vary by 8 points of accuracy, with a long tail downward as accuracy ends at 100 %."""
    return _unequal(0.4, seeds, examples, generator)


def _unequal(seed_sd: float, seeds: int, examples: int, generator: np.random.Generator) -> tuple[Floats, Floats, float]:
    # With a skill in proportion to the spread of the sum both arms have the same accuracy.
    sds = (seed_sd, 0.01)
    skills = tuple(1.8 * float(np.sqrt(1.25 + sd**2)) for sd in sds)
    a, b = _answers((skills[0], skills[1]), sds, seeds, examples, generator)
    return a, b, 0.0


def hard_examples(seeds: int, examples: int, generator: np.random.Generator) -> tuple[Floats, Floats, float]:
    """One example in fifty is hard: there A and B are right by chances of their own, which hold for all seeds."""
    hard = generator.random(examples) < 0.02
    scores = []
    for _ in range(2):
        chance = np.where(hard, generator.beta(0.5, 0.5, examples), 1.0)
        scores.append((generator.random((seeds, examples)) < chance).astype(np.float64))
    return scores[0], scores[1], 0.0


def collapsing_seeds(seeds: int, examples: int, generator: np.random.Generator) -> tuple[Floats, Floats, float]:
    """One seed of A in twenty collapses to chance of ten classes; otherwise A is right on 1 % more of the examples."""
    a, b = (generator.random((seeds, examples)) < chance for chance in (0.96, 0.95))
    lost = generator.random((seeds, 1)) < 0.05
    a = np.where(lost, generator.random((seeds, examples)) < 0.1, a)
    truth = 0.95 * 0.96 + 0.05 * 0.1 - 0.95
    return a.astype(np.float64), b.astype(np.float64), truth


def heavy_losses(seeds: int, examples: int, generator: np.random.Generator) -> tuple[Floats, Floats, float]:
    """Minus log losses of two classifiers: A is twice as sure of itself as B, and pays for it on few examples."""
    logit = 3 + 3 * generator.standard_normal(examples)
    a, b = (
        -np.logaddexp(0, -scale * logit - 0.3 * generator.standard_normal((seeds, examples))) for scale in (2.0, 1.0)
    )
    return a, b, _loss_difference()


@lru_cache
def _loss_difference() -> float:
    """The true mean of :func:`heavy_losses`, by integration over the logit and its noise."""
    nodes = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    logit, noise = 3 + 3 * nodes[:, None], 0.3 * stats.norm.ppf((np.arange(20) + 0.5) / 20)
    return float(np.mean(np.logaddexp(0, -logit - noise) - np.logaddexp(0, -2 * logit - noise)))


def lognormal_losses(seeds: int, examples: int, generator: np.random.Generator) -> tuple[Floats, Floats, float]:
    """Minus losses where A loses on each example a lognormal amount (sigma 1.5) that B does not."""
    b = -1 + 0.3 * generator.standard_normal((seeds, examples))
    a = -1 - generator.lognormal(0.0, 1.5, examples) + 0.3 * generator.standard_normal((seeds, examples))
    return a, b, -float(np.exp(1.5**2 / 2))


_SMALL = ((2, 100), (3, 300), (5, 1_000), (10, 1_000), (30, 300))
SETTINGS = (
    Setting("A's seeds vary, B's do not", unequal_seeds, _SMALL),
    Setting("A's seeds vary unevenly", uneven_seeds, ((3, 300), (5, 1_000), (10, 1_000)), promised=False),
    Setting("1 example in 50 is hard", hard_examples, (*_SMALL, (5, 10_000))),
    Setting(
        "1 seed in 20 collapses", collapsing_seeds, ((3, 1_000), (5, 1_000), (10, 1_000), (30, 1_000)), promised=False
    ),
    Setting(
        "heavy-tailed losses", heavy_losses, ((5, 50), (5, 100), (5, 300), (5, 1_000), (5, 10_000)), promised=False
    ),
    Setting("lognormal losses", lognormal_losses, ((5, 50), (5, 100), (5, 300), (5, 1_000)), promised=False),
)


def untuned_rates(
    setting: Setting, seeds: int, examples: int, draws: int, generator: np.random.Generator
) -> UntunedRates:
    """Let :func:`paribus.analysis.compare_scores` judge many studies of one setting.

    Args:
        setting: the setting.
        seeds: number of seeds, 2 or more.
        examples: size of the test set.
        draws: number of studies.
        generator: draws them.
    """
    covered, wrong, remarked = (np.zeros(draws, dtype=np.bool_) for _ in range(3))
    for index in range(draws):
        a, b, truth = setting.draw(seeds, examples, generator)
        comparison = compare_scores(a, b)
        if comparison.low is None or comparison.high is None:
            raise ValueError("studies of two or more seeds have intervals")
        covered[index] = comparison.low <= truth <= comparison.high
        better, worse = comparison.verdict is Verdict.BETTER, comparison.verdict is Verdict.WORSE
        wrong[index] = (better and truth <= 0) or (worse and truth >= 0)
        remarked[index] = comparison.rests_on_few_examples
    rest = covered[~remarked]
    return UntunedRates(
        float(covered.mean()), float(wrong.mean()), float(remarked.mean()), float(rest.mean()) if len(rest) else 1.0
    )


def untuned_table(draws: int, generator: np.random.Generator, settings: Sequence[Setting] = SETTINGS) -> Table:
    """Coverage and false verdicts of every setting and size."""
    rows: list[Sequence[str]] = []
    broken: list[str] = []
    for setting in settings:
        for seeds, examples in setting.sizes:
            rates = untuned_rates(setting, seeds, examples, max(draws * 1_000 // (1_000 + examples), 50), generator)
            rows.append(
                (
                    setting.name,
                    str(seeds),
                    f"{examples:,}",
                    as_percent(rates.covered),
                    as_percent(rates.wrong),
                    as_percent(rates.remarked) if rates.remarked else "",
                    "" if setting.promised else "exception",
                )
            )
            place = f"{setting.name}, {seeds} seeds, {examples} examples"
            if setting.promised and rates.covered < _LOWEST - tolerance(1 - _LOWEST, draws):
                broken.append(f"{place}: coverage {rates.covered:.4f}")
            if setting.promised and rates.wrong > _HIGHEST_ERROR + tolerance(_HIGHEST_ERROR, draws):
                broken.append(f"{place}: error {rates.wrong:.4f}")
    head = ("setting", "S", "N", "coverage", "false better/worse", "remarked as uneven", "")
    return Table("**Settings nobody tuned to** (new data, 95 % interval)\n\n" + markdown(head, rows), tuple(broken))
