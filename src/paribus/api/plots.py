"""Figures of an outcome as Matplotlib axes, for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from paribus.api.frames import refuse_predictions
from paribus.errors import UsageError, unknown_name
from paribus.export.parquet_tables import CURVES
from paribus.outcome.outcome import Outcome
from paribus.report.figures.arm_measures import draw_metric
from paribus.report.figures.differences import draw_forest
from paribus.report.figures.palette import LIGHT
from paribus.report.figures.plot import DPI, Plot
from paribus.report.statements import list_metrics

WIDTH = 640.0
_PLAIN_TEXT: Any = {"text.parse_math": False}
"""A name with dollar signs is a name, not a formula."""


def plot_outcome(outcome: Outcome, metric: str | None = None) -> Any:
    """Draw the contrasts on one metric, or the arms where none is judged, on a new figure.

    Args:
        outcome: the outcome.
        metric: the metric; by default that of the first contrast.

    Returns:
        The Matplotlib axes.

    Raises:
        UnknownNameError: no contrast on that metric is judged.
        UsageError: there is nothing to draw.
    """
    judged = [contrast for contrast in outcome.contrasts if contrast.comparison is not None]
    metrics = list(dict.fromkeys(contrast.metric.name for contrast in judged))
    if metric is not None and metric not in metrics:
        raise unknown_name("judged contrast on", metric, metrics)
    if metrics:
        name = metric or metrics[0]
        drawn = draw_forest("contrasts", [c for c in judged if c.metric.name == name], WIDTH, outcome.design)
    else:
        drawn = next((plot for m in list_metrics(outcome) if (plot := draw_metric(outcome, m, WIDTH))), None)
    if drawn is None:
        raise UsageError("plot: no run is scored, so that there is nothing to draw; run the study first")
    return _draw(drawn)


def plot_curves(outcome: Outcome, measure: str | None = None, arms: Sequence[str] = (), ax: Any = None) -> Any:
    """Draw a measure by epoch, a line for each run, in a colour for each arm; the axes.

    Args:
        outcome: the outcome.
        measure: one of fit_loss, fit_accuracy, val_loss, val_accuracy; by default the validation accuracy where there
            is one, else the fit accuracy.
        arms: only these; all by default.
        ax: axes to draw on; new ones by default.

    Raises:
        UnknownNameError: there is no such arm or measure.
        UsageError: there are no such curves.
    """
    refuse_predictions(outcome, "plot_curves")
    known = [arm.name for arm in outcome.arms]
    for arm in arms:
        if arm not in known:
            raise unknown_name("arm", arm, known)
    runs = {arm.name: arm.runs for arm in outcome.arms if not arms or arm.name in arms}
    if measure is None:
        validated = any(run.curve.val_accuracy for of_arm in runs.values() for run in of_arm)
        measure = "val_accuracy" if validated else "fit_accuracy"
    if measure not in CURVES:
        raise unknown_name("measure", measure, CURVES)
    curves = {arm: [c for run in of_arm if (c := getattr(run.curve, measure))] for arm, of_arm in runs.items()}
    if not any(curves.values()):
        raise UsageError(
            f"plot_curves: no run has a curve of {measure}; networks have fit_loss and fit_accuracy, and with a "
            "validation split val_loss and val_accuracy"
        )
    import matplotlib as mpl

    with mpl.rc_context(_PLAIN_TEXT):
        if ax is None:
            from matplotlib import pyplot

            _, ax = pyplot.subplots()
        for number, (arm, of_arm) in enumerate(curves.items()):
            alpha = min(1.0, max(0.25, 3 / max(1, len(of_arm))))
            for row, values in enumerate(of_arm):
                epochs = range(1, len(values) + 1)
                marker = "o" if len(values) == 1 else ""
                label = arm if row == 0 else None
                ax.plot(epochs, values, color=f"C{number}", alpha=alpha, marker=marker, label=label)
        ax.set_xlabel("epoch")
        ax.set_ylabel(measure.replace("_", " "))
        ax.legend()
    return ax


def _draw(plot: Plot) -> Any:
    import matplotlib as mpl
    from matplotlib import pyplot

    with mpl.rc_context(_PLAIN_TEXT):
        figure = pyplot.figure(figsize=(plot.width / DPI, plot.height / DPI), dpi=DPI, facecolor=LIGHT.surface)
        plot.draw(figure, LIGHT)
    return figure.axes[0]
