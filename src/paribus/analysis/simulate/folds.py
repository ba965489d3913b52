"""Coverage over folds: real learners on data whose truth is known from fresh draws, and a model of components.

Learners are a ridge regression on random features and a small network, both of whose seeds matter; two arms differ in
size. The truth of "new training sets" is the mean difference over many fresh training sets of the size of a fold's
training part, each with a fresh seed and fresh examples; that of "these training sets" is the mean over many fresh
seeds trained on the very training parts. Both are computed here, so that nothing is assumed about the learners.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from paribus.analysis.compare import limits_of_mean
from paribus.analysis.comparison import Scope
from paribus.analysis.critical import TwoPartVariance, half_width
from paribus.analysis.folds import fold_parts, make_layout
from paribus.analysis.simulate.table import Table, as_percent, markdown, tolerance

Array = NDArray[np.float64]
Learner = Callable[[Array, Array, Array, np.random.Generator], NDArray[np.bool_]]
"""``(x, y, fresh x, generator)`` -> answers for the fresh examples; x has shape ``(sets, examples, inputs)``."""

LOWEST, ALPHA = 0.935, 0.05
INPUTS, FOLDS = 8, 5
SIZES = (300, 1_000, 3_000)


def draw_examples(count: tuple[int, ...], generator: np.random.Generator) -> tuple[Array, Array]:
    """Examples and their classes, 0 or 1, of which about one in eight is by chance.

    Args:
        count: the shape of the set of examples, such as ``(sets, examples)``.
        generator: draws them.

    Returns:
        Shapes ``(*count, inputs)`` and ``count``.
    """
    x = generator.standard_normal((*count, INPUTS))
    score = x[..., 0] + x[..., 1] * x[..., 2] + np.abs(x[..., 3]) - 0.8
    return x, (score + 0.5 * generator.logistic(size=score.shape) > 0).astype(np.float64)


def ridge(width: int) -> Learner:
    """Ridge regression on random rectified features, which the seed draws."""

    def learn(x: Array, y: Array, fresh: Array, generator: np.random.Generator) -> NDArray[np.bool_]:
        weights = generator.standard_normal((len(x), INPUTS, width)) / np.sqrt(INPUTS)
        shifts = generator.standard_normal((len(x), 1, width))
        features = np.maximum(x @ weights + shifts, 0)
        gram = features.transpose(0, 2, 1) @ features + np.eye(width)
        beta = np.linalg.solve(gram, features.transpose(0, 2, 1) @ (2 * y - 1)[..., None])
        return np.asarray((np.maximum(fresh @ weights + shifts, 0) @ beta)[..., 0] > 0)

    return learn


def network(width: int, epochs: int = 15) -> Learner:
    """A network of one hidden layer, trained in batches of 32 by gradient descent with momentum."""

    def learn(x: Array, y: Array, fresh: Array, generator: np.random.Generator) -> NDArray[np.bool_]:
        sets, examples = y.shape
        first = generator.standard_normal((sets, INPUTS + 1, width)) * np.sqrt(2 / INPUTS)
        last = generator.standard_normal((sets, width, 1)) / np.sqrt(width)
        speed, last_speed = np.zeros_like(first), np.zeros_like(last)
        x = np.concatenate([x, np.ones((sets, examples, 1))], axis=2)
        fresh = np.concatenate([fresh, np.ones((*fresh.shape[:2], 1))], axis=2)
        for _ in range(epochs):
            # The sets share an order: examples are independent, and weights are each set's own.
            for batch in np.array_split(generator.permutation(examples), examples // 32):
                inputs, labels = x[:, batch], y[:, batch, None]
                hidden = np.maximum(inputs @ first, 0)
                error = (1 / (1 + np.exp(-(hidden @ last))) - labels) / len(batch)
                back = (error @ last.transpose(0, 2, 1)) * (hidden > 0)
                last_speed = 0.9 * last_speed - 0.1 * (hidden.transpose(0, 2, 1) @ error)
                speed = 0.9 * speed - 0.1 * (inputs.transpose(0, 2, 1) @ back)
                first, last = first + speed, last + last_speed
        return np.asarray((np.maximum(fresh @ first, 0) @ last)[..., 0] > 0)

    return learn


LEARNERS: dict[str, tuple[Learner, Learner]] = {
    "ridge on 20 and 40 random features": (ridge(20), ridge(40)),
    "networks of 4 and 12 hidden units": (network(4), network(12)),
}


def true_difference(arms: tuple[Learner, Learner], train: int, sets: int, generator: np.random.Generator) -> float:
    """Mean difference in accuracy over fresh training sets, seeds and examples.

    Args:
        arms: the two learners.
        train: the size of a training set.
        sets: how many of them are drawn.
        generator: draws them.
    """
    differences: list[float] = []
    for _ in range(max(sets // 20, 1)):
        x, y = draw_examples((20, train), generator)
        fresh, labels = draw_examples((20, 2_000), generator)
        a, b = (learn(x, y, fresh, generator) == labels for learn in arms)
        differences.append(float(a.mean() - b.mean()))
    return float(np.mean(differences))


def new_training_sets_coverage(
    arms: tuple[Learner, Learner], examples: int, draws: int, generator: np.random.Generator
) -> tuple[float, float, float]:
    """Coverage of 95 % intervals on new data and new training sets.

    Args:
        arms: the two learners.
        examples: number of examples, which are divided into folds.
        draws: number of simulated studies.
        generator: draws them.

    Returns:
        The coverage; that of the plain t interval; the median half width.
    """
    truth = true_difference(arms, examples - examples // FOLDS, min(4 * draws, 400), generator)
    layout = make_layout([np.arange(examples) % FOLDS], FOLDS)
    rows = layout.of_rows([0], examples)
    covered = plain = 0
    widths = []
    for _ in range(draws):
        a, b = _cross_validate(arms, *draw_examples((examples,), generator), generator)
        parts = fold_parts(((1.0, a[None]), (-1.0, b[None])), rows, Scope.NEW_TRAINING_SETS)
        low, high = limits_of_mean(parts.mean, parts.variance, ALPHA)
        covered += low <= truth <= high
        widths.append((high - low) / 2)
        naive = TwoPartVariance(float(np.var(parts.differences, ddof=1)) / FOLDS, FOLDS - 1)
        plain += bool(abs(parts.mean - truth) <= half_width(naive, ALPHA))
    return covered / draws, plain / draws, float(np.median(widths))


def these_training_sets_coverage(
    arms: tuple[Learner, Learner], examples: int, seeds: int, draws: int, generator: np.random.Generator
) -> float:
    """Coverage of 95 % intervals for fresh seeds on the training sets that there are, and fresh examples.

    Args:
        arms: the two learners.
        examples: number of examples, which are divided into folds.
        seeds: number of seeds in each fold.
        draws: number of simulated studies.
        generator: draws them.
    """
    layout = make_layout([np.arange(examples) % FOLDS], FOLDS)
    rows = layout.of_rows(range(seeds), examples)
    covered = 0
    for _ in range(draws):
        x, y = draw_examples((examples,), generator)
        passes = [_cross_validate(arms, x, y, generator) for _ in range(seeds)]
        a, b = (np.array([answers[index] for answers in passes]) for index in (0, 1))
        train = _training_rows(examples)
        fresh, labels = draw_examples((2_000,), generator)
        differences = []
        for _ in range(10):
            answers = [learn(x[train], y[train], np.stack([fresh] * FOLDS), generator) == labels for learn in arms]
            differences.append(float(answers[0].mean() - answers[1].mean()))
        parts = fold_parts(((1.0, a), (-1.0, b)), rows, Scope.THESE_TRAINING_SETS)
        low, high = limits_of_mean(parts.mean, parts.variance, ALPHA)
        covered += low <= float(np.mean(differences)) <= high
    return covered / draws


def components_coverage(
    folds: int, repeats: int, share: float, correlation: float, draws: int, generator: np.random.Generator
) -> float:
    """Coverage where a share of a fold's variance is its training set's, with a correlation between all of those.

    The rest is that of the test examples, each of which is in one test part of each repetition.

    Args:
        folds: number of folds, K.
        repeats: number of repetitions, R.
        share: share of the training sets in the variance of a fold's difference.
        correlation: between the training sets' parts of any two folds.
        draws: number of simulated studies.
        generator: draws them.
    """
    count, examples = folds * repeats, 10 * folds
    codes = np.array([generator.permutation(examples) % folds for _ in range(repeats)])
    sets = np.sqrt(correlation) * generator.standard_normal((draws, 1))
    sets = sets + np.sqrt(1 - correlation) * generator.standard_normal((draws, count))
    noise = generator.standard_normal((draws, examples)) * np.sqrt(examples / folds)
    member = np.concatenate([(codes[repeat] == np.arange(folds)[:, None]) for repeat in range(repeats)])
    means = noise @ (member / member.sum(axis=1, keepdims=True)).T
    d = np.sqrt(share) * sets + np.sqrt(1 - share) * means
    variance = TwoPartVariance((1 / count + 1 / (folds - 1)) * d.var(axis=1, ddof=1), count - 1)
    return float(np.mean(np.abs(d.mean(axis=1)) <= half_width(variance, ALPHA)))


def folds_tables(draws: int, generator: np.random.Generator) -> Iterator[Table]:
    """Real learners in both scopes, and the components."""
    yield learners_table(max(draws // 400, 20), generator)
    yield components_table(draws, generator)


def learners_table(draws: int, generator: np.random.Generator, sizes: Sequence[int] = SIZES) -> Table:
    """Coverage with real learners. Below 93.5 % beyond the simulation's own error breaks the bound."""
    rows: list[Sequence[str]] = []
    broken: list[str] = []
    for name, arms in LEARNERS.items():
        for examples in sizes:
            rate, plain, width = new_training_sets_coverage(arms, examples, draws, generator)
            these = (
                these_training_sets_coverage(arms, examples, 3, max(draws // 4, 20), generator)
                if examples == min(sizes)
                else None
            )
            these_text = "" if these is None else as_percent(these)
            rows.append((name, f"{examples:,}", as_percent(rate), f"{100 * width:.1f}", as_percent(plain), these_text))
            for scope, seen, count in ((Scope.NEW_TRAINING_SETS, rate, draws), (Scope.THESE_TRAINING_SETS, these, 0)):
                if seen is not None and seen < LOWEST - tolerance(1 - LOWEST, count or max(draws // 4, 20)):
                    broken.append(f"{name}, {examples} examples, {scope}: coverage {seen:.4f}")
    head = (
        "arms",
        "n",
        "new training sets: coverage",
        "half width, points",
        "plain t over the folds: coverage",
        "these training sets, 3 seeds: coverage",
    )
    return Table(
        f"**Folds, real learners** (95 % intervals; {FOLDS} folds, once; {draws:,} studies in each row)\n\n"
        + markdown(head, rows),
        tuple(broken),
    )


def components_table(draws: int, generator: np.random.Generator) -> Table:
    """Coverage by how much training sets vary, and how alike those of the folds are; bounded up to 1 / K alike."""
    designs = ((5, 1), (10, 1), (5, 10), (10, 10))
    rows: list[Sequence[str]] = []
    broken: list[str] = []
    for share in (0.0, 0.2, 0.5, 0.9):
        for correlation in (0.0, 0.1, 0.3, 0.6) if share else (0.0,):
            rates = [components_coverage(*design, share, correlation, draws, generator) for design in designs]
            rows.append((f"{100 * share:.0f} %", f"{correlation:g}" if share else "", *map(as_percent, rates)))
            broken += [
                f"{folds} folds, {repeats} times, share {share:g}, correlation {correlation:g}: coverage {rate:.4f}"
                for (folds, repeats), rate in zip(designs, rates, strict=True)
                if correlation <= 1 / folds and rate < LOWEST - tolerance(1 - LOWEST, draws)
            ]
    head = (
        "share of the training sets in a fold's variance",
        "correlation between them",
        *(f"{folds} folds, {'once' if repeats == 1 else f'{repeats} times'}" for folds, repeats in designs),
    )
    return Table(
        "**Folds, components** (coverage of 95 % intervals on new data and new training sets)\n\n"
        + markdown(head, rows),
        tuple(broken),
    )


def _training_rows(examples: int) -> NDArray[np.intp]:
    """The training part of each fold, shape ``(folds, examples)``."""
    folds = np.arange(examples) % FOLDS
    return np.array([np.flatnonzero(folds != fold) for fold in range(FOLDS)])


def _cross_validate(
    arms: tuple[Learner, Learner], x: Array, y: Array, generator: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether each example is answered rightly by the run that did not see it; arm by arm, a fresh seed a fold."""
    train = _training_rows(len(x))
    right = []
    for learn in arms:
        answers = learn(x[train], y[train], x.reshape(-1, FOLDS, INPUTS).transpose(1, 0, 2), generator)
        right.append(np.asarray(answers.T.reshape(-1) == y))
    return right[0], right[1]
