"""The list of words below an answer: those that it uses, in its own numbers (decision 0133)."""

from __future__ import annotations

from html import unescape

import report_examples as examples
from paribus.report.html.words import explain_words


def words_of(outcome: examples.Outcome) -> dict[str, str]:
    made = explain_words(outcome)
    assert made is not None
    rows = made.text.split("<dt>")[1:]
    return {unescape(row.split("</dt>")[0]): unescape(row.split("<dd>")[1].split("</dd>")[0]) for row in rows}


def test_a_study_explains_the_words_of_its_answer() -> None:
    words = words_of(examples.tiny(3))
    assert {"arm", "seed", "on new data", "points", "CI", "p"} <= set(words)
    assert "primary" not in words, "there is none"
    assert "95 % of such studies all intervals" in words["CI"]


def test_a_primary_contrast_has_its_level() -> None:
    words = words_of(examples.with_primary(examples.tiny(3), 0))
    assert "an interval of 96 %" in words["primary"]


def test_one_seed_explains_no_interval_and_no_p() -> None:
    words = words_of(examples.tiny(1))
    assert not {"CI", "p", "better, worse"} & set(words)
    assert "It does not mean equal" in words["undecided"]


def test_nothing_is_explained_where_nothing_is_judged() -> None:
    assert explain_words(examples.tiny(2, contrasts=[], comparison={"all_pairs": False})) is None
