"""The HTML report: well formed, complete, self-contained, and nothing in a study can become markup."""

from __future__ import annotations

import dataclasses
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import report_examples as examples
from paribus.analysis import NoiseShares, VarianceShare
from paribus.analysis.sentences import contrast_sentence, effect_sentence
from paribus.data import load
from paribus.records import DataSpec, Status
from paribus.report import render_report
from paribus.report.answers import MissingAnswers, StudyAnswers, read_answers
from paribus.report.html.build import Markup, tag
from paribus.report.html.opening import _without_share
from paribus.report.pictures import Pictures

VOID = {"br", "hr", "img", "input", "link", "meta"}


def attack(place):
    return f"{place}<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


class Page(HTMLParser):
    """Reads a page, and fails where elements are not nested as they were opened."""

    def __init__(self, source):
        super().__init__(convert_charrefs=True)
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(source)
        self.close()
        assert self.open == []
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.words.append(data)

    def values(self, name):
        return [value for _, key, value in self.attributes if key == name]


@pytest.fixture(scope="module")
def notebook():
    return examples.notebook(3)


@pytest.fixture(scope="module")
def source(notebook):
    return render_report(notebook, "html")


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


def test_identifiers_are_unique_and_every_reference_has_one(page):
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    for name in ("href", "aria-labelledby"):
        for value in page.values(name):
            target = value.removeprefix("#")
            assert target in ids, value
    for value in page.values("clip-path"):
        assert re.fullmatch(r"url\(#(.+)\)", value)[1] in ids


def test_nothing_is_loaded_from_anywhere(source, page):
    assert "http:" not in source.replace("http://www.w3.org", "")
    assert "https:" not in source
    assert all(value.startswith("data:image/png;base64,") for value in page.values("src"))
    assert all(value.startswith("#") for value in page.values("href"))
    assert "@import" not in source
    assert "url(" not in re.sub(r"url\(#", "", source)
    policy = next(value for value in page.values("content") if "default-src" in value)
    assert "default-src 'none'" in policy
    assert "script-src 'sha256-" in policy


def test_the_answer_stands_on_top(notebook, page):
    sentence = re.sub(r"(?<=[\s(])-(?=\d)", "\N{MINUS SIGN}", contrast_sentence(notebook.contrasts[0]))
    # The card leaves the share of the error to the methods.
    words = re.sub(r"\s", "", _without_share(sentence, notebook.contrasts[0]))
    text = re.sub(r"\s", "", page.text)
    top = text[text.index("Studymnist-mlps") :]
    assert top.index("Doesdropoutprovidevalue,afterall?") < top.index(words) < top.index("Everymeasurebyarm")


def test_all_sections_are_there(page):
    for anchor in (
        *("answer", "arms", "readings", "contrasts", "gap", "curves", "examples", "classes", "calibration"),
        *("methods", "runs", "networks", "again"),
    ):
        assert anchor in page.values("id"), anchor


def test_figures_have_words_and_tables_have_heads(page):
    assert page.tags.count("svg") >= 15
    labels = [value for tag, name, value in page.attributes if tag == "svg" and name == "aria-label"]
    assert len(labels) == page.tags.count("svg")
    assert all(len(label) > 20 for label in labels)
    assert page.tags.count("caption") == page.tags.count("table")
    assert page.tags.count("h1") == 1
    scopes = [value for tag, name, value in page.attributes if tag == "th" and name == "scope"]
    assert len(scopes) == page.tags.count("th")
    assert all(value for tag, name, value in page.attributes if tag == "img" and name == "alt")


def test_figures_take_their_colours_from_the_page(source):
    drawings = re.findall(r"<svg.*?</svg>", source, flags=re.S)
    assert drawings
    for drawing in drawings:
        assert "var(--" in drawing
        assert not re.search(r"#[0-9a-f]{6}\b", re.sub(r'(href|id|clip-path)="[^"]*"', "", drawing)), "a fixed colour"
        assert "font-family" not in drawing


def test_the_same_outcome_gives_the_same_page(notebook, source):
    assert render_report(notebook, "html") == source


def test_fit_accuracy_is_explained(page):
    assert "It is not the train accuracy" in page.text


