"""Figures: what the study declares is on the scale, and whatever is cut off is marked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

import report_examples as examples
from paribus.outcome.choice import Choice, ScoredCandidate
from paribus.records import Seeds
from paribus.report.figures import tracks
from paribus.report.figures.differences import draw_forest
from paribus.report.figures.palette import LIGHT
from paribus.report.figures.tracks import Frame, Mark, Track
from paribus.report.html.arms import arms_section
from paribus.report.statements import is_declared
from paribus.report.tuning import describe_choice
from paribus.study.candidates import Candidate
from paribus.study.load import load_study

VALUES = st.floats(-100, 100)


@st.composite
def rows(draw: st.DrawFn) -> Track:
    value, other = draw(VALUES), draw(VALUES)
    line = draw(st.sampled_from([None, (min(value, other), max(value, other))]))
    dots = tuple(draw(st.lists(VALUES, max_size=3)))
    return Track("arm", "note", (Mark(value, "test"),), line, dots=dots, on_scale=draw(st.booleans()))


def drawn(shown: list[Track], *, zero: bool = True) -> Any:
    figure = Figure()
    tracks.draw(figure, LIGHT, 560, shown, Frame("points", (), zero=zero))
    (axes,) = figure.axes
    return axes


def arrows(axes: Any, index: int) -> set[str]:
    """The arrows of a row, by their direction."""
    y = index * tracks.ROW + 31
    return {line.get_marker() for line in axes.lines if line.get_marker() in "<>" and line.get_ydata()[0] == y}


@given(st.lists(rows(), min_size=1, max_size=6), st.booleans())
def test_what_is_cut_off_has_an_arrow(shown: list[Track], zero: bool) -> None:
    axes = drawn(shown, zero=zero)
    low, high = axes.get_xlim()
    for index, row in enumerate(shown):
        start, end = row.extent
        expected = {sign for sign, beyond in (("<", start < low), (">", end > high)) if beyond}
        assert arrows(axes, index) == expected
        assert not (row.on_scale and expected)


def test_a_bar_that_leaves_the_scale_says_how_far_it_goes() -> None:
    gap = [Track("arm", "", (Mark(x, "train"), Mark(0, "test")), (0.0, x), capped=False) for x in (3, 4, 5, 60)]
    axes = drawn(gap)
    assert axes.get_xlim()[1] < 60
    assert arrows(axes, 3) == {">"}
    assert "to 60" in [text.get_text() for text in axes.texts]


def test_what_a_study_declares_is_on_the_scale() -> None:
    """A contrast that lies far from the others is drawn whole, unless it is one of all pairs."""
    document = load_study("mnist-mlps")
    far = examples.outcome(document, dict.fromkeys(document.arms, 0.97) | {"big-dropout": 0.3})
    statements = [contrast for contrast in far.contrasts if contrast.metric.name == "test_accuracy"]
    plot = draw_forest("contrasts", statements, 560, document)
    assert plot is not None
    figure = Figure()
    plot.draw(figure, LIGHT)
    low = figure.axes[0].get_xlim()[0]
    (declared,) = [contrast for contrast in statements if is_declared(document, contrast)]
    assert (declared.a, declared.b) == ("big-dropout", "big")
    assert declared.comparison is not None
    assert low < 100 * declared.comparison.difference < -60


@pytest.mark.parametrize(
    ("loss", "heading", "best"),
    [
        ("categorical_crossentropy", "Test loss, nats", "0.5000 nats"),
        ({"SparseCategoricalCrossentropy": {}}, "Test loss, nats", "0.5000 nats"),
        ("categorical_hinge", "Test loss (categorical_hinge)", "0.5000, the best"),
        ({"MeanSquaredError": {}}, "Test loss (mean_squared_error)", "0.5000, the best"),
        ("categorical_focal_crossentropy", "Test loss (categorical_focal_crossentropy)", "0.5000, the best"),
    ],
)
def test_nats_are_the_unit_of_cross_entropies_alone(loss: Any, heading: str, best: str) -> None:
    protocol = load_study("digits").protocol.model_dump(exclude_none=True) | {"loss": loss}
    outcome = examples.tiny(protocol=protocol)
    assert f">{heading}<" in str(arms_section(outcome))
    candidate = ScoredCandidate(Candidate("arm", 1, (("learning_rate", 0.1),), (Seeds.of(0),)), (0.5,), 0.5)
    choice = Choice("arm", "val_loss", 1, (candidate,), 0, 1, 0.1)
    assert best in describe_choice(outcome, choice)
