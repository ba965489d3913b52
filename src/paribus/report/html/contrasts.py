"""The contrasts and the effects of a factorial study: drawn under the answer, tabled, and seed by seed."""

from __future__ import annotations

from collections.abc import Sequence

from paribus.analysis import Comparison, Effect, JudgedContrast, Scope, Verdict
from paribus.analysis.phrases import scope_text
from paribus.analysis.sentences import contrast_sentence
from paribus.analysis.wording import capitalized, confidence, listed, with_unit_name
from paribus.outcome.outcome import Outcome
from paribus.records import Seeds
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
from paribus.report.splits import name_compared_kind, name_place, name_run_kind
from paribus.report.statements import (
    JudgedStatement,
    count_factors,
    headline_statements,
    is_declared,
    list_statements,
    primary_first,
    written_contrasts,
)
from paribus.report.tables import TextTable, describe_levels, describe_share, holm_p, name_statement, p_values
from paribus.study.design import Design

_MOST_PANELS = 12
_MOST_ROWS = 12
"""A figure with more rows than this is folded."""


def answer_figures(outcome: Outcome) -> list[Markup | None]:
    """The figure under the answer: differences with their intervals, one figure for each metric."""
    groups = _by_metric(_drawn_with_answer(outcome))
    return [_forest(f"answer-{_slug(group)}", group, outcome.design) for group in groups]


def contrasts_section(outcome: Outcome) -> Markup | None:
    """Every contrast with difference, interval and verdict; drawn where the answer does not draw it already."""
    if not outcome.contrasts:
        return None
    contrasts = [item for item in primary_first(outcome.contrasts) if isinstance(item, JudgedContrast)]
    drawn = {statement.key for statement in _drawn_with_answer(outcome)}
    groups = _by_metric(contrasts)
    figures_left = [
        _fold_if_long(_forest(f"contrasts-{_slug(group)}", group, outcome.design), len(group))
        for group in groups
        if any(statement.key not in drawn for statement in group)
    ]
    sentences = [sentence_paragraph(contrast_sentence(c), (c.a, c.b)) for c in contrasts]
    return section(
        "contrasts",
        "The contrasts",
        _intervals(outcome),
        figures_left,
        [_table(group) for group in groups],
        _other_p_values(groups),
        tag("h3", "Every fold") if fold_tables(outcome) else None,
        [
            table(by_fold.caption, by_fold.head, _plain_rows(by_fold), numbers=1 + (by_fold.head[1] == "Repetition"))
            for by_fold in fold_tables(outcome)
        ],
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
            lambda width: draw_cells(outcome, width),
            "Mean test accuracy of every cell, with its seeds. Parallel lines would be no interaction.",
        ),
        _table(outcome.effects),
        _other_p_values([outcome.effects]),
    )


def _intervals(outcome: Outcome) -> Markup:
    known = [item.comparison for item in outcome.contrasts if item.comparison is not None and item.comparison.seeds > 1]
    if not known:
        return tag("p", "One seed shows one difference, and not how much seeds vary: nothing is decided.")
    parts = [f"{capitalized('; '.join(describe_levels(known)))}."]
    if max(comparison.contrasts for comparison in known) > 1:
        parts.append("Intervals, adjusted p and verdicts hold for all comparisons at once.")
    parts.append("A difference is undecided where the runs show neither a difference nor that it is within the margin.")
    return tag("p", " ".join(parts))


def _drawn_with_answer(outcome: Outcome) -> list[JudgedStatement]:
    """All statements on the metrics of the answer; of more than fit under it those that are in it."""
    headlines = {statement.key for statement in headline_statements(outcome)}
    drawn: list[JudgedStatement] = []
    for group in _by_metric(list_statements(outcome)):
        in_answer = [statement for statement in group if statement.key in headlines]
        drawn += group if in_answer and len(group) <= _MOST_ROWS else in_answer
    return drawn


def _by_metric(statements: Sequence[JudgedStatement]) -> list[list[JudgedStatement]]:
    """Effects and contrasts apart, and each of them by metric."""
    groups: dict[str, list[JudgedStatement]] = {}
    for statement in statements:
        groups.setdefault(_slug([statement]), []).append(statement)
    return list(groups.values())


