"""The contrasts and the effects of a factorial study: drawn, tabled, and seed by seed."""

from __future__ import annotations

from collections.abc import Sequence

from paribus.analysis import Comparison, Effect, JudgedContrast
from paribus.analysis.sentences import contrast_sentence
from paribus.analysis.wording import magnitude, percent, unit_name
from paribus.outcome.outcome import Outcome
from paribus.report import numbers
from paribus.report.figures import differences as figures
from paribus.report.figures.cell_means import draw_cells
from paribus.report.html.build import Child, Markup, tag
from paribus.report.html.parts import (
    NARROW,
    badge,
    details,
    panel_grid,
    responsive_figure,
    section,
    sentence_paragraph,
    table,
    verdict_of,
)

_MOST_PANELS = 12


def contrasts_section(outcome: Outcome) -> Markup | None:
    """Every contrast with difference, interval and verdict."""
    if not outcome.contrasts:
        return None
    metrics = dict.fromkeys(contrast.metric.name for contrast in outcome.contrasts)
    groups = [[c for c in outcome.contrasts if c.metric.name == name] for name in metrics]
    drawn = [_forest(f"contrasts-{group[0].metric.name}", group, outcome) for group in groups]
    sentences = [sentence_paragraph(contrast_sentence(c), (c.a, c.b)) for c in outcome.contrasts]
    return section(
        "contrasts",
        "The contrasts",
        _family(outcome),
        drawn,
        [_table(group) for group in groups],
        details("All of it in sentences", sentences),
        _seed_by_seed(outcome),
    )


def effects_section(outcome: Outcome) -> Markup | None:
    """Main effects and interactions."""
    if not outcome.effects:
        return None
    return section(
        "effects",
        "Main effects and interactions",
        tag(
            "p",
            "A main effect compares two levels of a factor, averaged over all levels of the others. An interaction "
            "says by how much a factor's effect differs between two levels of another factor; where there is one, read "
            "the cells.",
        ),
        responsive_figure(
            lambda width: figures.draw_forest("effects", outcome.effects, width),
            "Each effect with its interval and seeds.",
        ),
        responsive_figure(
            lambda width: draw_cells(outcome, width),
            "Mean test accuracy of every cell, with its seeds. Parallel lines would be no interaction.",
        ),
        _table(outcome.effects),
    )


def _family(outcome: Outcome) -> Markup:
    known = [item.comparison for item in outcome.contrasts if item.comparison is not None and item.comparison.seeds > 1]
    if not known:
        return tag("p", "One seed shows one difference and not how far the next would be from it: nothing is decided.")
    family = max((comparison.contrasts for comparison in known), default=1)
    level = percent(outcome.document.comparison.level)
    together = f"Intervals, adjusted p and verdicts hold for all {family} comparisons at once, at {level}. "
    return tag(
        "p",
        together if family > 1 else None,
        "A difference is undecided where the runs show neither a difference nor that it is smaller than the margin.",
    )


def _forest(name: str, group: Sequence[JudgedContrast], outcome: Outcome) -> Markup | None:
    level = percent(outcome.document.comparison.level)
    label = group[0].metric.label
    if all(contrast.comparison is None or contrast.comparison.seeds < 2 for contrast in group):
        return responsive_figure(
            lambda width: figures.draw_forest(name, group, width), f"Differences in {label}, one seed each."
        )
    return responsive_figure(
        lambda width: figures.draw_forest(name, group, width),
        f"Differences in {label} with {level} intervals; small dots are the paired differences of the seeds.",
    )


def _table(items: Sequence[JudgedContrast] | Sequence[Effect]) -> Markup:
    metric = items[0].metric
    kind = "contrast" if isinstance(items[0], JudgedContrast) else "effect"
    head = [kind.capitalize(), "Verdict", f"Difference, {unit_name(metric.unit)}", "p, adjusted", "p", "p, Holm"]
    head += ["p, sign-flip", "Ahead in", "Margin"]
    rows = [_row(item, item.comparison) for item in items]
    caption = f"Every {kind} on {metric.label}. The sign-flip p is an exact check over the seeds, on this test set."
    return table(caption, head, rows, numbers=2)


def _row(item: JudgedContrast | Effect, comparison: Comparison | None) -> list[Child]:
    name = _name(item)
    if comparison is None:
        return [name, badge(verdict_of(None)), *[numbers.UNDEFINED] * 7]
    shown = numbers.format_difference(item.metric, comparison.difference, comparison.low, comparison.high)
    flip, superior = comparison.sign_flip, comparison.superiority
    ahead = numbers.UNDEFINED if superior is None else f"{superior.wins} of {comparison.seeds}"
    return [
        name,
        badge(comparison.verdict),
        [shown.value, [tag("br"), tag("small", shown.limits)] if shown.limits else None],
        numbers.format_p(comparison.p_adjusted, comparison.level),
        numbers.format_p(comparison.p_value, comparison.level),
        numbers.format_p(item.p_holm, comparison.level),
        numbers.UNDEFINED if flip is None else numbers.format_p(flip.p_value, comparison.level),
        ahead,
        magnitude(comparison.margin, item.metric.unit),
    ]


def _name(item: JudgedContrast | Effect) -> Child:
    """The arms, each unbroken."""
    if isinstance(item, Effect):
        return tag("span", item.name, class_="pair")
    arms = tag("span", item.a, class_="name"), " against ", tag("span", item.b, class_="name")
    return tag("span", arms, class_="pair")


def _seed_by_seed(outcome: Outcome) -> list[Child]:
    """Panels for what the study wrote out, or for the first of all pairs; every difference in a table."""
    written = outcome.contrasts[: len(outcome.document.contrasts)] or outcome.contrasts
    plots = [
        figures.draw_seeds(contrast, figures.common_seeds(outcome, contrast), NARROW, f"seeds-{number}")
        for number, contrast in enumerate(written[:_MOST_PANELS])
    ]
    caption = (
        "The difference of every seed: the same seed trained both arms. The dashed line is their mean, the shaded band "
        "its interval. One seed alone would have shown one of these bars."
    )
    shown = [plot for plot in plots if plot is not None]
    return [tag("h3", "Seed by seed"), panel_grid(shown, caption), _differences(outcome)] if shown else []


def _differences(outcome: Outcome) -> Markup | None:
    rows: list[list[Child]] = []
    for contrast in outcome.contrasts:
        seeds = figures.common_seeds(outcome, contrast)
        comparison = contrast.comparison
        if comparison is not None and len(seeds) == len(comparison.seed_differences):
            shown = [
                f"{seed}: {numbers.format_difference(contrast.metric, value, None, None)}"
                for seed, value in zip(seeds, comparison.seed_differences, strict=True)
            ]
            name = f"{contrast.a} {numbers.MINUS} {contrast.b}"
            rows.append([name, unit_name(contrast.metric.unit), tag("span", ", ".join(shown), class_="seeds")])
    if not rows:
        return None
    return details(
        "Every paired difference",
        table("Seed and difference, by contrast", ["JudgedContrast", "Unit", "Seeds"], rows, numbers=9),
    )
