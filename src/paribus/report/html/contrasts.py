"""The contrasts and the effects of a factorial study: drawn, tabled, and seed by seed."""

from __future__ import annotations

from collections.abc import Sequence

from paribus.analysis import Effect, JudgedContrast, Verdict
from paribus.analysis.phrases import scope_text
from paribus.analysis.sentences import contrast_sentence
from paribus.analysis.wording import capitalized, unit_name
from paribus.outcome.outcome import Outcome
from paribus.report import numbers
from paribus.report.figures import differences as figures
from paribus.report.figures.cell_means import draw_cells
from paribus.report.fold_tables import fold_tables
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
from paribus.report.numbers import format_margin
from paribus.report.statements import JudgedStatement, primary_first, written_contrasts
from paribus.report.tables import TextTable, describe_levels, describe_share, holm_p, name_statement, p_values
from paribus.study.design import Design

_MOST_PANELS = 12


def contrasts_section(outcome: Outcome) -> Markup | None:
    """Every contrast with difference, interval and verdict."""
    if not outcome.contrasts:
        return None
    contrasts = [item for item in primary_first(outcome.contrasts) if isinstance(item, JudgedContrast)]
    groups = [
        [c for c in contrasts if c.metric.name == name] for name in dict.fromkeys(c.metric.name for c in contrasts)
    ]
    drawn = [_forest(f"contrasts-{group[0].metric.name}", group, outcome.design) for group in groups]
    sentences = [sentence_paragraph(contrast_sentence(c), (c.a, c.b)) for c in contrasts]
    return section(
        "contrasts",
        "The contrasts",
        _intervals(outcome),
        drawn,
        [_table(group) for group in groups],
        [table(by_fold.caption, by_fold.head, _plain_rows(by_fold), numbers=2) for by_fold in fold_tables(outcome)],
        details("Every contrast as a sentence", sentences),
        _seed_by_seed(outcome),
    )


def _plain_rows(rows: TextTable) -> list[list[Child]]:
    return [[str(cell) for cell in row] for row in rows.rows]


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
            lambda width: figures.draw_forest("effects", outcome.effects, width, outcome.design),
            "Each effect with its interval and seeds.",
        ),
        responsive_figure(
            lambda width: draw_cells(outcome, width),
            "Mean test accuracy of every cell, with its seeds. Parallel lines would be no interaction.",
        ),
        _table(outcome.effects),
    )


def _intervals(outcome: Outcome) -> Markup:
    known = [item.comparison for item in outcome.contrasts if item.comparison is not None and item.comparison.seeds > 1]
    if not known:
        return tag("p", "One seed shows one difference and not how far the next would be from it: nothing is decided.")
    parts = [f"{capitalized('; '.join(describe_levels(known)))}."]
    if max(comparison.contrasts for comparison in known) > 1:
        parts.append("Intervals, adjusted p and verdicts hold for all comparisons at once.")
    parts.append("A difference is undecided where the runs show neither a difference nor that it is within the margin.")
    return tag("p", " ".join(parts))


def _forest(name: str, group: Sequence[JudgedContrast], document: Design) -> Markup | None:
    label = group[0].metric.label
    if all(contrast.comparison is None or contrast.comparison.seeds < 2 for contrast in group):
        return responsive_figure(
            lambda width: figures.draw_forest(name, group, width, document), f"Differences in {label}, one seed each."
        )
    return responsive_figure(
        lambda width: figures.draw_forest(name, group, width, document),
        f"Differences in {label} with their intervals; small dots are the paired differences of the seeds.",
    )