def _slug(group: Sequence[JudgedStatement]) -> str:
    kind = "effects-" if isinstance(group[0], Effect) else ""
    return f"{kind}{group[0].metric.name}"


def _forest(name: str, group: Sequence[JudgedStatement], design: Design) -> Markup | None:
    metric = group[0].metric
    if all(statement.comparison is None or statement.comparison.low is None for statement in group):
        caption = f"Differences in {metric.label}, one seed each."
    else:
        side = "right" if metric.higher_is_better else "left"
        first = "the first arm of a pair" if isinstance(group[0], JudgedContrast) else "the first level"
        meaning = (
            "" if isinstance(group[0], Effect) and group[0].is_interaction else f", {side} of zero {first} is better"
        )
        dots = sorted({name_compared_kind(c) for item in group if (c := item.comparison) is not None and c.seeds > 1})
        small = f" Small dots are single {' or '.join(f'{kind}s' for kind in dots)}." if dots else ""
        caption = f"Differences in {metric.label} with their intervals{meaning}.{small}{_explain_widths(group)}"
    return responsive_figure(lambda width: figures.draw_forest(name, group, width, design), caption)


def _explain_widths(group: Sequence[JudgedStatement]) -> str:
    """Why intervals are wider than the dots lie apart, and where rows differ in their level."""
    known = [item.comparison for item in group if item.comparison is not None and item.comparison.low is not None]
    reasons = []
    if any(comparison.scope is Scope.NEW_TRAINING_SETS for comparison in known):
        reasons.append("the folds' training sets overlap, for which the t test is corrected")
    if any(comparison.scope in (Scope.NEW_DATA, Scope.THESE_TRAINING_SETS) for comparison in known):
        reasons.append("they allow for other test examples too")
    if any(comparison.contrasts > 1 for comparison in known):
        reasons.append("all intervals hold at once")
    if not reasons or max(comparison.seeds for comparison in known) < 2:
        return ""
    text = f" Intervals are wider than the dots lie apart, as {listed(reasons)}."
    levels = {(comparison.primary, confidence(comparison.interval_level)) for comparison in known}
    if len({level for _, level in levels}) > 1:
        rows = [f"{level} for {'primary' if primary else 'other'} rows" for primary, level in sorted(levels)[::-1]]
        text += f" Their levels differ: {listed(rows)}."
    return text


def _fold_if_long(figure: Markup | None, rows: int) -> Markup | None:
    if figure is None or rows <= _MOST_ROWS:
        return figure
    return details(f"All {rows} differences in one figure", figure)


def _table(statements: Sequence[JudgedStatement]) -> Markup:
    """A row for each statement, primary ones first; a column whose cells would all say the same is in the caption."""
    metric = statements[0].metric
    noun = "contrast" if isinstance(statements[0], JudgedContrast) else "effect"
    known = [statement.comparison for statement in statements if statement.comparison is not None]
    margins = list(dict.fromkeys(format_margin(comparison.margin, metric.unit) for comparison in known))
    columns = [noun.capitalize(), "Verdict", with_unit_name("Difference", metric.unit), _p_heading(known), "Ahead in"]
    columns += ["Margin"] * (len(margins) > 1)
    rows = [_row(statement, with_margin=len(margins) > 1) for statement in primary_first(statements)]
    columns, rows = _without_unknown(columns, rows)
    scopes = dict.fromkeys(scope_text(comparison.scope, metric) for comparison in known)
    parts = [", ".join([f"Every {noun} on {metric.label}", *scopes])]
    if len(margins) == 1:
        parts.append("no margin" if margins[0] == numbers.UNDEFINED else f"margin {margins[0]}")
    if any(comparison.verdict is Verdict.EQUIVALENT for comparison in known):
        parts.append("p of equivalent rows is that of the equivalence tests")
    made = table(f"{'; '.join(parts)}.", columns, rows, numbers=2)
    if len(rows) <= _MOST_ROWS:
        return made
    return details(f"All {len(rows)} {noun}s on {metric.label} in a table", made)


def _without_unknown(columns: list[str], rows: list[list[Child]]) -> tuple[list[str], list[list[Child]]]:
    """The table without columns in which nothing is known: over folds no seed is ahead, and one seed has no p."""
    places = [i for i in range(len(columns)) if any(row[i] != numbers.UNDEFINED for row in rows)]
    return [columns[i] for i in places], [[row[i] for i in places] for row in rows]


