"""All figures of an outcome, as a paper would have them: one file each, panels together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from paribus.outcome.outcome import Outcome
from paribus.report.answers import ExampleAnswers, gather
from paribus.report.figures import arms, contrasts, effects
from paribus.report.figures.calibration import reliability
from paribus.report.figures.curves import curves
from paribus.report.figures.plot import Plot, sheet

WIDTH = 560.0
PANEL = 330.0


def every(outcome: Outcome) -> tuple[Plot, ...]:
    """Those that there is something to draw for, each with a name of its own.

    Raises:
        StoreError: a run's answers are damaged.
    """
    return tuple(plot for plot in _plots(outcome) if plot is not None)


def _plots(outcome: Outcome) -> Iterator[Plot | None]:
    yield arms.test_accuracy(outcome, WIDTH)
    yield arms.gap(outcome, WIDTH)
    for name in dict.fromkeys(contrast.metric.name for contrast in outcome.contrasts):
        group = [contrast for contrast in outcome.contrasts if contrast.metric.name == name]
        yield contrasts.forest(f"contrasts-{name}", group, WIDTH)
    yield contrasts.forest("effects", outcome.effects, WIDTH)
    yield effects.cells(outcome, WIDTH)
    seeds = [
        contrasts.seed_by_seed(contrast, contrasts.common_seeds(outcome, contrast), PANEL, "seeds")
        for contrast in outcome.contrasts
    ]
    yield _sheet("seeds", "Paired differences seed by seed", [plot for plot in seeds if plot is not None])
    yield _sheet("curves", "Learning curves", curves(outcome, PANEL))
    evidence = gather(outcome)
    if isinstance(evidence, ExampleAnswers):
        found = [found for found in evidence.answers.values() if found.calibration.count.any()]
        plots = [reliability(answers.arm, answers.calibration, "calibration", PANEL) for answers in found]
        yield _sheet("calibration", "Accuracy against confidence", plots)


def _sheet(name: str, alt: str, plots: Sequence[Plot]) -> Plot | None:
    return sheet(name, alt, plots, min(2, len(plots))) if plots else None