def test_examples_carry_pictures_and_answers(notebook, source, page):
    evidence = read_answers(notebook)
    assert isinstance(evidence, StudyAnswers)
    always = evidence.by_arm["big"].difficulty.always_wrong
    assert f"#{always[0]}" in page.text
    assert evidence.pictures is not None
    assert evidence.pictures.data_uri(int(always[0])) in source


def test_flips_of_the_contrast_are_counted(notebook, page):
    evidence = read_answers(notebook)
    flips, seeds = evidence.flips("big-dropout", "big")
    assert seeds == (0, 1, 2)
    assert f"big-dropout is right more often on {len(flips.to_a)} examples, big on {len(flips.to_b)}" in page.text
    assert flips.balance.mean() == pytest.approx(notebook.contrasts[0].comparison.difference)


def test_how_to_run_it_again(page, notebook):
    assert "paribus run mnist-mlps --seeds 3" in page.text
    assert notebook.data.fingerprint in page.text
    assert "Example CPU 3000" in page.text


def test_effects_are_the_answer_of_a_factorial_study():
    outcome = examples.tiny_factorial()
    found = Page(render_report(outcome, "html"))
    assert "effects" in found.values("id")
    top = found.text[: found.text.index("A main effect compares")]
    for effect in outcome.effects:
        start = " ".join(effect_sentence(effect).split()[:3])
        assert re.sub(r"\s", "", start) in re.sub(r"\s", "", top)


def hostile():
    """An outcome with markup in every string that a study, a machine or a failure can bring."""
    arms = {
        name: {"layers": [{"Dense": {"units": units}}], "levels": {attack("factor"): attack(name)}}
        for name, units in (("a", 10), ("b", 20))
    }
    outcome = examples.tiny(2, question=attack("question"), arms=arms, contrasts=[], comparison={"factorial": True})
    first, *rest = outcome.arms
    run = dataclasses.replace(first.runs[0], status=Status.FAILED, scores=None, reason=attack("reason"))
    share = VarianceShare(attack("source"), 1e-6, 1.0, False, 5, 0.001)
    return dataclasses.replace(
        outcome,
        arms=(dataclasses.replace(first, runs=(run, *first.runs[1:])), *rest),
        environments=(dataclasses.replace(examples.ENVIRONMENT, cpu=attack("cpu")),),
        notes=(attack("note"),),
        noise={attack("noise"): NoiseShares((share,), 1e-6, 450)},
    )


def test_text_of_a_study_never_becomes_markup(monkeypatch):
    dataset = load(DataSpec("digits"))
    named = dataclasses.replace(dataset, class_names=(attack("class"), *dataset.class_names[1:]))
    monkeypatch.setattr("paribus.report.answers.load", lambda spec: named)
    source = render_report(hostile(), "html")
    found = Page(source)
    words = " ".join(found.words)
    for place in ("question", "factor", "a", "reason", "source", "cpu", "note", "noise", "class"):
        assert attack(place) in words, place
    assert found.tags.count("script") == 1
    assert "<script>alert" not in source
    assert "x" not in found.values("src")
    assert "onerror" not in {name for _, name, _ in found.attributes}


def end_badly(arm, seed):
    return {
        ("small", 0): Status.DIVERGED,
        ("small", 1): Status.FAILED,
        ("large", 2): None,
    }.get((arm, seed), Status.FINISHED)


@pytest.mark.parametrize(
    "outcome",
    [
        pytest.param(lambda: examples.tiny(1), id="one seed"),
        pytest.param(lambda: examples.tiny(4, end=end_badly), id="diverged, failed, missing"),
        pytest.param(lambda: examples.tiny(2, end=lambda arm, seed: Status.DIVERGED), id="all diverged"),
        pytest.param(lambda: examples.tiny(2, end=lambda arm, seed: Status.FAILED), id="all failed"),
        pytest.param(lambda: examples.tiny(2, end=lambda arm, seed: None), id="nothing run"),
        pytest.param(lambda: examples.tiny(2, contrasts=[], comparison={"all_pairs": False}), id="no contrasts"),
        pytest.param(
            lambda: examples.tiny(3, arms={"a": {"layers": [{"Dense": {"units": 10}}]}}, contrasts=[]), id="one arm"
        ),
        pytest.param(lambda: examples.tiny(2, comparison={"all_pairs": True, "looks": [3, 6]}), id="before a look"),
        pytest.param(lambda: examples.tiny(4, comparison={"all_pairs": True, "looks": [3, 6]}), id="at a look"),
        pytest.param(
            lambda: examples.tiny(3, contrasts=[{"a": "small", "b": "large", "metric": "test_loss"}]), id="a loss"
        ),
        pytest.param(
            lambda: examples.tiny(2, protocol={"epochs": 1, "validation_split": 0.2}), id="one epoch, validation"
        ),
    ],
)
def test_every_kind_of_outcome_has_a_page(outcome):
    made = outcome()
    source = render_report(made, "html")
    found = Page(source)
    ids = found.values("id")
    assert len(ids) == len(set(ids))
    assert not re.search(r"\bnan\b", re.sub(r"loss is nan", "", found.text))
    for _, name, value in found.attributes:
        assert name not in ("d", "x", "y") or "nan" not in value.lower()
    for note in made.notes:
        assert re.sub(r"[\s`]", "", note) in re.sub(r"\s", "", found.text)