def _p_heading(known: Sequence[Comparison]) -> str:
    """One statement that is judged at one look alone has no adjusted p: its p is the p."""
    adjusted = any(pair[0] != pair[1] for pair in map(p_values, known))
    return "Adjusted p" if adjusted else "p"


def _other_p_values(groups: Sequence[Sequence[JudgedStatement]]) -> Markup | None:
    """The p values that the verdicts do not rest on, folded (decision record 0122)."""
    tables = [made for group in groups if (made := _p_table(group)) is not None]
    return details("Other p values", tables) if tables else None


def _p_table(statements: Sequence[JudgedStatement]) -> Markup | None:
    noun = "contrast" if isinstance(statements[0], JudgedContrast) else "effect"
    rows: list[list[Child]] = []
    for statement in primary_first(statements):
        comparison = statement.comparison
        if comparison is not None and comparison.p_value is not None:
            flip = comparison.sign_flip
            p_column = (p_values(comparison)[1], holm_p(statement), None if flip is None else flip.p_value)
            cells = (numbers.format_p(p_value, comparison.level) for p_value in p_column)
            rows.append([_name(statement), *cells])
    if not rows:
        return None
    caption = (
        f"On {statements[0].metric.label}: p of each {noun} alone, p after Holm, and an exact sign-flip check over "
        f"the seeds, on this {statements[0].metric.split} set. None of them decides."
    )
    return table(caption, [noun.capitalize(), "p", "Holm p", "Sign-flip p"], rows)


def _row(statement: JudgedStatement, *, with_margin: bool) -> list[Child]:
    comparison, name = statement.comparison, _name(statement)
    if comparison is None:
        return [name, badge(verdict_of(None)), *[numbers.UNDEFINED] * (4 if with_margin else 3)]
    printed = numbers.format_difference(
        statement.metric, comparison.difference, comparison.low, comparison.high, count_factors(statement)
    )
    superior = comparison.superiority
    return [
        name,
        badge(comparison.verdict),
        [printed.value, [tag("br"), tag("small", printed.limits)] if printed.limits else None],
        numbers.format_p(p_values(comparison)[0], comparison.level),
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
    """Panels for what the study writes out, or for the contrasts of the answer; every difference in a table."""
    in_answer = [item for item in headline_statements(outcome) if isinstance(item, JudgedContrast)]
    written = [contrast for contrast in written_contrasts(outcome) if is_declared(outcome.design, contrast)]
    plots = [
        figures.draw_seeds(contrast, figures.common_seeds(outcome, contrast), NARROW, f"seeds-{number}")
        for number, contrast in enumerate((written or in_answer)[:_MOST_PANELS])
    ]
    kind = name_run_kind(outcome)
    pairs = (
        "the same seed trained both arms" if kind == "seed" else "both arms were trained and tested on the same split"
    )
    caption = (
        f"The difference of every {kind}: {pairs}. The dashed line is their mean, the shaded band "
        f"its interval. One {kind} alone would have given one of these bars."
    )
    drawn = [plot for plot in plots if plot is not None]
    title = f"{kind.capitalize()} by {kind}"
    return [tag("h3", title), panel_grid(drawn, caption), _differences(outcome)] if drawn else []


def _differences(outcome: Outcome) -> Markup | None:
    rows: list[list[Child]] = []
    for contrast in outcome.contrasts:
        seeds = figures.common_seeds(outcome, contrast)
        comparison = contrast.comparison
        if comparison is not None and len(seeds) == len(comparison.seed_differences):
            by_seed = [
                f"{name_place(outcome, Seeds.of(seed))}: "
                f"{numbers.format_difference(contrast.metric, value, None, None)}"
                for seed, value in zip(seeds, comparison.seed_differences, strict=True)
            ]
            rows.append(
                [
                    name_statement(contrast),
                    with_unit_name(contrast.metric.label, contrast.metric.unit),
                    tag("span", ", ".join(by_seed), class_="seeds"),
                ]
            )
    if not rows:
        return None
    return details(
        "Every paired difference",
        table(
            "Every paired difference, by contrast",
            ["Contrast", "Metric", f"{name_run_kind(outcome).capitalize()} and difference"],
            rows,
            numbers=9,
        ),
    )
