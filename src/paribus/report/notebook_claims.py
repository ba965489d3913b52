"""The claims of the notebook that a built-in study repeats, compared with the study's runs."""

from __future__ import annotations

from collections.abc import Iterator

from paribus.analysis import Estimate, JudgedContrast, Verdict
from paribus.analysis.phrases import interval_name
from paribus.analysis.possible import print_limits
from paribus.analysis.wording import differences
from paribus.outcome.outcome import Outcome
from paribus.report.misreading import Misreading
from paribus.report.numbers import MINUS, format_points
from paribus.study.builtin.notebook import Notebook, load_notebook

_HONEST_SHARE = 0.8
"""Where at least this share of the gap by fit accuracy is real, there is nothing to remark on."""


def check_claims(outcome: Outcome) -> tuple[Misreading, ...]:
    """Remarks where the notebook's conclusions and these runs differ; empty for any other study or data.

    Args:
        outcome: the outcome.
    """
    notebook = load_notebook(outcome.document.name)
    if notebook is None or not _is_repeated(notebook, outcome):
        return ()
    remarks = (
        _check_generalization(notebook, outcome),
        _check_conclusion(notebook, outcome),
        _check_question(notebook, outcome),
    )
    return tuple(remark for remark in remarks if remark is not None)


def _is_repeated(notebook: Notebook, outcome: Outcome) -> bool:
    """Whether data and networks are the notebook's: a study of your own may have the same name."""
    return outcome.data.name == notebook.data and all(
        arm.name not in notebook.printed or arm.trained_recipe.parameters == notebook.printed[arm.name].parameters
        for arm in outcome.arms
    )


def _check_generalization(notebook: Notebook, outcome: Outcome) -> Misreading | None:
    """Gaps that are computed from fit accuracy, in which dropout is active, against gaps from train accuracy."""
    claim = notebook.generalization
    a, b = _mean_accuracies(outcome, claim.a), _mean_accuracies(outcome, claim.b)
    printed_a, printed_b = notebook.printed[claim.a], notebook.printed[claim.b]
    if a is None or b is None or printed_a.fit_accuracy is None or printed_b.fit_accuracy is None:
        return None
    printed = (printed_b.fit_accuracy - printed_b.test_accuracy) - (printed_a.fit_accuracy - printed_a.test_accuracy)
    by_fit = (b["fit"] - b["test"]) - (a["fit"] - a["test"])
    by_train = (b["train"] - b["test"]) - (a["train"] - a["test"])
    if not 0 <= by_train < _HONEST_SHARE * by_fit:
        return None
    part = "mostly" if by_train < by_fit / 2 else "partly"
    return Misreading(
        f"What the notebook read as generalization is {part} how fit measures",
        f"\u201c{claim.quote}\u201d: by fit accuracy the gap of {claim.a} is "
        f"{format_points(printed, signed=False)} smaller than that of {claim.b}. By fit accuracy these runs say "
        f"{format_points(by_fit, signed=False)}; by train accuracy it is {format_points(by_train, signed=False)}. "
        "The rest comes from measuring with dropout on, over weights that still "
        "change.",
    )


def _check_conclusion(notebook: Notebook, outcome: Outcome) -> Misreading | None:
    """A difference between one run of each of two networks against the differences over all seeds."""
    claim = notebook.conclusion
    contrast = _find_contrast(outcome, claim.a, claim.b)
    comparison = None if contrast is None else contrast.comparison
    if contrast is None or comparison is None or comparison.low is None or comparison.high is None:
        return None
    sign = 1.0 if contrast.a == claim.a else -1.0
    by_seed = [sign * value for value in comparison.seed_differences]
    interval = print_limits(contrast.metric, comparison.low, comparison.high)
    limits = sorted((sign * interval.low, sign * interval.high))
    mean, least, most, low, high = _in_points(
        contrast, sign * comparison.difference, min(by_seed), max(by_seed), *limits
    )
    printed = notebook.printed[claim.a].test_accuracy - notebook.printed[claim.b].test_accuracy
    a, b = _test_accuracies(outcome, claim.a), _test_accuracies(outcome, claim.b)
    not_ahead = sum(first <= second for first in a for second in b)
    chance = (
        f" Of the {len(a) * len(b):,} ways to pick one run of each, {not_ahead:,} would not have shown it ahead."
        if not_ahead
        else ""
    )
    answer = {
        Verdict.BETTER: "So the conclusion stands, now with an error bar.",
        Verdict.WORSE: "So the opposite of the conclusion holds.",
        Verdict.EQUIVALENT: "So the conclusion does not stand: they are equivalent within the margin.",
        Verdict.UNDECIDED: "So the conclusion may be right, but neither one run of each nor these runs can show it.",
    }[_verdict_for(contrast, claim.a)]
    return Misreading(
        "The notebook trained each network once",
        f"\u201c{claim.quote}\u201d: {format_points(printed)} for {claim.a} over {claim.b}, from one run of each. Over "
        f"{comparison.seeds} seeds it is {mean} points, from {least} to {most} on single seeds "
        f"({interval_name(comparison)} {low} to {high}, on {comparison.scope}).{chance} {answer}",
    )