def _table(statements: Sequence[JudgedStatement]) -> Markup:
    """A row for each statement, primary ones first; a column whose cells would all say the same is in the caption."""
    metric = statements[0].metric
    noun = "contrast" if isinstance(statements[0], JudgedContrast) else "effect"
    known = [statement.comparison for statement in statements if statement.comparison is not None]
    margins = list(dict.fromkeys(format_margin(comparison.margin, metric.unit) for comparison in known))
    columns = [noun.capitalize(), "Verdict", f"Difference, {unit_name(metric.unit)}", "Adjusted p", "p"]
    columns += ["Holm p", "Sign-flip p", "Ahead in"] + ["Margin"] * (len(margins) > 1)
    rows = [_row(statement, with_margin=len(margins) > 1) for statement in primary_first(statements)]
    scopes = dict.fromkeys(scope_text(comparison.scope, metric) for comparison in known)
    parts = [", ".join([f"Every {noun} on {metric.label}", *scopes])]
    parts += [f"margin {margin}" for margin in margins if len(margins) == 1]
    if any(comparison.verdict is Verdict.EQUIVALENT for comparison in known):
        parts.append("p of equivalent rows is that of the equivalence tests")
    caption = f"{'; '.join(parts)}. The sign-flip p is an exact check over the seeds, on this {metric.split} set."
    return table(caption, columns, rows, numbers=2)


def _row(statement: JudgedStatement, *, with_margin: bool) -> list[Child]:
    comparison, name = statement.comparison, _name(statement)
    if comparison is None:
        return [name, badge(verdict_of(None)), *[numbers.UNDEFINED] * (7 if with_margin else 6)]
    printed = numbers.format_difference(statement.metric, comparison.difference, comparison.low, comparison.high)
    flip, superior = comparison.sign_flip, comparison.superiority
    p_column = (*p_values(comparison), holm_p(statement), None if flip is None else flip.p_value)
    return [
        name,
        badge(comparison.verdict),
        [printed.value, [tag("br"), tag("small", printed.limits)] if printed.limits else None],
        *(numbers.format_p(p_value, comparison.level) for p_value in p_column),
        numbers.UNDEFINED if superior is None else f"{superior.wins} of {comparison.seeds}",
        *([format_margin(comparison.margin, statement.metric.unit)] if with_margin else []),
    ]


def _name(statement: JudgedStatement) -> Child:
    """The arms, each unbroken; below them the share of a primary statement."""
    share = describe_share(statement)
    below = [tag("br"), tag("small", share)] if share else None
    if isinstance(statement, Effect):
        return tag("span", statement.name, below, class_="pair")
    arms = tag("span", statement.a, class_="name"), " against ", tag("span", statement.b, class_="name")
    return tag("span", arms, below, class_="pair")


def _seed_by_seed(outcome: Outcome) -> list[Child]:
    """Panels for what the study wrote out, or for the first of all pairs; every difference in a table."""
    written = written_contrasts(outcome)
    plots = [
        figures.draw_seeds(contrast, figures.common_seeds(outcome, contrast), NARROW, f"seeds-{number}")
        for number, contrast in enumerate(written[:_MOST_PANELS])
    ]
    caption = (
        "The difference of every seed: the same seed trained both arms. The dashed line is their mean, the shaded band "
        "its interval. One seed alone would have given one of these bars."
    )
    drawn = [plot for plot in plots if plot is not None]
    return [tag("h3", "Seed by seed"), panel_grid(drawn, caption), _differences(outcome)] if drawn else []


def _differences(outcome: Outcome) -> Markup | None:
    rows: list[list[Child]] = []
    for contrast in outcome.contrasts:
        seeds = figures.common_seeds(outcome, contrast)
        comparison = contrast.comparison
        if comparison is not None and len(seeds) == len(comparison.seed_differences):
            by_seed = [
                f"{seed}: {numbers.format_difference(contrast.metric, value, None, None)}"
                for seed, value in zip(seeds, comparison.seed_differences, strict=True)
            ]
            rows.append(
                [
                    name_statement(contrast),
                    unit_name(contrast.metric.unit),
                    tag("span", ", ".join(by_seed), class_="seeds"),
                ]
            )
    if not rows:
        return None
    return details(
        "Every paired difference",
        table("Every paired difference, by contrast", ["Contrast", "Unit", "Seed and difference"], rows, numbers=9),
    )
