"""The arms: the metrics that are judged with intervals, all measures, the gap by train and by fit accuracy, tuning."""

from __future__ import annotations

from collections.abc import Sequence

from paribus.analysis.metrics import METRICS, Metric
from paribus.outcome.outcome import ArmOutcome, Outcome
from paribus.report import numbers, tuning
from paribus.report.figures import arm_measures as figures
from paribus.report.html.build import Child, Markup, tag
from paribus.report.html.parts import details, responsive_figure, section, table, wide_table
from paribus.report.splits import name_run_kind
from paribus.report.statements import list_metrics
from paribus.report.tables import Cell, describe_intervals, format_seeds, metric_table

_COLUMNS = (
    ("test_accuracy", "Test accuracy, %"),
    ("train_accuracy", "Train accuracy, %"),
    ("generalization_gap", "Gap, points"),
    ("fit_accuracy", "Fit accuracy, %"),
    ("test_loss", "Test loss"),
)


def arms_section(outcome: Outcome) -> Markup:
    """A figure of each metric that is judged, and a table of all measures."""
    several = any(len(arm.scored) > 1 for arm in outcome.arms)
    columns = [item for item in _COLUMNS if any(item[0] in arm.estimates for arm in outcome.arms)]
    intervals = describe_intervals(outcome, [METRICS[name] for name, _ in columns])
    loss_unit = ", nats" if outcome.predictions_request is not None else numbers.loss_unit(outcome.document)
    units = {"test_loss": loss_unit}
    head = [
        "Arm",
        *(f"{heading}{units.get(name, '')}" for name, heading in columns),
        f"{name_run_kind(outcome).capitalize()}s",
    ]
    kind = name_run_kind(outcome)
    overlap = tag(
        "p",
        f"The interval of one arm alone is wider than what tells two arms apart, because arms share their {kind}s and "
        "test examples. To compare arms, look at the contrasts, not at whether these intervals overlap.",
    )
    measures = table(
        f"Every measure by arm: {intervals}",
        head,
        [_row(arm, [name for name, _ in columns]) for arm in outcome.arms],
    )
    judged = list_metrics(outcome)
    own = _own_metrics(outcome)
    own_first = judged[0].name in {metric.name for metric in outcome.metrics}
    return section(
        "arms",
        "The arms",
        overlap if several else None,
        [_figure(outcome, metric) for metric in judged],
        [own, measures] if own_first else [measures, own],
    )


def _figure(outcome: Outcome, metric: Metric) -> Markup | None:
    return responsive_figure(lambda width: figures.draw_metric(outcome, metric, width))


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


def gap_section(outcome: Outcome) -> Markup | None:
    """Train, test and fit accuracy, and why fit accuracy is no train accuracy; nothing without a train accuracy."""
    if outcome.predictions_request is not None:
        return None
    return section(
        "gap",
        "The generalization gap",
        tag(
            "p",
            "Fit accuracy is what ",
            tag("code", "fit"),
            " prints in the last epoch. It is not the train accuracy: dropout is active while it is measured, and it "
            "is a running mean over weights that still change. Train accuracy here is measured like test accuracy, "
            "after the last epoch, in inference mode, on the whole split. Only the difference of these two is the gap.",
        ),
        responsive_figure(
            lambda width: figures.draw_gap(outcome, width),
            f"How far above its own test accuracy each arm's train accuracy is (the gap), and its fit accuracy."
            f"{_perfect_by_fit(outcome)}",
        ),
    )


def _perfect_by_fit(outcome: Outcome) -> str:
    """What a fit accuracy that is not above test accuracy would be taken for, where there is one."""
    pairs = [(arm.estimates.get("fit_accuracy"), arm.estimates.get("test_accuracy")) for arm in outcome.arms]
    if not any(fit is not None and test is not None and fit.mean <= test.mean for fit, test in pairs):
        return ""
    return " A diamond at or left of zero would read as perfect generalization."


def _own_metrics(outcome: Outcome) -> list[Markup]:
    metrics = metric_table(outcome)
    if metrics is None:
        return []
    rows: list[list[Child]] = [
        [tag("span", str(name), class_="name"), *map(_cell, cells)] for name, *cells in metrics.rows
    ]
    return wide_table(metrics.caption, metrics.head, rows)


def _cell(cell: Cell) -> Child:
    if isinstance(cell, str):
        return cell
    return [cell.value, [tag("br"), tag("small", cell.limits)] if cell.limits else None]


def _row(arm: ArmOutcome, metrics: Sequence[str]) -> list[Child]:
    parameters = numbers.UNDEFINED if arm.recipe is None else numbers.format_parameters(arm.recipe)
    below = [tag("br"), tag("small", f"{parameters} parameters")] if parameters != numbers.UNDEFINED else None
    measures = [_cell(numbers.format_estimate(metric, arm.estimates.get(metric))) for metric in metrics]
    return [[tag("span", arm.name, class_="name"), below], *measures, format_seeds(arm)]
