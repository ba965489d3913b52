"""The arms: test accuracy with intervals, the gap by train and by fit accuracy, tuning, and the learning curves."""

from __future__ import annotations

from paribus.analysis.metrics import METRICS
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.report import numbers, tuning
from paribus.report.figures import arm_accuracy as figures
from paribus.report.figures.learning_curves import draw_curves
from paribus.report.html.build import Child, Markup, tag
from paribus.report.html.parts import NARROW, details, legend, panel_grid, responsive_figure, section, table
from paribus.report.tables import Cell, describe_intervals, format_seeds, metric_table

_COLUMNS = (
    ("test_accuracy", "Test accuracy, %"),
    ("train_accuracy", "Train accuracy, %"),
    ("generalization_gap", "Gap, points"),
    ("fit_accuracy", "Fit accuracy, %"),
    ("test_loss", "Test loss"),
)


def arms_section(outcome: Outcome) -> Markup:
    """A figure of test accuracy, and a table of all measures."""
    several = any(len(arm.scored) > 1 for arm in outcome.arms)
    caption = f"Test accuracy: {describe_intervals(outcome, [METRICS['test_accuracy']])}."
    intervals = describe_intervals(outcome, [METRICS[name] for name, _ in _COLUMNS])
    units = {"test_loss": numbers.loss_unit(outcome.document)}
    head = ["Arm", *(f"{heading}{units.get(name, '')}" for name, heading in _COLUMNS), "Seeds"]
    overlap = tag(
        "p",
        "The interval of one arm alone is wider than what tells two arms apart, because arms share their seeds and "
        "test examples. To compare arms, look at the contrasts, not at whether these intervals overlap.",
    )
    return section(
        "arms",
        "The arms",
        overlap if several else None,
        responsive_figure(lambda width: figures.draw_test_accuracy(outcome, width), caption),
        table(f"Every measure by arm: {intervals}", head, [_row(arm) for arm in outcome.arms]),
        _own_metrics(outcome),
    )


def tuning_section(outcome: Outcome) -> Markup | None:
    """The candidates of each tuned arm, and the best of them."""
    candidates = tuning.candidate_table(outcome)
    if candidates is None:
        return None
    rows: list[list[Child]] = [[str(cell) for cell in row] for row in candidates.rows]
    inner = table("Every candidate, with its mean over its seeds", candidates.head, rows, numbers=candidates.words)
    choices = [
        tag("li", tag("b", name), f": {tuning.describe_choice(outcome, choice)}")
        for name, choice in tuning.tuned_choices(outcome).items()
    ]
    folded = details(f"{len(rows)} candidates", inner, open_=len(rows) <= 12)
    return section("tuning", "Tuning", tag("p", candidates.caption), tag("ul", choices), folded)


def gap_section(outcome: Outcome) -> Markup:
    """Train, test and fit accuracy, and why fit accuracy is no train accuracy."""
    return section(
        "gap",
        "The generalization gap",
        tag(
            "p",
            "Fit accuracy is what ",
            tag("code", "fit"),
            " prints in the last epoch. It is no train accuracy: dropout is switched on while it is measured, and it "
            "is a running mean over weights that still change. Train accuracy here is measured like test accuracy, "
            "after the last epoch, in inference mode, on the whole split. Only the difference of these two is the gap.",
        ),
        responsive_figure(
            lambda width: figures.draw_gap(outcome, width),
            "How far above its own test accuracy each arm's train accuracy is (the gap), and its fit accuracy. A "
            "diamond at or left of zero would read as perfect generalization.",
        ),
    )


def curves_section(outcome: Outcome) -> Markup | None:
    """The learning curves of every seed."""
    plots = draw_curves(outcome, NARROW)
    if not plots:
        return None
    validated = any(run.curve.val_accuracy for arm in outcome.arms for run in arm.runs)
    entries = [("fit", "fit accuracy by epoch")]
    entries += [("val", "validation accuracy by epoch")] * validated
    entries += [("train", "train accuracy at the end"), ("test", "test accuracy at the end")]
    caption: list[Child] = [
        legend(*entries),
        " One line a seed. The scale is that of errors, stretched towards 100 %, and the same for all arms.",
    ]
    return section("curves", "Learning curves", panel_grid(plots, caption))


def _own_metrics(outcome: Outcome) -> Markup | None:
    metrics = metric_table(outcome)
    if metrics is None:
        return None
    rows: list[list[Child]] = [
        [tag("span", str(name), class_="name"), *map(_cell, cells)] for name, *cells in metrics.rows
    ]
    return table(metrics.caption, metrics.head, rows)


def _cell(cell: Cell) -> Child:
    if isinstance(cell, str):
        return cell
    return [cell.value, [tag("br"), tag("small", cell.limits)] if cell.limits else None]


def _row(arm: ArmOutcome) -> list[Child]:
    parameters = numbers.format_parameters(arm.recipe)
    below = [tag("br"), tag("small", f"{parameters} parameters")] if parameters != numbers.UNDEFINED else None
    cells: list[Child] = [[tag("span", arm.name, class_="name"), below]]
    for metric, _ in _COLUMNS:
        cells.append(_cell(numbers.format_estimate(metric, arm.estimates.get(metric))))
    return [*cells, format_seeds(arm)]
