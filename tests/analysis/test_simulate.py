"""The simulations of the docs in small: bounds are kept, and the shortcuts draw the right laws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from paribus.analysis import Schedule, Scope, compare_scores
from paribus.analysis.simulate import __main__ as command
from paribus.analysis.simulate.coverage import coverage, drawn_variance
from paribus.analysis.simulate.families import family_error
from paribus.analysis.simulate.growing import SCHEDULES, errors, grow
from paribus.analysis.simulate.settings import EXAMPLES, MIXES, SEEDS, Mix
from paribus.analysis.simulate.tables import ALPHA, HIGHEST, LOWEST, looks_table, methods_table
from paribus.analysis.simulate.zero_one import Exam, zero_one_rates

SEEDS_AS_EXAMPLES = next(mix for mix in MIXES if mix.name == "seeds as examples")


@pytest.mark.parametrize("scope", [Scope.NEW_DATA, Scope.THIS_TEST_SET])
@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("examples", EXAMPLES)
def test_intervals_cover_and_verdicts_keep_their_error(scope: Scope, seeds: int, examples: int) -> None:
    for rates in coverage(seeds, examples, scope, 4000, np.random.default_rng([seeds, examples])):
        assert rates.coverage >= LOWEST
        assert rates.coverage <= HIGHEST or rates.mix.has_zero
        # Averaged probabilities of draws spread over slices: the simulation errs by about 0.05 points.
        assert rates.false_difference <= ALPHA + 0.0015
        assert rates.false_equivalence <= ALPHA + 0.0015


@pytest.mark.parametrize("schedule", [SCHEDULES[0], SCHEDULES[4]])
@pytest.mark.parametrize("scope", [Scope.NEW_DATA, Scope.THIS_TEST_SET])
def test_planned_looks_keep_their_error(schedule: Schedule, scope: Scope) -> None:
    draws = 20_000
    found = errors(schedule, SEEDS_AS_EXAMPLES, 200, scope, draws, np.random.default_rng(1))
    assert max(found) <= ALPHA + 3 * np.sqrt(ALPHA * (1 - ALPHA) / draws)
    assert min(found) > 0.02, "and they do spend it"


def test_looking_again_and_again_without_a_plan_errs_far_more_often() -> None:
    """The simulation can fail: unspent looks at the full level break the bound it checks."""
    from paribus.analysis.critical import half_width

    hit = np.zeros(5000, dtype=bool)
    for growth in grow(SCHEDULES[0], SEEDS_AS_EXAMPLES, 200, Scope.THIS_TEST_SET, 5000, np.random.default_rng(2)):
        hit |= np.abs(growth.estimate) > half_width(growth.variance, 0.05)
    assert hit.mean() > 0.1


@pytest.mark.parametrize("scope", [Scope.NEW_DATA, Scope.THIS_TEST_SET])
def test_a_family_keeps_its_error(scope: Scope) -> None:
    found = family_error(4, SEEDS_AS_EXAMPLES, 3, 200, scope, 10_000, np.random.default_rng(3))
    assert 0.01 < found <= ALPHA + 0.0066


def matrices(mix: Mix, seeds: int, examples: int, draws: int, generator: np.random.Generator) -> np.ndarray:
    shape = (draws, seeds, examples)
    return (
        np.sqrt(mix.seed * seeds) * generator.standard_normal((draws, seeds, 1))
        + np.sqrt(mix.example * examples) * generator.standard_normal((draws, 1, examples))
        + np.sqrt(mix.rest * seeds * examples) * generator.standard_normal(shape)
    )


@pytest.mark.parametrize("scope", [Scope.NEW_DATA, Scope.THIS_TEST_SET])
def test_whole_matrices_give_the_variances_that_are_drawn_directly(scope: Scope) -> None:
    mix, seeds, examples, draws = Mix("test", 0.3, 0.4, 0.3), 4, 60, 1500
    generator = np.random.default_rng(4)
    covered = 0
    squared = []
    for d in matrices(mix, seeds, examples, draws, generator):
        found = compare_scores(d, np.zeros_like(d), scope=scope)
        assert found.low is not None
        assert found.high is not None
        assert found.standard_error is not None
        squared.append(found.standard_error**2)
        # On this test set the truth moves with the examples drawn: it is checked on new data alone.
        covered += found.low <= 0 <= found.high
    variance, _ = drawn_variance(mix, seeds, examples, scope, 20_000, generator)
    drawn = np.asarray(variance.total)
    assert np.mean(squared) == pytest.approx(drawn.mean(), rel=0.08)
    assert np.quantile(squared, [0.1, 0.5, 0.9]) == pytest.approx(np.quantile(drawn, [0.1, 0.5, 0.9]), rel=0.12)
    if scope is Scope.NEW_DATA:
        assert covered / draws >= LOWEST


def test_growing_studies_have_the_laws_of_whole_matrices() -> None:
    mix, schedule, examples, draws = Mix("test", 0.3, 0.4, 0.3), Schedule((3, 5)), 60, 4000
    generator = np.random.default_rng(5)
    early, late = grow(schedule, mix, examples, Scope.NEW_DATA, draws, generator)
    full = matrices(mix, 5, examples, draws, generator)
    for growth, seeds in ((early, 3), (late, 5)):
        found = [compare_scores(d[:seeds], np.zeros_like(d[:seeds])) for d in full[:800]]
        expected = np.mean([comparison.standard_error**2 for comparison in found if comparison.standard_error])
        assert np.mean(np.asarray(growth.variance.total)) == pytest.approx(expected, rel=0.1)
        assert growth.estimate.std() == pytest.approx(full[:, :seeds].mean(axis=(1, 2)).std(), rel=0.05)
    here = np.corrcoef(early.estimate, late.estimate)[0, 1]
    there = np.corrcoef(full[:, :3].mean(axis=(1, 2)), full.mean(axis=(1, 2)))[0, 1]
    assert here == pytest.approx(there, abs=0.03)


def test_scores_of_zero_and_one_are_covered() -> None:
    found = zero_one_rates(Exam(2.6, 2.35), 4, 600, 400, np.random.default_rng(6))
    assert min(found.covered.values()) >= LOWEST - 0.02
    equal = zero_one_rates(Exam(2.0, 2.0), 4, 600, 400, np.random.default_rng(7))
    assert equal.decided[Scope.NEW_DATA] <= ALPHA + 0.033


def test_a_table_names_what_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paribus.analysis.simulate.tables.errors", lambda *_: (0.2, 0.01))
    table = looks_table(1000, np.random.default_rng(8))
    assert "looks at 3, 6, 9, 12: error 0.2000" in table.broken
    assert "| 3, 6, 9, 12 | 20.00 % | 1.00 % |" in table.text


@pytest.mark.slow
def test_the_command_prints_tables_and_says_that_their_bounds_hold(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Those that are quick; ``make proof`` prints them all, with twenty times the draws."""
    monkeypatch.setattr("sys.argv", ["simulate", "coverage", "looks", "families", "runs", "few", "--draws", "5000"])
    assert command.main() == 0
    printed = capsys.readouterr().out
    assert printed.count("\n| --- |") == 6
    assert printed.endswith("Every bound holds.\n")


def test_one_table_is_printed_by_its_name(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["simulate", "methods"])
    assert command.main() == 0
    assert capsys.readouterr().out.count("\n| --- |") == 1
    monkeypatch.setattr("sys.argv", ["simulate", "method"])
    with pytest.raises(SystemExit):
        command.main()
    assert "'method': no such table; choose of coverage, methods" in capsys.readouterr().err


def test_the_docs_show_the_table_of_other_methods_as_printed() -> None:
    """The one table without chance in it: where it changes, the docs were not printed again."""
    page = Path(__file__).parents[2] / "docs" / "statistics.md"
    assert methods_table().text in page.read_text(encoding="utf-8")
