"""Remarks on usual readings: made from the numbers, and only where the numbers carry them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

import report_examples as examples
from paribus import report
from paribus.analysis import Verdict
from paribus.report.statements import list_misreadings
from paribus.study.builtin import NAMES
from paribus.study.builtin.notebook import load_notebook
from paribus.study.load import load_study


def titled(outcome, word):
    return next((reading.text for reading in list_misreadings(outcome) if word in reading.title), None)


@pytest.fixture(scope="module")
def notebook():
    return examples.notebook(3)


def test_fit_accuracy_below_test_accuracy_is_named_with_its_numbers(notebook):
    text = titled(notebook, "Fit accuracy")
    for name in ("deep-dropout", "big-dropout"):
        arm = notebook.arm(name).estimates
        assert f"points for {name} ({arm['fit_accuracy'].mean * 100:.2f}\N{NO-BREAK SPACE}%" in text
        assert f"{arm['train_accuracy'].mean * 100:.2f}\N{NO-BREAK SPACE}%" in text
        assert f"+{(arm['train_accuracy'].mean - arm['test_accuracy'].mean) * 100:.2f}" in text
    assert "simple" not in text
    assert "wide" not in text


def test_an_honest_fit_accuracy_is_left_alone():
    outcome = examples.tiny(2, arms={"a": {"layers": [{"Dense": {"units": 10}}]}}, contrasts=[])
    assert list_misreadings(outcome) == ()


def test_a_gap_that_fit_accuracy_shows_by_less_than_half_is_named_too():
    """As in real runs of the notebook's network with dropout: fit 98.21, test 97.96, train 99.11 %."""
    outcome = examples.tiny(2, arms={"a": {"layers": [{"Dense": {"units": 10}}]}}, contrasts=[])
    estimates = dict(outcome.arms[0].estimates)
    for name, mean in (("fit_accuracy", 0.9821), ("test_accuracy", 0.9796), ("train_accuracy", 0.9911)):
        estimates[name] = dataclasses.replace(estimates[name], mean=mean)
    changed = dataclasses.replace(outcome, arms=(dataclasses.replace(outcome.arms[0], estimates=estimates),))
    (found,) = list_misreadings(changed)
    words = found.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "+0.25 points for a (98.21 % against 97.96 %)" in words
    assert "train accuracy is 99.11 %: the gap is +1.15 points" in words


def test_the_notebooks_single_run_is_held_against_the_seeds(notebook):
    contrast = notebook.contrasts[0]
    text = titled(notebook, "trained each network once")
    assert (contrast.a, contrast.b) == ("big-dropout", "big")
    assert "+0.36" in text, "what the notebook printed"
    assert f"+{contrast.comparison.difference * 100:.2f} points" in text
    assert f"+{min(contrast.comparison.seed_differences) * 100:.2f}" in text
    assert "Over 3 seeds" in text


def test_the_notebooks_gap_is_held_against_train_accuracy(notebook):
    text = titled(notebook, "how fit measures")
    means = {
        name: {key: notebook.arm(name).estimates[f"{key}_accuracy"].mean for key in ("fit", "train", "test")}
        for name in ("wide", "big-dropout")
    }
    honest = (means["wide"]["train"] - means["wide"]["test"]) - (
        means["big-dropout"]["train"] - means["big-dropout"]["test"]
    )
    assert f"{honest * 100:.2f}" in text
    assert "1.69" in text, "what the notebook printed"


def test_the_two_changes_add_up(notebook):
    text = titled(notebook, "two things at once")
    differences = {(c.a, c.b): c.comparison.difference * 100 for c in notebook.contrasts}
    whole = -differences["wide", "big-dropout"]
    architecture, dropout = -differences["wide", "big"], differences["big-dropout", "big"]
    assert whole == pytest.approx(architecture + dropout)
    for value in (whole, architecture, dropout):
        assert f"{value:+.2f}" in text


def test_other_studies_and_one_seed_are_not_held_against_the_notebook():
    other = examples.tiny_factorial()
    assert all("notebook" not in reading.title for reading in list_misreadings(other))
    assert titled(examples.notebook(1), "trained each network once") is None


def test_another_network_under_the_same_name_is_not_the_notebooks(notebook):
    arms = tuple(
        dataclasses.replace(arm, recipe=dataclasses.replace(arm.recipe, parameters=7)) for arm in notebook.arms
    )
    assert titled(dataclasses.replace(notebook, arms=arms), "notebook") is None


def test_the_order_of_the_arms_does_not_matter():
    """``big`` against ``big-dropout`` says the same of dropout as the other way round."""
    outcome = examples.notebook(3)
    first = outcome.contrasts[0]
    comparison = first.comparison
    turned = dataclasses.replace(
        comparison,
        difference=-comparison.difference,
        low=-comparison.high,
        high=-comparison.low,
        seed_differences=tuple(-value for value in comparison.seed_differences),
        verdict={Verdict.BETTER: Verdict.WORSE}[comparison.verdict],
    )
    swapped = dataclasses.replace(first, a=first.b, b=first.a, comparison=turned)
    again = dataclasses.replace(outcome, contrasts=(swapped, *outcome.contrasts[1:]))
    assert titled(again, "trained each network once") == titled(outcome, "trained each network once")
    assert titled(again, "two things") == titled(outcome, "two things")


def test_no_number_or_sentence_of_the_notebook_stands_in_report_code():
    """They stand beside its TOML, so that a report of a notebook's study is made from data alone."""
    notebook = load_notebook("mnist-mlps")
    code = "".join(path.read_text(encoding="utf-8") for path in Path(report.__file__).parent.rglob("*.py"))
    for scores in notebook.printed.values():
        assert str(scores.test_accuracy) not in code
        assert str(scores.parameters) not in code.replace("_", "")
    for claim in (notebook.generalization, notebook.conclusion, notebook.question):
        assert claim.quote[:20] not in code


@pytest.mark.parametrize("name", [name for name in NAMES if load_notebook(name) is not None])
def test_a_notebooks_arms_and_parameters_are_its_studys(name):
    """A claim about an arm that the study does not have would never be held against anything."""
    notebook, arms = load_notebook(name), load_study(name).arms
    claims = (notebook.generalization, notebook.conclusion, notebook.question)
    assert {arm for claim in claims for arm in (claim.a, claim.b)} | {notebook.question.between} <= set(arms)
    assert set(notebook.printed) == set(arms)
    assert load_study(notebook.question.crossed_by).comparison.factorial
    data = load_study(name).data.source
    assert notebook.data == data


@pytest.mark.parametrize("name", ["digits", "", "../mnist-mlps", "nowhere", "mnist-mlps.notebook"])
def test_other_studies_repeat_no_notebook(name):
    assert load_notebook(name) is None
