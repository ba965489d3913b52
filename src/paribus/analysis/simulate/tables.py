"""The simulations as Markdown tables, each checked against its bounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from paribus.analysis.comparison import Scope
from paribus.analysis.simulate.coverage import Rates, coverage
from paribus.analysis.simulate.families import family_error
from paribus.analysis.simulate.growing import SCHEDULES, errors
from paribus.analysis.simulate.methods import METHODS, error_range, estimated_correlation_error
from paribus.analysis.simulate.settings import EXAMPLES, MIXES, SEEDS, Mix
from paribus.analysis.simulate.table import Table, as_percent, markdown, tolerance
from paribus.analysis.simulate.zero_one import Exam, zero_one_rates

LOWEST, HIGHEST, ALPHA = 0.935, 0.975, 0.05
EXAMS = (("98 %, equal", Exam(2.6, 2.6)), ("98 % and 97 %", Exam(2.6, 2.35)), ("90 %, equal", Exam(1.5, 1.5)))
_FEW_MIXES = ("rest only", "seeds dominate", "examples dominate", "all alike", "seeds as examples")


def coverage_tables(draws: int, generator: np.random.Generator) -> Iterator[Table]:
    """One comparison in each scope."""
    for scope in Scope:
        yield coverage_table(scope, draws, generator)


def coverage_table(scope: Scope, draws: int, generator: np.random.Generator) -> Table:
    """Coverage and errors of one comparison in one scope. Two seeds are listed too; no bound is promised for them."""
    rows: list[Sequence[str]] = []
    broken: list[str] = []
    for seeds in (2, *SEEDS):
        for examples in EXAMPLES:
            rates = list(coverage(seeds, examples, scope, draws, generator))
            positive = [rate for rate in rates if not rate.mix.has_zero]
            zero = [rate for rate in rates if rate.mix.has_zero]
            different = max(rate.false_difference for rate in rates)
            equivalent = max(rate.false_equivalence for rate in rates)
            rows.append(
                (
                    str(seeds),
                    f"{examples:,}",
                    _span(positive),
                    _span(zero),
                    as_percent(different),
                    as_percent(equivalent),
                )
            )
            if seeds in SEEDS:
                place = f"{scope}, {seeds} seeds, {examples} examples"
                broken.extend(_broken(place, rates, draws))
    head = ("S", "N", "coverage, all components > 0", "a component is 0", "false better/worse", "false equivalent")
    return Table(
        f"**One comparison, on {scope}** (95 % interval; worst over the mixes)\n\n" + markdown(head, rows),
        tuple(broken),
    )


def methods_table() -> Table:
    """Other critical values beside ours, integrated rather than simulated; for the decision record."""
    rows: list[Sequence[str]] = []
    for alpha in (0.05, 0.005):
        for seeds in (2, 3, 5, 10, 30):
            ranges = [error_range(method, seeds, alpha) for _, method in METHODS]
            rows.append(
                (as_percent(alpha), str(seeds), *(f"{as_percent(low)} to {as_percent(high)}" for low, high in ranges))
            )
    head = ("nominal error", "S", *(name for name, _ in METHODS))
    return Table(
        "**Error of other critical values** (new data, N endless, over all mixes)\n\n" + markdown(head, rows), ()
    )


def looks_table(draws: int, generator: np.random.Generator) -> Table:
    """Errors over all planned looks."""
    rows: list[Sequence[str]] = []
    broken: list[str] = []
    allowed = tolerance(ALPHA, draws)
    for schedule in SCHEDULES:
        new = [
            errors(schedule, mix, examples, Scope.NEW_DATA, draws, generator)
            for mix in _few_mixes()
            for examples in (200, 10_000)
        ]
        # On one test set the t statistics do not depend on the mix: one long run says more than many short ones.
        here = errors(schedule, MIXES[0], 200, Scope.THIS_TEST_SET, 5 * draws, generator)
        worst = [max(rates[kind] for rates in new) for kind in (0, 1)] + list(here)
        looks = ", ".join(str(seeds) for seeds in schedule.seeds)
        rows.append((looks, *(as_percent(rate) for rate in worst)))
        broken += [f"looks at {looks}: error {rate:.4f}" for rate in worst if rate > ALPHA + allowed]
    head = (
        "looks at seeds",
        "new data: false better/worse",
        "false equivalent",
        "this test set: false better/worse",
        "false equivalent",
    )
    return Table("**Planned looks** (error over all looks, worst over mixes)\n\n" + markdown(head, rows), tuple(broken))


def families_table(draws: int, generator: np.random.Generator) -> Table:
    """Errors over all pairs of several arms."""
    rows: list[Sequence[str]] = []
    broken: list[str] = []
    allowed = tolerance(ALPHA, draws)
    for arms in (3, 5):
        for seeds in SEEDS:
            worst = [
                max(family_error(arms, mix, seeds, 2_000, scope, draws, generator) for mix in _few_mixes())
                for scope in Scope
            ]
            other = estimated_correlation_error(arms, seeds, max(draws // 25, 100), generator)
            rows.append((str(arms), str(seeds), *(as_percent(rate) for rate in (*worst, other))))
            broken += [f"{arms} arms, {seeds} seeds: error {rate:.4f}" for rate in worst if rate > ALPHA + allowed]
    head = ("arms, all pairs", "S", "new data", "this test set", "max-t, estimated correlation (this test set)")
    return Table(
        "**Several contrasts at once** (share of studies with any false better/worse; N = 2,000)\n\n"
        + markdown(head, rows),
        tuple(broken),
    )


def zero_one_table(draws: int, generator: np.random.Generator) -> Table:
    """Scores of 0 and 1 through ``compare_scores``; the error on new data is checked where the arms are equal."""
    rows: list[Sequence[str]] = []
    broken: list[str] = []
    allowed = tolerance(ALPHA, draws)
    for name, exam in EXAMS:
        equal = exam.skill_a == exam.skill_b
        for seeds, examples in ((3, 200), (3, 2_000), (10, 200), (10, 2_000)):
            rates = zero_one_rates(exam, seeds, examples, draws, generator)
            false = rates.decided[Scope.NEW_DATA]
            rows.append(
                (
                    name,
                    str(seeds),
                    f"{examples:,}",
                    as_percent(rates.covered[Scope.NEW_DATA]),
                    as_percent(false) if equal else "",
                    as_percent(rates.covered[Scope.THIS_TEST_SET]),
                    as_percent(rates.decided[Scope.THIS_TEST_SET]) if equal else "",
                )
            )
            if equal and false > ALPHA + allowed:
                broken.append(f"0/1 scores, {name}, {seeds} seeds, {examples} examples: error {false:.4f}")
    head = (
        "accuracies",
        "S",
        "N",
        "new data: coverage",
        "false better/worse",
        "this test set: coverage",
        "called different there",
    )
    return Table("**Scores of 0 and 1**\n\n" + markdown(head, rows), tuple(broken))


def _few_mixes() -> tuple[Mix, ...]:
    return tuple(mix for mix in MIXES if mix.name in _FEW_MIXES)


def _broken(place: str, rates: Sequence[Rates], draws: int) -> Iterator[str]:
    for rate in rates:
        if rate.coverage < LOWEST:
            yield f"{place}, {rate.mix.name}: coverage {rate.coverage:.4f}"
        if rate.coverage > HIGHEST and not rate.mix.has_zero:
            yield f"{place}, {rate.mix.name}: coverage {rate.coverage:.4f}"
        for error in (rate.false_difference, rate.false_equivalence):
            # Averages of probabilities, not of yes and no: their error is well below that of counting.
            if error > ALPHA + tolerance(ALPHA, draws):
                yield f"{place}, {rate.mix.name}: error {error:.4f}"


def _span(rates: Sequence[Rates]) -> str:
    covered = [rate.coverage for rate in rates]
    return f"{100 * min(covered):.1f} to {100 * max(covered):.1f} %" if covered else ""