def test_one_seed_shows_no_interval():
    found = Page(render_report(examples.tiny(1), "html"))
    assert "one seed cannot show a difference" in found.text
    assert not re.search(r"\[[−+]?\d+\.\d+, [−+]?\d+\.\d+\]", found.text)


def test_validation_curves_are_drawn_and_named():
    found = render_report(examples.tiny(2, protocol={"epochs": 5, "validation_split": 0.2}), "html")
    assert "validation accuracy by epoch" in found
    assert "var(--val)" in found


def test_at_a_look_the_seeds_of_that_look_are_drawn():
    outcome = examples.tiny(5, comparison={"all_pairs": True, "looks": [3, 6]})
    found = Page(render_report(outcome, "html"))
    panel = next(
        value for tag, name, value in found.attributes if name == "aria-label" and "large-dropout − large in" in value
    )
    assert "seed 2" in panel
    assert "seed 3" not in panel
    assert "look 1 of 2" in found.text


def test_noise_is_shown_where_it_was_measured():
    shares = (
        VarianceShare("init", 1e-6, 0.25, False, 5, 0.001),
        VarianceShare("test sample", 3e-6, 0.75, False, 15, None),
    )
    outcome = dataclasses.replace(examples.tiny(2), noise={"large": NoiseShares(shares, 4e-6, 450)})
    found = Page(render_report(outcome, "html"))
    assert "What varied" in found.text
    assert "75\N{NO-BREAK SPACE}%" in " ".join(found.words)


def test_data_that_changed_since_the_runs_is_not_shown_under_their_answers():
    outcome = examples.tiny(2)
    data = dataclasses.replace(outcome.data, fingerprint="0" * 64)
    changed = dataclasses.replace(outcome, request=dataclasses.replace(outcome.request, data=data))
    assert isinstance(read_answers(changed), MissingAnswers)
    found = Page(render_report(changed, "html"))
    assert "No examples: " in found.text
    assert "has changed since" in found.text


def test_data_that_are_no_images_have_no_pictures():
    assert Pictures.from_examples(np.zeros((10, 30), np.float32)) is None
    assert Pictures.from_examples(np.zeros((10, 2, 30), np.float32)) is None
    colour = Pictures.from_examples(np.linspace(0, 1, 10 * 8 * 8 * 3, dtype=np.float32).reshape(10, 8, 8, 3))
    assert colour is not None
    assert colour.encode_png(0).startswith(b"\x89PNG")
    assert not colour.dark
    assert Pictures.from_examples(np.zeros((10, 9, 9, 1), np.uint8)).encode_png(3).startswith(b"\x89PNG")


def test_names_with_dollar_signs_are_no_formulas():
    arms = {name: {"layers": [{"Dense": {"units": 10}}], "levels": {"$x$": f"${name}$"}} for name in ("a", "b")}
    found = render_report(examples.tiny(2, arms=arms, contrasts=[], comparison={"factorial": True}), "html")
    assert "$x$: $b$ against $a$" in found


@pytest.mark.slow
def test_ten_seeds_of_five_arms_stay_small():
    assert len(render_report(examples.notebook(10), "html").encode()) < 3_000_000


def test_the_builder_escapes_everything_but_markup():
    made = tag("p", "<b>", Markup("<i>x</i>"), ["&", None, 3], title='"<', hidden=True, class_=None)
    assert made.text == '<p title="&quot;&lt;" hidden>&lt;b&gt;<i>x</i>&amp;3</p>'
    assert tag("br").text == "<br>"
