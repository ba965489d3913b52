"""The answer in the terminal: fits its width, says everything, needs no colour."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

import report_examples as examples
from paribus.analysis import Estimate, Scope
from paribus.analysis.sentences import contrast_sentence, effect_sentence
from paribus.records import Status
from paribus.report.numbers import with_minus
from paribus.report.strip import Scale, draw_strip
from paribus.report.terminal import render


def printed(outcome, width, *, colour=False, encoding="utf-8"):
    buffer = io.BytesIO()
    file = io.TextIOWrapper(buffer, encoding=encoding, errors="strict")
    console = Console(
        file=file,
        width=width,
        highlight=False,
        force_terminal=colour,
        color_system="truecolor" if colour else None,
        legacy_windows=False,
    )
    console.print(render(outcome))
    file.flush()
    return buffer.getvalue().decode(encoding)


def squeezed(text):
    return re.sub(r"\s+", " ", text)


@pytest.fixture(scope="module")
def notebook():
    return examples.notebook(3)


@pytest.mark.parametrize("width", [80, 100, 132, 160, 240])
def test_nothing_is_cut_off_at_any_width(notebook, width):
    text = printed(notebook, width)
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    for arm in notebook.arms:
        estimate = arm.estimates["test_accuracy"]
        assert arm.name in text
        assert f"{arm.recipe.parameters:,}" in text
        assert f"[{estimate.low * 100:.2f}, {estimate.high * 100:.2f}]" in text


def test_every_contrast_has_its_sentence(notebook):
    text = squeezed(printed(notebook, 160))
    for contrast in notebook.contrasts:
        head, _, tail = with_minus(contrast_sentence(contrast)).partition(". ")
        assert squeezed(head) in re.sub(r"(undecided|better|worse|equivalent) (?=\w)", r"\1 ", text), tail


def test_effects_have_their_sentences():
    outcome = examples.tiny_factorial()
    text = squeezed(printed(outcome, 1000))
    for effect in outcome.effects:
        assert with_minus(effect_sentence(effect)) in text


def test_no_colour_in_a_pipe_and_colour_in_a_terminal(notebook):
    assert "\x1b" not in printed(notebook, 100)
    assert "\x1b[1;" in printed(notebook, 100, colour=True)


def test_intervals_are_drawn_where_there_is_room(notebook):
    assert "●" not in printed(notebook, 100)
    assert "●" in printed(notebook, 160)


def test_an_ascii_console_gets_ascii_drawings():
    drawn = draw_strip(Estimate(0.5, 0.4, 0.6, 0.1, 3, Scope.NEW_DATA, 0.95), Scale(0.0, 1.0), 11, ascii_only=True)
    assert drawn == "    |o|"


def test_one_seed_says_so_and_has_no_interval():
    text = printed(examples.tiny(1), 100)
    assert "there is no interval" in text
    assert "[" not in text
    assert "one seed cannot tell" in squeezed(text)


def test_no_arm_name_is_too_long():
    long = "a" * 100
    document = {"arms": {long: {"layers": [{"Dense": {"units": 10}}]}, "b": {"layers": [{"Dense": {"units": 10}}]}}}
    outcome = examples.tiny(2, contrasts=[], **document)
    for width in (80, 120, 160):
        text = printed(outcome, width)
        assert max(map(len, text.splitlines())) <= width
        assert text.count("a" * 5) > 1


def test_runs_that_ended_badly_are_counted_and_noted():
    def end(arm, seed):
        return {("small", 0): Status.DIVERGED, ("large", 1): Status.FAILED, ("large", 2): None}.get(
            (arm, seed), Status.FINISHED
        )

    text = squeezed(printed(examples.tiny(4, end=end), 160))
    assert "small seed 0 diverged" in text
    assert "large seed 1 failed (killed: out of memory)" in text
    assert "2 of 4" in text
    assert "no run yet for seed 2" in text


def test_without_contrasts_nothing_is_claimed():
    text = printed(examples.tiny(2, contrasts=[], comparison={"all_pairs": False}), 100)
    assert "nothing is claimed" in text
    assert "Contrasts" not in text


def test_before_the_first_look_nothing_is_judged_and_that_is_said():
    text = printed(examples.tiny(2, comparison={"all_pairs": True, "looks": [3, 6]}), 100)
    assert "Nothing is judged yet" in text
    assert "first planned look is at 3 seeds" in squeezed(text)


def test_brackets_in_a_question_are_text():
    assert "Is [bold]this[/bold] [red]text?" in printed(
        examples.tiny(2, question="Is [bold]this[/bold] [red]text?"), 100
    )
