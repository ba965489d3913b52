"""What a user gets back: values, tables, sentences either way round, HTML for notebooks, reports."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

import paribus as pb
from paribus.analysis import Verdict
from paribus.backends.fake import FakeBackend
from paribus.errors import UnknownNameError, UsageError
from paribus.report.json import outcome_fields

ACCURACY = {"small": 0.8, "large": 0.95, "large-dropout": 0.95}


@pytest.fixture(scope="module")
def results() -> pb.Results:
    return pb.Study.load("digits").run(4, backend=FakeBackend(lambda arm: ACCURACY[arm]), progress=False)


def test_a_contrast_has_the_numbers_of_the_report(results: pb.Results) -> None:
    found = results.contrast("large", "small")
    (said,) = [c for c in outcome_fields(results.outcome)["contrasts"] if {c["a"], c["b"]} == {"large", "small"}]
    assert (said["a"], said["difference"] < 0) == ("small", True)
    assert found.difference == pytest.approx(-said["difference"])
    assert (found.low, found.high) == (pytest.approx(-said["high"]), pytest.approx(-said["low"]))
    assert (found.p_value, found.p_adjusted, found.scope) == (said["p_value"], said["p_adjusted"], said["scope"])
    assert (found.verdict, said["verdict"]) == ("better", "worse")


def test_turning_a_contrast_round_flips_signs_and_nothing_else(results: pb.Results) -> None:
    there, back = results.contrast("large", "small"), results.contrast("small", "large")
    assert there.comparison is not None
    assert back.comparison is not None
    assert there.comparison.superiority is not None
    assert back.comparison.superiority is not None
    assert there.comparison.seed_differences == tuple(-value for value in back.comparison.seed_differences)
    assert (there.comparison.superiority.wins, there.comparison.superiority.losses) == (4, 0)
    assert (back.comparison.superiority.wins, back.comparison.superiority.losses) == (0, 4)
    assert there.comparison.superiority.probability == 1 - back.comparison.superiority.probability
    assert there.comparison.superiority.low == pytest.approx(1 - (back.comparison.superiority.high or 0))
    assert there.sentence.startswith("large is better than small")
    assert back.sentence.startswith("small is worse than large")
    assert repr(back).replace("\N{MINUS SIGN}", "-") == back.sentence
    assert "accuracy \N{MINUS SIGN}" in repr(back)
    assert "accuracy -" in back.sentence


def test_the_declared_contrasts_come_in_their_order(results: pb.Results) -> None:
    names = [(c.a, c.b) for c in results.contrasts]
    assert names == [("large-dropout", "large"), ("small", "large"), ("small", "large-dropout")]


@pytest.mark.parametrize(
    ("names", "metric", "said"),
    [
        (("large", "big"), "test_accuracy", "no arm 'big': there are small, large, large-dropout"),
        (("large", "small"), "test_loss", "was not declared.*declared: large-dropout - large on test_accuracy"),
    ],
)
def test_only_declared_contrasts_are_told(results: pb.Results, names: tuple[str, str], metric: str, said: str) -> None:
    with pytest.raises(UnknownNameError, match=said):
        results.contrast(*names, metric=metric)


def test_one_seed_decides_nothing() -> None:
    found = pb.Study.load("digits").run(1, backend=FakeBackend(), progress=False).contrast("large", "small")
    assert (found.low, found.high, found.p_value, found.verdict) == (None, None, None, "undecided")


def test_pandas_has_a_row_a_run_and_the_fields_of_the_json(results: pb.Results) -> None:
    table = results.to_pandas()
    runs = [{"arm": arm["name"], **run} for arm in results.to_json()["arms"] for run in arm["runs"]]
    assert len(table) == 12
    assert list(table.columns) == list(runs[0])
    assert list(table["arm"].unique()) == list(results.arms)
    assert table.loc[5, "test_accuracy"] == runs[5]["test_accuracy"]
    means = table.groupby("arm")["test_accuracy"].mean()
    for name, arm in results.arms.items():
        estimate = arm.estimates["test_accuracy"]
        assert estimate is not None
        assert means[name] == pytest.approx(estimate.mean)


def test_without_pandas_the_extra_is_named(results: pb.Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(UsageError, match=r"pip install 'paribus\[tables\]'"):
        results.to_pandas()


def test_the_text_is_that_of_the_command_line(results: pb.Results) -> None:
    text = repr(results)
    assert "large is better" not in text
    assert "small is worse than large" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 110


def test_the_notebook_gets_verdicts_figure_and_table_in_one_piece(results: pb.Results) -> None:
    html = results._repr_html_()
    assert html.startswith('<div class="paribus"><style>')
    assert html.endswith("</div>")
    assert html.count("<svg ") == 1
    for part in ("<script", "http://", "https://", "<link", "@import"):
        assert part not in html.replace("http://www.w3.org", "")
    for arm in results.arms:
        assert f'<th scope="row">{arm}</th>' in html
    assert html.count('<div class="card ') == 3
    assert "further comparison" not in html
    # Its style must not touch the notebook around it.
    rules = html.split("<style>")[1].split("</style>")[0].replace("@media(prefers-color-scheme:dark){", "")
    selectors = [part for rule in rules.split("}") if "{" in rule for part in rule.split("{")[0].split(",")]
    assert [each for each in selectors if ".paribus" not in each] == []
    single = results.contrast("large", "small")._repr_html_()
    assert "card better" in single
    assert "<b>large</b> is better than <b>small</b>" in single


def test_two_answers_on_one_page_share_no_identifier(results: pb.Results) -> None:
    other = pb.Study.load("digits").run(3, backend=FakeBackend(), progress=False)
    identifiers = [{part.split('"')[0] for part in r._repr_html_().split(' id="')[1:]} for r in (results, other)]
    assert identifiers[0]
    assert not identifiers[0] & identifiers[1]


def test_a_study_name_that_is_html_is_text(results: pb.Results) -> None:
    from dataclasses import replace

    asked = results.outcome.document.model_copy(update={"question": "<img src=x onerror=alert(1)>"})
    request = replace(results.outcome.request, study=asked)
    html = pb.Results(replace(results.outcome, request=request))._repr_html_()
    assert "<img" not in html
    assert "&lt;img" in html


@pytest.mark.parametrize("name", ["answer.html", "answer.md", "answer.tex", "answer.csv", "answer.json"])
def test_reports_follow_the_suffix(results: pb.Results, tmp_path: Path, name: str) -> None:
    path = results.report(tmp_path / name)
    text = path.read_text(encoding="utf-8")
    assert "large-dropout" in text
    if name.endswith("json"):
        assert json.loads(text) == json.loads(json.dumps(results.to_json()))
    if name.endswith("csv"):
        assert len(pd.read_csv(path)) == 12


def test_a_report_in_another_format_than_its_suffix(results: pb.Results, tmp_path: Path) -> None:
    assert results.report(tmp_path / "answer.txt", format="md").read_text().startswith("#")
    with pytest.raises(UsageError, match=r"no report is written as \.txt; a report is \.html, "):
        results.report(tmp_path / "answer.txt")
    with pytest.raises(UsageError, match=r"format 'word' is not known; choose one of html, md"):
        results.report(tmp_path / "answer.txt", format="word")


def test_verdicts_are_words(results: pb.Results) -> None:
    assert {c.verdict for c in results.contrasts} <= set(map(str, Verdict))
