"""Statistics over folds, against implementations that share no code with them."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from paribus.analysis.compare_folds import compare_folds
from paribus.analysis.comparison import Scope, Verdict
from paribus.analysis.critical import TwoPartVariance, half_width
from paribus.analysis.folds import corrected_variance, fold_parts, make_layout
from paribus.analysis.strictness import Strictness
from paribus.errors import UsageError


def partition(examples: int, folds: int, repeats: int, generator: np.random.Generator) -> np.ndarray:
    return np.array([generator.permutation(examples) % folds for _ in range(repeats)])


def losses(passes: int, examples: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    shared = generator.gamma(1.0, 1.0, examples)
    return shared + generator.gamma(1.0, 0.2, (passes, examples)), shared + generator.gamma(
        1.0, 0.3, (passes, examples)
    )


@pytest.mark.parametrize(("folds", "repeats", "rounds"), [(2, 1, 1), (5, 1, 1), (5, 3, 1), (10, 2, 3)])
@pytest.mark.parametrize("level", [0.95, 0.995])
def test_new_training_sets_are_the_corrected_t(folds: int, repeats: int, rounds: int, level: float) -> None:
    examples, passes = 97, repeats * rounds
    codes = partition(examples, folds, repeats, np.random.default_rng(0))
    a, b = losses(passes, examples, 1)
    rows = make_layout(codes, folds).of_rows(range(passes), examples)
    ours = compare_folds(((1.0, a), (-1.0, b)), rows, None, Strictness(level), Scope.NEW_TRAINING_SETS)

    # Spelled out one number at a time, in pure Python.
    differences = []
    for repeat in range(repeats):
        for fold in range(folds):
            by_seed = []
            for round_ in range(rounds):
                row = round_ * repeats + repeat
                members = [i for i in range(examples) if codes[repeat][i] == fold]
                by_seed.append(statistics.fmean(float(a[row][i]) - float(b[row][i]) for i in members))
            differences.append(statistics.fmean(by_seed))
    count = len(differences)
    error = math.sqrt((1 / count + 1 / (folds - 1)) * statistics.variance(differences))
    mean = statistics.fmean(differences)
    interval = stats.t.interval(level, count - 1, loc=mean, scale=error)
    p_value = 2 * stats.t.sf(abs(mean) / error, count - 1)

    assert ours.low == pytest.approx(interval[0], rel=1e-12)
    assert ours.high == pytest.approx(interval[1], rel=1e-12)
    assert ours.difference == pytest.approx(mean, rel=1e-12)
    assert ours.p_value == pytest.approx(p_value, rel=1e-10)
    assert ours.folded is not None
    assert ours.folded.differences == pytest.approx(differences, rel=1e-12)
    assert ours.seeds == folds * repeats * rounds == len(ours.seed_differences)


@pytest.mark.parametrize(("folds", "seeds"), [(2, 2), (5, 3), (8, 5)])
def test_these_training_sets_are_two_way_within_folds(folds: int, seeds: int) -> None:
    examples = 12 * folds
    codes = partition(examples, folds, 1, np.random.default_rng(2))
    a, b = losses(seeds, examples, 3)
    rows = make_layout(codes, folds).of_rows(range(seeds), examples)
    ours = compare_folds(((1.0, a), (-1.0, b)), rows, None, Strictness(), Scope.THESE_TRAINING_SETS)

    # The analysis of variance of every fold by itself, pooled.
    ss_seed = ss_example = ss_rest = 0.0
    for fold in range(folds):
        members = [i for i in range(examples) if codes[0][i] == fold]
        d = [[float(a[s][i]) - float(b[s][i]) for i in members] for s in range(seeds)]
        grand = statistics.fmean(value for row in d for value in row)
        of_seed = [statistics.fmean(row) for row in d]
        of_example = [statistics.fmean(column) for column in zip(*d, strict=True)]
        ss_seed += len(members) * sum((m - grand) ** 2 for m in of_seed)
        ss_example += seeds * sum((m - grand) ** 2 for m in of_example)
        ss_rest += sum(
            (d[s][i] - of_seed[s] - of_example[i] + grand) ** 2 for s in range(seeds) for i in range(len(members))
        )
    ms_seed = ss_seed / (folds * (seeds - 1))
    ms_example = ss_example / (examples - folds)
    ms_rest = ss_rest / ((examples - folds) * (seeds - 1))
    part_a = ms_seed / (seeds * examples)
    part_b = max(0.0, ms_example - ms_rest) / (seeds * examples)
    mean = statistics.fmean(float(x) for x in (a - b).ravel())
    half = half_width(TwoPartVariance(part_a, folds * (seeds - 1), part_b, examples - folds), 0.05)

    assert ours.difference == pytest.approx(mean, rel=1e-12)
    assert ours.standard_error == pytest.approx(math.sqrt(part_a + part_b), rel=1e-12)
    assert (ours.low, ours.high) == pytest.approx((mean - half, mean + half), rel=1e-11)


def test_folds_of_unequal_size_weigh_as_many_examples_as_they_have() -> None:
    codes = np.array([[0] * 6 + [1] * 30 + [2] * 12])
    a, b = losses(4, 48, 5)
    rows = make_layout(codes, 3).of_rows(range(4), 48)
    these = fold_parts(((1.0, a), (-1.0, b)), rows, Scope.THESE_TRAINING_SETS)
    new = fold_parts(((1.0, a), (-1.0, b)), rows, Scope.NEW_TRAINING_SETS)
    assert these.mean == pytest.approx(float((a - b).mean()), rel=1e-12)
    by_fold = [float((a - b)[:, codes[0] == fold].mean()) for fold in range(3)]
    assert new.mean == pytest.approx(statistics.fmean(by_fold), rel=1e-12)
    assert 3 < these.variance.seed_freedom < 9


def test_equal_answers_leave_room_for_what_was_not_seen() -> None:
    same = np.random.default_rng(0).random((10, 200)) < 0.9
    codes = partition(200, 5, 10, np.random.default_rng(1))
    layout = make_layout(codes, 5)
    ours = compare_folds(
        ((1.0, same), (-1.0, same)), layout.of_rows(range(10), 200), 0.001, Strictness(), Scope.NEW_TRAINING_SETS
    )
    # The rule of three: nobody has seen that fewer than 3 in 200 examples differ.
    assert ours.high is not None
    assert ours.high >= math.log(2 / 0.05) / 200 * 0.999
    assert ours.verdict is Verdict.UNDECIDED
    assert ours.folded is not None
    assert ours.folded.floored
    assert ours.low == -ours.high


def test_a_metric_of_one_value_a_run_is_judged_for_new_training_sets() -> None:
    generator = np.random.default_rng(0)
    layout = make_layout(partition(60, 3, 1, generator), 3)
    a, b = generator.random((2, 3)), generator.random((2, 3))
    ours = compare_folds(
        ((1.0, a), (-1.0, b)), layout.of_rows(range(2), 3), None, Strictness(), Scope.THESE_TRAINING_SETS
    )
    assert ours.scope is Scope.NEW_TRAINING_SETS
    assert ours.difference == pytest.approx(float((a - b).mean()))
    assert ours.disagreements is None


def test_what_folds_cannot_answer_is_refused() -> None:
    generator = np.random.default_rng(0)
    layout = make_layout(partition(60, 3, 2, generator), 3)
    terms = ((1.0, generator.random((2, 60))),)
    with pytest.raises(UsageError, match="one partition"):
        fold_parts(terms, layout.of_rows(range(2), 60), Scope.THESE_TRAINING_SETS)
    with pytest.raises(UsageError, match="every example is a test example"):
        fold_parts(terms, layout.of_rows(range(2), 60), Scope.NEW_DATA)
    single = make_layout(layout.codes[:1], 3)
    with pytest.raises(UsageError, match="1 seed in each fold"):
        fold_parts(((1.0, terms[0][1][:1]),), single.of_rows([0], 60), Scope.THESE_TRAINING_SETS)
    with pytest.raises(UsageError, match="is empty"):
        make_layout([[0, 1, 1, 0]], 3)
    with pytest.raises(UsageError, match="2 folds or more"):
        make_layout([[0, 0]], 1)


@given(
    folds=st.integers(2, 6),
    repeats=st.integers(1, 3),
    seed=st.integers(0, 2**16),
    shift=st.floats(-3, 3),
)
def test_order_of_examples_and_a_shift_change_nothing_else(folds: int, repeats: int, seed: int, shift: float) -> None:
    generator = np.random.default_rng(seed)
    examples = 8 * folds
    codes = partition(examples, folds, repeats, generator)
    a, b = losses(repeats, examples, seed)
    order = generator.permutation(examples)
    first = compare_folds(
        ((1.0, a), (-1.0, b)),
        make_layout(codes, folds).of_rows(range(repeats), examples),
        None,
        Strictness(),
        Scope.NEW_TRAINING_SETS,
    )
    second = compare_folds(
        ((1.0, a[:, order] + shift), (-1.0, b[:, order])),
        make_layout(codes[:, order], folds).of_rows(range(repeats), examples),
        None,
        Strictness(),
        Scope.NEW_TRAINING_SETS,
    )
    assert second.difference == pytest.approx(first.difference + shift, abs=1e-12)
    assert second.standard_error == pytest.approx(first.standard_error, rel=1e-9)


def test_a_corrected_variance_is_wider_than_the_plain_one() -> None:
    differences = [0.01, 0.02, -0.01, 0.03, 0.0]
    plain = statistics.variance(differences) / 5
    assert corrected_variance(differences, 1 / 4) == pytest.approx(plain * (1 + 5 / 4), rel=1e-12)
