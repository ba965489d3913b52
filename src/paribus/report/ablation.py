"""What each part of a model contributes: a table for terminals, notebooks and JSON, the largest contribution first.

A part's contribution is the score of the unchanged model minus that of the model without that part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from paribus.ablation import AS_IT_IS
from paribus.analysis import JudgedContrast, Verdict
from paribus.analysis.phrases import interval_name, scope_text
from paribus.analysis.wording import unit_name
from paribus.outcome.outcome import Outcome
from paribus.report import numbers
from paribus.report.html.build import Child, Markup, tag
from paribus.report.html.fragment import style
from paribus.report.html.parts import badge
from paribus.report.html.parts import table as html_table
from paribus.report.json import contrast_fields, outcome_fields
from paribus.report.terminal import STYLES


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a model: its arm, its name, the change that removes it, and the reason if that was not tried."""

    arm: str
    part: str
    change: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class AblationOutcome:
    """The outcome of an ablation's runs, and the parts that its arms leave out.

    Attributes:
        outcome: the unchanged model (``base``) and each variant, with a contrast of the first with every other.
        base: the name of the arm that is the unchanged model.
        parts: the parts whose removal was tried.
        left_out: the parts whose removal was not, with reasons.
    """

    outcome: Outcome
    base: str
    parts: tuple[Part, ...]
    left_out: tuple[Part, ...]

    def ranked(self) -> list[tuple[Part, JudgedContrast]]:
        """Parts with their contrasts, the largest contribution first; parts without a number last."""
        by_arm = {contrast.b: contrast for contrast in self.outcome.contrasts if contrast.a == self.base}
        pairs = [(part, by_arm[part.arm]) for part in self.parts]
        return sorted(pairs, key=lambda pair: -_contribution(pair[1]))


def _contribution(contrast: JudgedContrast) -> float:
    comparison = contrast.comparison
    if comparison is None:
        return float("-inf")
    return comparison.difference if comparison.higher_is_better else -comparison.difference


def ablation_fields(ablation: AblationOutcome) -> dict[str, Any]:
    """The JSON of ``paribus ablate``: that of a study, with ``ablation``, one entry for each part, and ``left_out``.

    Args:
        ablation: the outcome with its parts.
    """
    return {
        **outcome_fields(ablation.outcome),
        "base": ablation.base,
        "ablation": [
            {"part": part.part, "change": part.change, "arm": part.arm, **contrast_fields(contrast)}
            for part, contrast in ablation.ranked()
        ],
        "left_out": [
            {"part": part.part, "change": part.change, "arm": part.arm, "reason": part.reason}
            for part in ablation.left_out
        ],
    }


def render_ablation(ablation: AblationOutcome) -> RenderableType:
    """The table for a terminal."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading in _HEAD:
        table.add_column(heading, justify="right" if heading in _NUMBERS else "left", no_wrap=heading in _NUMBERS)
    for cells, verdict in _rows(ablation):
        name, change, difference, word, parameters = cells
        table.add_row(Text(name, style="bold"), change, difference, Text(word, style=STYLES[verdict]), parameters)
    return Group(
        Text(_title(ablation), style="bold"),
        Text(),
        table,
        Text(_caption(ablation), style="dim"),
        *(Text(f"* {note}") for note in (*_left_out(ablation), *ablation.outcome.notes)),
    )


def ablation_fragment(ablation: AblationOutcome) -> str:
    """The table for a notebook."""
    cells: list[Sequence[Child]] = [
        [name, change, tag("span", difference, style="white-space:nowrap"), badge(verdict), parameters]
        for (name, change, difference, _, parameters), verdict in _rows(ablation)
    ]
    notes = [tag("li", note) for note in (*_left_out(ablation), *ablation.outcome.notes)]
    return tag(
        "div",
        tag("style", Markup(style())),
        tag("h3", _title(ablation)),
        html_table(_caption(ablation), _HEAD, cells, numbers=4),
        tag("ul", notes) if notes else None,
        class_="paribus",
    ).text


_NUMBERS = ("contribution", "parameters")
_HEAD = ("part", "what was changed", "contribution", "verdict", "parameters")


def _rows(ablation: AblationOutcome) -> list[tuple[tuple[str, str, str, str, str], Verdict]]:
    arms = {arm.name: arm for arm in ablation.outcome.arms}
    rows = []
    for part, contrast in ablation.ranked():
        comparison = contrast.comparison
        verdict = comparison.verdict if comparison else Verdict.UNDECIDED
        difference = (
            str(numbers.format_difference(contrast.metric, comparison.difference, comparison.low, comparison.high))
            if comparison
            else numbers.UNDEFINED
        )
        parameters = f"{arms[part.arm].trained_recipe.parameters:,}"
        rows.append(((part.part, part.change, difference, str(verdict), parameters), verdict))
    return rows


def _title(ablation: AblationOutcome) -> str:
    question = ablation.outcome.document.question
    return question or f"What each part of {ablation.base} contributes"


def _caption(ablation: AblationOutcome) -> str:
    arm = ablation.outcome.arm(ablation.base)
    accuracy = numbers.format_estimate("test_accuracy", arm.estimates.get("test_accuracy"))
    name = "The model" if ablation.base == AS_IT_IS else ablation.base
    base = f"{name} as it is: test accuracy {accuracy.value} %, {arm.trained_recipe.parameters:,} parameters."
    known = [contrast.comparison for contrast in ablation.outcome.contrasts if contrast.comparison is not None]
    if not any(comparison.low is not None for comparison in known):
        return f"{base} One seed cannot show a difference; run more seeds."
    metric, first = ablation.outcome.contrasts[0].metric, known[0]
    return (
        f"{base} Contribution: {metric.label} as it is minus that of the changed model, in {unit_name(metric.unit)} "
        f"[{interval_name(first)}], {scope_text(first.scope, metric)}, "
        f"{first.seeds} seeds. Verdicts are for the model as it is."
    )


def _left_out(ablation: AblationOutcome) -> list[str]:
    return [f"Not tried: {part.change} ({part.reason})." for part in ablation.left_out]
