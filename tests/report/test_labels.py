"""What tables, captions and methods say of their numbers comes from the result object, in every format."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

import report_examples as examples
from paribus.analysis import Scope, Verdict
from paribus.analysis.phrases import interval_name
from paribus.records import Status
from paribus.report import numbers, render_report
from paribus.report.json import outcome_fields
from paribus.report.methods import describe_methods
from paribus.report.statements import list_statements
from paribus.report.tables import arm_table, statement_table
from paribus.report.terminal import render

WRITTEN = ("md", "latex", "html")
PAIRS = [{"a": "large-dropout", "b": "large"}, {"a": "small", "b": "large"}, {"a": "small", "b": "large-dropout"}]


@pytest.fixture(scope="module")
def tiny():
    return examples.tiny(3)


@pytest.fixture(scope="module")
def primary():
    """Three contrasts, the last one primary."""
    return examples.with_primary(examples.tiny(3), 2)


def plain(outcome, format: str) -> str:
    """A report as running text: without markup, line breaks and escapes."""
    text = render_report(outcome, format)
    if format == "html":
        text = re.sub(r"<style>.*?</style>|<[^>]*>", "", text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", text.replace("\\", "").replace("\N{NO-BREAK SPACE}", " ").replace("~", " "))


def on_terminal(outcome) -> str:
    from rich.console import Console

    console = Console(width=200, record=True, file=None, force_terminal=False)
    with console.capture() as capture:
        console.print(render(outcome))
    return re.sub(r"\s+", " ", capture.get())


@pytest.mark.parametrize("format", WRITTEN)
def test_intervals_of_arms_say_what_they_are_about(tiny, format):
    """Test accuracy on new data, and measures of the training split on this training set: as their estimates say."""
    text = plain(tiny, format)
    assert re.search(r"test accuracy(,| and) generalization gap( and test loss)? on new data", text)
    assert "train accuracy and fit accuracy on this training set" in text
    assert "over the seeds)" not in text


def test_the_terminal_says_it_too(tiny):
    text = on_terminal(tiny)
    assert "train accuracy and fit accuracy on this training set" in text
    assert "95 % interval (test accuracy and generalization gap on new data" in text


def test_scope_and_level_are_those_of_the_estimates_and_not_the_studys(tiny):
    """Not what the study asked for: a metric known once per run answers for these examples, whatever was asked."""
    arms = []
    for arm in tiny.arms:
        estimates = {
            name: estimate and replace(estimate, scope=Scope.THIS_TEST_SET, level=0.9)
            for name, estimate in arm.estimates.items()
        }
        arms.append(replace(arm, estimates=estimates))
    caption = arm_table(replace(tiny, arms=tuple(arms))).caption
    assert "90 % interval (test accuracy and generalization gap on this test set" in caption


def test_a_contrast_on_train_accuracy_is_about_this_training_set():
    contrasts = [{"a": "small", "b": "large", "metric": "train_accuracy"}]
    outcome = examples.tiny(3, contrasts=contrasts, comparison={})
    for format in WRITTEN:
        text = plain(outcome, format)
        assert "on this test set" not in re.sub(r"A check|as a check on this test set", "", text), format
        assert "on this training set" in text, format


@pytest.fixture(scope="module")
def equivalent():
    """Arms of one accuracy, compared with a margin of 20 points that the study declares."""
    document = examples.tiny(3, comparison={"margin": 0.2, "all_pairs": True}).document
    return examples.outcome(document, dict.fromkeys(document.arms, 0.9))


def test_rows_that_say_equivalent_have_the_p_of_the_equivalence_test(equivalent):
    contrast = next(item for item in equivalent.contrasts if item.comparison.verdict is Verdict.EQUIVALENT)
    comparison = contrast.comparison
    (row,) = statement_table([contrast]).rows
    assert row[3] == numbers.format_p(comparison.p_equivalent_adjusted, comparison.level)
    assert row[4] == numbers.format_p(comparison.p_equivalent, comparison.level)
    assert row[3] != numbers.format_p(comparison.p_adjusted, comparison.level)
    for format in WRITTEN:
        assert "p of equivalent rows is that of the equivalence tests" in plain(equivalent, format)


@pytest.mark.parametrize("format", WRITTEN)
def test_holm_is_promised_exactly_where_a_table_has_it(tiny, format):
    alone = examples.tiny(3, contrasts=PAIRS[:1], comparison={})
    for outcome, promised in ((tiny, True), (alone, False)):
        text = plain(outcome, format)
        assert ("after Holm (1979) are reported and decide nothing" in text) == promised
        assert (("Holm p" in text) or ("shortstackHolmp" in text.replace("{", "").replace("}", ""))) == promised or (
            format == "html" and not promised
        )
        for contrast in outcome.contrasts if promised else ():
            assert numbers.format_p(contrast.p_holm, 0.95) in text


def test_a_default_margin_is_not_called_declared(tiny, equivalent):
    by_default, declared = (" ".join(describe_methods(outcome).paragraphs) for outcome in (tiny, equivalent))
    assert "within paribus's default margin (0.10 points)" in by_default
    assert "declare" not in by_default
    assert "within the margin that the study declares (20.00 points)" in declared
    assert "default" not in declared


def test_without_a_margin_nothing_counts_as_equivalent():
    outcome = examples.tiny(3, contrasts=PAIRS[:1], comparison={})
    contrast = outcome.contrasts[0]
    without = replace(contrast, comparison=replace(contrast.comparison, margin=None))
    text = " ".join(describe_methods(replace(outcome, contrasts=(without,))).paragraphs)
    assert "No margin was declared" in text
    assert "Schuirmann" not in text


@pytest.mark.parametrize("format", WRITTEN)
def test_a_primary_contrast_is_marked_and_comes_first(primary, format):
    contrast = primary.contrasts[2]
    assert interval_name(contrast.comparison) == "primary contrast, 96 % CI (0.8 of the 5 % error)"
    text = plain(primary, format)
    first = text.index("small is worse than large-dropout")
    assert first < min(text.index("large-dropout is better than large"), text.index("small is worse than large on"))
    assert "primary contrast, 96 % CI" in text
    assert "0.8 of the 5 % error" in text
    assert "weighted Holm" in text


def test_the_terminal_has_primary_statements_under_a_heading_of_their_own(primary, tiny):
    text = on_terminal(primary)
    assert text.index("Primary worse small is worse than large-dropout") < text.index(
        "Contrasts better large-dropout is better than large"
    )
    assert "Primary" not in on_terminal(tiny)


def test_tables_have_the_primary_contrast_in_the_first_row(primary):
    table = statement_table(primary.contrasts)
    assert table.rows[0][0] == "small \N{MINUS SIGN} large-dropout (primary)"
    assert "primary contrast, 96 % CI (0.8 of the 5 % error)" in table.caption
    assert "secondary contrast" in table.caption
    assert [item.comparison.primary for item in list_statements(primary)] == [True, False, False]


def test_json_has_share_and_primary_of_every_contrast(primary, tiny):
    fields = [(item["share"], item["primary"]) for item in outcome_fields(primary)["contrasts"]]
    assert [flag for _, flag in fields] == [False, False, True]
    assert [share for share, _ in fields] == pytest.approx([0.1, 0.1, 0.8])
    assert [item["share"] for item in outcome_fields(tiny)["contrasts"]] == [1 / 3] * 3


def test_a_page_has_the_primary_card_first_and_names_it(primary):
    page = render_report(primary, "html")
    cards = re.findall(r'<div class="card (\w+)"><div>(.*?)</div><p>(.*?)</p>', page)
    assert "primary" in cards[0][1]
    assert re.sub(r"<[^>]*>", "", cards[0][2]).startswith("small is worse than large-dropout")
    assert all("primary" not in line for _, line, _ in cards[1:])


def test_a_primary_contrast_without_scores_keeps_its_share_in_json():
    contrasts = [{**PAIRS[0], "primary": True}, *PAIRS[1:]]
    outcome = examples.tiny(
        2, contrasts=contrasts, comparison={}, end=lambda arm, seed: None if arm == "large" else Status.FINISHED
    )
    fields = {(item["a"], item["b"]): item for item in outcome_fields(outcome)["contrasts"]}
    declared = {statement.name: (statement.share, statement.primary) for statement in outcome.statements}
    assert declared["large-dropout against large"] == (0.8, True)
    for (a, b), item in fields.items():
        assert (item["share"], item["primary"]) == declared[f"{a} against {b}"]
        assert (item["difference"] is None) == ("large" in (a, b))


def test_a_study_with_a_primary_contrast_says_so_in_every_format():
    """Not made by hand: the study declares it, and the analysis gives it its share."""
    outcome = examples.tiny(3, contrasts=[*PAIRS[:2], {**PAIRS[2], "primary": True}], comparison={})
    for format in WRITTEN:
        text = plain(outcome, format)
        assert text.index("small is worse than large-dropout") < text.index("large-dropout is better than large")
        assert "primary contrast, 96 % CI" in text
