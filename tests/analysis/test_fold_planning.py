"""Plans for repetitions hold what they promise, where folds are as alike as the correction takes them to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from paribus.analysis.compare_folds import compare_folds
from paribus.analysis.comparison import Comparison, Scope
from paribus.analysis.fold_planning import fold_power, next_repeats, plan_repeats
from paribus.analysis.folds import make_layout
from paribus.analysis.metrics import METRICS
from paribus.analysis.strictness import Strictness
from paribus.errors import UsageError

LOSS = METRICS["test_loss"]


def compared(shift: float, repeats: int = 1, seed: int = 0) -> Comparison:
    generator = np.random.default_rng(seed)
    codes = np.array([generator.permutation(100) % 5 for _ in range(repeats)])
    a, b = generator.normal(shift, 1, (repeats, 100)), generator.normal(0, 1, (repeats, 100))
    rows = make_layout(codes, 5).of_rows(range(repeats), 100)
    return compare_folds(((1.0, a), (-1.0, b)), rows, None, Strictness(), Scope.NEW_TRAINING_SETS)


@pytest.mark.parametrize(("folds", "repeats", "difference"), [(5, 1, 2.0), (5, 4, 1.5), (10, 2, 1.0)])
def test_the_power_is_that_of_equally_alike_folds(folds: int, repeats: int, difference: float) -> None:
    """Differences with a correlation of 1 / K have the variance of the mean that the correction says."""
    generator, count, draws = np.random.default_rng(0), folds * repeats, 20_000
    shared = generator.normal(0, np.sqrt(1 / folds), (draws, 1))
    d = difference + shared + generator.normal(0, np.sqrt(1 - 1 / folds), (draws, count))
    half = stats.t.ppf(0.975, count - 1) * np.sqrt((1 / count + 1 / (folds - 1)) * d.var(axis=1, ddof=1))
    seen = np.mean(np.abs(d.mean(axis=1)) > half)
    # The spread between folds, which is what a plan starts from, is 1 - 1 / K here.
    assert fold_power(difference, 1 - 1 / folds, folds, repeats, 0.05) == pytest.approx(seen, abs=0.015)


def test_more_repetitions_find_more_until_none_does() -> None:
    powers = [fold_power(1.4, 1.0, 5, repeats, 0.05) for repeats in range(1, 30)]
    assert powers == sorted(powers)
    easy, hard = plan_repeats(compared(0.5), 1.0, LOSS), plan_repeats(compared(0.5), 0.05, LOSS)
    assert easy.repeats is not None
    assert easy.runs == 5 * easy.repeats
    assert f"{easy.repeats} repetition" in easy.statement
    assert hard.repeats is None
    assert "No number of repetitions of 5 folds" in hard.statement
    assert hard.power_at < 0.8


def test_the_next_step_names_repeats_or_says_that_none_help() -> None:
    texts = [next_repeats(compared(shift, seed=seed), LOSS) for shift in (0.0, 0.3) for seed in range(8)]
    assert any("`repeats = " in text for text in texts)
    assert any("more repetitions cannot decide it" in text for text in texts)
    decided = replace(compared(5.0))
    assert next_repeats(decided, LOSS) == ""


def test_what_cannot_be_planned_is_refused() -> None:
    comparison = compared(0.5)
    for detect, power, message in ((0.0, 0.8, "a positive number"), (0.1, 1.0, "between 0 and 1")):
        with pytest.raises(UsageError, match=message):
            plan_repeats(comparison, detect, LOSS, power=power)
    with pytest.raises(UsageError, match='for "new data, new training sets" alone'):
        plan_repeats(replace(comparison, scope=Scope.THESE_TRAINING_SETS), 0.1, LOSS)
