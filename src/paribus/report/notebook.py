"""The notebook that ``mnist-mlps`` repeats: what it printed and concluded, held against the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from paribus.analysis import Estimate, JudgedContrast, Verdict
from paribus.analysis.sentences import interval_name
from paribus.analysis.wording import differences
from paribus.outcome.outcome import Outcome
from paribus.report.numbers import MINUS, points
from paribus.report.reading import Reading


@dataclass(frozen=True, slots=True)
class Printed:
    """What the notebook printed of one network, trained once, and the parameters by which it is recognized."""

    parameters: int
    test_accuracy: float
    fit_accuracy: float | None = None


PRINTED = MappingProxyType(
    {
        "simple": Printed(79_510, 0.9214),
        "deep-dropout": Printed(319_810, 0.9813),
        "wide": Printed(898_510, 0.9771, 0.9935),
        "big-dropout": Printed(1_111_460, 0.9828, 0.9823),
        "big": Printed(1_111_460, 0.9792, 0.992),
    }
)

WITH, WITHOUT, OTHER = "big-dropout", "big", "wide"
"""Its conclusion rests on the first two; its question arose between the first and the third."""


def readings(outcome: Outcome) -> tuple[Reading, ...]:
    """What the notebook read from its numbers and these runs do not say; nothing for any other study or data."""
    if not _is_the_notebooks(outcome):
        return ()
    return tuple(remark for remark in (_gap(outcome), _one_seed(outcome), _confounded(outcome)) if remark)


def _is_the_notebooks(outcome: Outcome) -> bool:
    return (
        outcome.document.name == "mnist-mlps"
        and outcome.data.name == "mnist"
        and all(
            arm.name not in PRINTED or arm.recipe.parameters == PRINTED[arm.name].parameters for arm in outcome.arms
        )
    )


def _gap(outcome: Outcome) -> Reading | None:
    """It compared gaps that were taken from fit accuracy, in which dropout is at work."""
    regularized, plain = _means(outcome, WITH), _means(outcome, OTHER)
    seen, other = PRINTED[WITH], PRINTED[OTHER]
    if regularized is None or plain is None or seen.fit_accuracy is None or other.fit_accuracy is None:
        return None
    printed = (other.fit_accuracy - other.test_accuracy) - (seen.fit_accuracy - seen.test_accuracy)
    by_fit = (plain["fit"] - plain["test"]) - (regularized["fit"] - regularized["test"])
    honest = (plain["train"] - plain["test"]) - (regularized["train"] - regularized["test"])
    if not 0 <= honest < 0.8 * by_fit:
        return None
    part = "mostly" if honest < by_fit / 2 else "partly"
    return Reading(
        f"What the notebook read as generalization is {part} how fit measures",
        f"\u201cThis network generalized better than the previous model\u201d: by fit accuracy the gap of {WITH} is "
        f"{points(printed, signed=False)} smaller than that of {OTHER}. By fit accuracy these runs say "
        f"{points(by_fit, signed=False)}; by train accuracy it is {points(honest, signed=False)}. The rest comes from "
        "measuring with dropout on, over weights that still change.",
    )


def _one_seed(outcome: Outcome) -> Reading | None:
    """It trained each network once."""
    contrast = _contrast(outcome, WITH, WITHOUT)
    comparison = None if contrast is None else contrast.comparison
    if contrast is None or comparison is None or comparison.low is None or comparison.high is None:
        return None
    sign = 1.0 if contrast.a == WITH else -1.0
    seeds = [sign * value for value in comparison.seed_differences]
    ends = sorted((sign * comparison.low, sign * comparison.high))
    mean, least, most, low, high = _points(contrast, sign * comparison.difference, min(seeds), max(seeds), *ends)
    printed = PRINTED[WITH].test_accuracy - PRINTED[WITHOUT].test_accuracy
    ahead, behind = _test_accuracies(outcome, WITH), _test_accuracies(outcome, WITHOUT)
    against = sum(first <= second for first in ahead for second in behind)
    luck = (
        f" Of the {len(ahead) * len(behind):,} ways to pick one run of each, {against:,} would not have shown it ahead."
    )
    claim = {
        Verdict.BETTER: "So the conclusion stands, now with an error bar.",
        Verdict.WORSE: "So the opposite of the conclusion holds.",
        Verdict.EQUIVALENT: "So the conclusion does not stand: they are equivalent within the declared margin.",
        Verdict.UNDECIDED: "So the conclusion may be right, but neither one run of each nor these runs can show it.",
    }[_verdict(contrast, WITH)]
    return Reading(
        "The notebook trained each network once",
        f"\u201cLooks like dropout does provide value, after all\u201d: {points(printed)} for {WITH} over {WITHOUT}, "
        f"from one run of each. Over {comparison.seeds} seeds it is {mean} points, from {least} to {most} on single "
        f"seeds ({interval_name(comparison)} {low} to {high}, on {comparison.scope}).{luck if against else ''} {claim}",
    )


def _confounded(outcome: Outcome) -> Reading | None:
    """It asked whether dropout or architecture made the difference, between arms that differ in both."""
    both, architecture, dropout = (
        _contrast(outcome, WITH, OTHER),
        _contrast(outcome, WITHOUT, OTHER),
        _contrast(outcome, WITH, WITHOUT),
    )
    parts = [_signed_difference(c, a) for c, a in ((both, WITH), (architecture, WITHOUT), (dropout, WITH))]
    known = [part for part in parts if part is not None]
    if dropout is None or len(known) < len(parts):
        return None
    whole, by_architecture, by_dropout = _points(dropout, *known)
    return Reading(
        "The notebook changed two things at once",
        f"\u201cIs that due to the dropout? Or the different network architecture\u201d: {WITH} and {OTHER} differ in "
        f"both. The {whole} points between them are {by_architecture} for the architecture ({WITHOUT} against {OTHER}: "
        f"{_verdict(architecture, WITHOUT)}) and {by_dropout} for the dropout ({WITH} against {WITHOUT}: "
        f"{_verdict(dropout, WITH)}), dropout being tried in one architecture only. The study dropout-or-architecture "
        "crosses the two.",
    )


def _contrast(outcome: Outcome, first: str, second: str) -> JudgedContrast | None:
    """The contrast of two arms on test accuracy, whichever of them comes first."""
    return next(
        (c for c in outcome.contrasts if {c.a, c.b} == {first, second} and c.metric.name == "test_accuracy"), None
    )


def _signed_difference(contrast: JudgedContrast | None, first: str) -> float | None:
    if contrast is None or contrast.comparison is None or contrast.comparison.seeds < 2 or contrast.missing:
        return None
    return contrast.comparison.difference if contrast.a == first else -contrast.comparison.difference


def _verdict(contrast: JudgedContrast | None, first: str) -> Verdict:
    if contrast is None or contrast.comparison is None:
        return Verdict.UNDECIDED
    turned = {Verdict.BETTER: Verdict.WORSE, Verdict.WORSE: Verdict.BETTER}
    verdict = contrast.comparison.verdict
    return verdict if contrast.a == first else turned.get(verdict, verdict)


def _means(outcome: Outcome, arm: str) -> dict[str, float] | None:
    found = next((entry for entry in outcome.arms if entry.name == arm), None)
    if found is None:
        return None
    estimates: dict[str, Estimate | None] = {
        name: found.estimates.get(f"{name}_accuracy") for name in ("fit", "train", "test")
    }
    means = {name: estimate.mean for name, estimate in estimates.items() if estimate is not None}
    return means if len(means) == len(estimates) else None


def _test_accuracies(outcome: Outcome, arm: str) -> list[float]:
    return [run.scores.test_accuracy for run in outcome.arm(arm).runs if run.scores is not None]


def _points(contrast: JudgedContrast, *values: float) -> Iterator[str]:
    return (text.replace("-", MINUS) for text in differences(values, contrast.metric.unit))