def _check_question(notebook: Notebook, outcome: Outcome) -> Misreading | None:
    """A difference between arms that differ in two ways, split at the arm between them."""
    claim = notebook.question
    whole, first, second = (
        _find_contrast(outcome, claim.a, claim.b),
        _find_contrast(outcome, claim.between, claim.b),
        _find_contrast(outcome, claim.a, claim.between),
    )
    steps = ((whole, claim.a), (first, claim.between), (second, claim.a))
    known = [value for contrast, arm in steps if (value := _difference_for(contrast, arm)) is not None]
    if second is None or len(known) < len(steps):
        return None
    total, by_first, by_second = _in_points(second, *known)
    change, other_change = claim.changes
    return Misreading(
        "The notebook changed two things at once",
        f"\u201c{claim.quote}\u201d: {claim.a} and {claim.b} differ in both. The {total} points between them are "
        f"{by_first} for the {change} ({claim.between} against {claim.b}: {_verdict_for(first, claim.between)}) and "
        f"{by_second} for the {other_change} ({claim.a} against {claim.between}: {_verdict_for(second, claim.a)}), "
        f"{other_change} being tried in one {change} only. The study {claim.crossed_by} crosses the two.",
    )


def _find_contrast(outcome: Outcome, first: str, second: str) -> JudgedContrast | None:
    """The contrast of two arms on test accuracy, whichever of them comes first."""
    return next(
        (c for c in outcome.contrasts if {c.a, c.b} == {first, second} and c.metric.name == "test_accuracy"), None
    )


def _difference_for(contrast: JudgedContrast | None, arm: str) -> float | None:
    """That arm's mean minus the other's; None without two seeds, or where a seed is missing."""
    if contrast is None or contrast.comparison is None or contrast.comparison.seeds < 2 or contrast.missing:
        return None
    return contrast.comparison.difference if contrast.a == arm else -contrast.comparison.difference


def _verdict_for(contrast: JudgedContrast | None, arm: str) -> Verdict:
    """The verdict as it is for that arm against the other one."""
    if contrast is None or contrast.comparison is None:
        return Verdict.UNDECIDED
    opposite = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}
    verdict = contrast.comparison.verdict
    return verdict if contrast.a == arm else opposite.get(verdict, verdict)


def _mean_accuracies(outcome: Outcome, arm: str) -> dict[str, float] | None:
    """Mean fit, train and test accuracy of an arm; None where one of them is not known."""
    entry = next((entry for entry in outcome.arms if entry.name == arm), None)
    if entry is None:
        return None
    estimates: dict[str, Estimate | None] = {
        name: entry.estimates.get(f"{name}_accuracy") for name in ("fit", "train", "test")
    }
    means = {name: estimate.mean for name, estimate in estimates.items() if estimate is not None}
    return means if len(means) == len(estimates) else None


def _test_accuracies(outcome: Outcome, arm: str) -> list[float]:
    return [run.scores.test_accuracy for run in outcome.arm(arm).scored if run.scores is not None]


def _in_points(contrast: JudgedContrast, *values: float) -> Iterator[str]:
    return (text.replace("-", MINUS) for text in differences(values, contrast.metric.unit))
