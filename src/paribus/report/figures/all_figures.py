"""All figures of an outcome, as a paper would have them: one file each, panels together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from paribus.outcome.outcome import Outcome
from paribus.report.answers import StudyAnswers, read_answers
from paribus.report.figures import arm_measures, cell_means, differences
from paribus.report.figures.learning_curves import draw_curves
from paribus.report.figures.overlaid_curves import draw_overlay
from paribus.report.figures.plot import Plot, join_plots
from paribus.report.figures.reliability import draw_reliability
from paribus.report.statements import list_metrics

WIDTH = 560.0
PANEL = 330.0


def draw_all(outcome: Outcome) -> tuple[Plot, ...]:
    """All figures of an outcome that have something to show, each with a name of its own.

    Args:
        outcome: the outcome.

    Raises:
        StoreError: a run's answers are damaged.
    """
    return tuple(plot for plot in _plots(outcome) if plot is not None)


def _plots(outcome: Outcome) -> Iterator[Plot | None]:
    for metric in list_metrics(outcome):
        yield arm_measures.draw_metric(outcome, metric, WIDTH)
    yield arm_measures.draw_gap(outcome, WIDTH)
    for name in dict.fromkeys(contrast.metric.name for contrast in outcome.contrasts):
        group = [contrast for contrast in outcome.contrasts if contrast.metric.name == name]
        yield differences.draw_forest(f"contrasts-{name}", group, WIDTH, outcome.design)
    yield differences.draw_forest("effects", outcome.effects, WIDTH, outcome.design)
    yield cell_means.draw_cells(outcome, WIDTH)
    seeds = [
        differences.draw_seeds(contrast, differences.common_seeds(outcome, contrast), PANEL, "seeds")
        for contrast in outcome.contrasts
    ]
    yield _sheet("seeds", "Paired differences seed by seed", [plot for plot in seeds if plot is not None])
    yield draw_overlay(outcome, WIDTH, legend=True)
    yield _sheet("curves", "Learning curves", draw_curves(outcome, PANEL))
    test_answers = read_answers(outcome)
    if isinstance(test_answers, StudyAnswers):
        calibrated = [answers for answers in test_answers.by_arm.values() if answers.calibration.count.any()]
        plots = [
            draw_reliability(answers.arm, answers.calibration, len(answers.seeds), "calibration", PANEL)
            for answers in calibrated
        ]
        yield _sheet("calibration", "Accuracy against confidence", plots)


def _sheet(name: str, alt: str, plots: Sequence[Plot]) -> Plot | None:
    return join_plots(name, alt, plots, min(2, len(plots))) if plots else None
