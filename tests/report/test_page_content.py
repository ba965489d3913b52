"""What a page shows first, in which unit, and what it folds; and how it describes examples of a table."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure

import report_examples as examples
from paribus.analysis import Verdict, calibrate
from paribus.data import load
from paribus.outcome.outcome import Outcome
from paribus.records import DataSpec
from paribus.report import render_report
from paribus.report.answers import StudyAnswers, read_answers
from paribus.report.features import ALL, MOST, Features
from paribus.report.figures.overlaid_curves import draw_overlay, list_arm_curves
from paribus.report.figures.palette import LIGHT
from paribus.report.figures.reliability import draw_reliability
from paribus.report.html.parts import wide_table
from paribus.report.methods import describe_methods
from paribus.report.statements import (
    FEW,
    HEADLINES,
    headline_statements,
    list_metrics,
    list_statements,
    split_statement,
    state,
)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    return examples.on_table(tmp_path_factory.mktemp("table") / "churn.csv")


@pytest.fixture(scope="module")
def page(table: Outcome) -> str:
    return render_report(table, "html")


@pytest.fixture(scope="module")
def tiny() -> Outcome:
    return examples.tiny(3)


def labels(page: str) -> list[str]:
    """What the figures of a page say to those who cannot see them."""
    return [unescape(label) for label in re.findall(r'role="img" aria-label="([^"]*)"', page)]


def with_verdicts(outcome: Outcome, verdict: Verdict) -> Outcome:
    contrasts = [
        replace(contrast, comparison=contrast.comparison and replace(contrast.comparison, verdict=verdict))
        for contrast in outcome.contrasts
    ]
    return replace(outcome, contrasts=tuple(contrasts))


def test_the_answer_has_every_statement_of_a_small_study(tiny: Outcome) -> None:
    """The built-in study writes out one of its three pairs: the other two are part of its answer."""
    assert {statement.key for statement in headline_statements(tiny)} == {item.key for item in tiny.contrasts}
    page = render_report(tiny, "html")
    assert len(re.findall(r'<div class="card \w+">', page)) == 3
    assert "further comparison" not in page


def test_primary_statements_are_the_answer_with_what_else_the_study_writes_out(tiny: Outcome) -> None:
    assert [item.key for item in headline_statements(examples.with_primary(tiny, 0))] == [tiny.contrasts[0].key]


def test_of_very_many_pairs_those_that_are_decided_are_the_answer() -> None:
    twelve = examples.twelve()
    undecided = with_verdicts(twelve, Verdict.UNDECIDED)
    assert len(headline_statements(undecided)) == FEW
    decided = undecided.contrasts[40], undecided.contrasts[50]
    better = with_verdicts(replace(twelve, contrasts=decided), Verdict.BETTER).contrasts
    mixed = replace(undecided, contrasts=(*undecided.contrasts[:40], *better, *undecided.contrasts[51:]))
    assert [item.key for item in headline_statements(mixed)] == [item.key for item in decided]
    assert len(headline_statements(with_verdicts(twelve, Verdict.WORSE))) == HEADLINES


@pytest.mark.parametrize("outcome", [examples.tiny, lambda: examples.tiny(1), examples.tiny_factorial])
def test_a_card_has_the_sentence_of_its_statement_word_for_word(outcome: Any) -> None:
    for statement in list_statements(outcome()):
        assert " ".join(filter(None, split_statement(statement))) == state(statement)


def test_a_name_with_a_colon_does_not_cut_a_sentence(tiny: Outcome) -> None:
    contrast = replace(tiny.contrasts[0], a="a: x. y", b="b: z. w")
    lead, rest, _ = split_statement(contrast)
    assert "a: x. y" in lead
    assert "b: z. w" in lead
    assert rest.startswith("test accuracy")


def test_the_figure_of_the_differences_is_right_under_the_answer(page: str) -> None:
    answer = page[page.index('id="answer"') : page.index('id="arms"')]
    assert any(label.startswith("Differences in test AUC") for label in labels(answer))
    assert answer.index("</p></div>") < answer.index("<svg")


def test_figures_of_the_arms_show_what_is_judged_in_its_own_unit(table: Outcome, page: str) -> None:
    assert [metric.name for metric in list_metrics(table)] == ["test_auc", "test_accuracy"]
    by_arm = [label for label in labels(page) if " by arm" in label]
    auc = next(label for label in by_arm if label.startswith("Test AUC"))
    assert re.search(r"narrow 0\.\d{3} \[0\.\d{3}, 0\.\d{3}\]", auc)
    assert "%" not in auc
    assert "points" not in auc
    accuracy = next(label for label in by_arm if label.startswith("Test accuracy"))
    assert re.search(r"narrow \d\d\.\d\d \[", accuracy)
    assert by_arm.index(auc) < by_arm.index(accuracy)
    assert "plain numbers" not in page


@pytest.mark.parametrize("format", ["html", "md"])
def test_one_p_value_is_in_the_table_and_the_others_are_folded(tiny: Outcome, format: str) -> None:
    text = render_report(tiny, format)
    before, folded = text.split("<summary>Other p values</summary>")
    assert "Adjusted p" in before
    assert "Holm p" not in before
    assert "Holm p" in folded.split("</details>")[0]


def test_the_values_of_the_learning_curves_are_means_over_the_seeds(tiny: Outcome) -> None:
    page = render_report(tiny, "html")
    values = json.loads(unescape(re.search(r'data-curves="([^"]*)"', page)[1]))  # type: ignore[index]
    assert [entry["arm"] for entry in values] == [arm.name for arm in tiny.arms]
    for entry, arm in zip(values, tiny.arms, strict=True):
        seeds = 100 * np.array([run.curve.fit_accuracy for run in arm.runs])
        for printed, expected in zip(entry["lines"]["fit"], (seeds.mean(0), seeds.min(0), seeds.max(0)), strict=True):
            assert printed == pytest.approx(expected, abs=0.006)


def test_no_two_arms_of_twelve_have_the_same_colour_and_mark() -> None:
    curves = list_arm_curves(examples.twelve())
    assert len({(curve.colour, curve.shape) for curve in curves}) == 12


def test_a_legend_inside_a_figure_names_every_arm_and_nothing_leaves_it() -> None:
    twelve = examples.twelve()
    plot = draw_overlay(twelve, 560, legend=True)
    assert plot is not None
    figure = Figure(figsize=(plot.width / 72, plot.height / 72), dpi=72)
    plot.draw(figure, LIGHT)
    assert {arm.name for arm in twelve.arms} <= {text.get_text() for text in figure.texts}
    for text in figure.texts:
        assert text.get_window_extent().x1 <= plot.width


def test_bins_with_few_test_examples_are_faded() -> None:
    """30 answers of 3 seeds are 10 examples: few, however many answers they are."""
    confidence = np.repeat([[0.95] * 40 + [0.55] * 10], 3, axis=0)
    calibration = calibrate(confidence, np.ones((3, 50), bool))
    plot = draw_reliability("arm", calibration, 3, "calibration", 350)
    figure = Figure()
    plot.draw(figure, LIGHT)
    dots = {
        round(float(line.get_xdata()[0]), 2): line.get_alpha()
        for line in figure.axes[0].lines
        if line.get_marker() == "o" and len(line.get_xdata())
    }
    assert dots[0.95] == 1
    assert dots[0.55] < 0.5


def test_examples_of_a_table_have_their_features(table: Outcome, page: str) -> None:
    answers = read_answers(table)
    assert isinstance(answers, StudyAnswers)
    assert answers.features is not None
    data = load(table.document.data.spec())
    pairs = dict(answers.features.describe(3))
    assert list(pairs) == ["feature_0", "feature_1", "feature_2", "feature_3", "plan"]
    assert float(pairs["feature_0"].replace("\N{MINUS SIGN}", "-")) == pytest.approx(float(data.x_test[3][0]), abs=1e-3)
    assert pairs["plan"] in ("basic", "pro")
    assert "<dt>plan</dt>" in page
    assert "-" not in "".join(re.findall(r"<dd>([^<]*\d)</dd>", page.split('id="examples"')[1]))


def test_of_many_columns_the_unusual_ones_describe_an_example() -> None:
    data = load(DataSpec("sklearn:breast_cancer"))
    features = Features.from_dataset(data)
    assert features is not None
    assert features.are_selected
    x = np.asarray(data.x_test, np.float64)
    far = np.abs(x[5] - x.mean(0)) / x.std(0)
    names = [f"feature {index}" if data.columns is None else data.columns[index].name for index in range(x.shape[1])]
    expected = {names[index] for index in np.argsort(-far)[:MOST]}
    assert {name for name, _ in features.describe(5)} == expected
    assert len(features.columns) > ALL


def test_images_have_no_features() -> None:
    assert Features.from_dataset(load(DataSpec("digits"))) is None


def test_methods_say_class_weights_and_how_inputs_were_prepared(table: Outcome, tiny: Outcome) -> None:
    text = " ".join(describe_methods(table).paragraphs)
    assert "Every feature was standardized" in text
    assert "weighed by its class: 9 for yes, 1 for any other." in text
    assert "Inputs were divided by 16." in " ".join(describe_methods(tiny).paragraphs)
    protocol = table.document.protocol.model_copy(update={"class_weight": "balanced"})
    document = table.document.model_copy(update={"protocol": protocol})
    balanced = replace(table, request=replace(table.request, study=document))
    assert "weighed inversely proportional to how often" in " ".join(describe_methods(balanced).paragraphs)
    assert "weighed" not in " ".join(describe_methods(tiny).paragraphs)


@given(st.lists(st.text("abc -", min_size=1, max_size=30), min_size=1, max_size=20))
def test_a_wide_table_has_every_column_once(arms: list[str]) -> None:
    cells: list[Any] = ["class", *(f"cell {number}" for number in range(len(arms)))]
    made = wide_table("Accuracy", ["Class", *arms], [cells])
    text = "".join(part.text for part in made)
    for number in range(len(arms)):
        assert text.count(f"<span>cell {number}</span>") == 1
    assert text.count("<caption>") == len(made)


def test_long_parts_are_folded_and_the_contents_name_them(page: str) -> None:
    for anchor in ("examples", "classes", "calibration", "methods", "runs", "networks", "again"):
        assert re.search(rf'<section id="{anchor}"[^>]*class="fold"><details><summary><h2', page), anchor
        assert page.count(f'href="#{anchor}"') == 2, anchor
