"""What a terminal and a log show, as text."""

from __future__ import annotations

import io
import threading
from contextlib import redirect_stderr
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from display_examples import BRACKETS, DATA, DOCUMENT, WANTED, Clock, failure, result
from paribus.backends.fake import FakeBackend
from paribus.data import load, spool
from paribus.display import wording
from paribus.display.base import Display, Silent
from paribus.display.live import Terminal, progress
from paribus.display.plain import Plain
from paribus.display.tally import Tally
from paribus.records import (
    Curve,
    DataSpec,
    Ended,
    EpochDone,
    EpochReport,
    Seeds,
    Started,
    Status,
    StudyKind,
    TrainJob,
)
from paribus.runner import run
from paribus.runner.run import run_study
from paribus.store.memory import MemoryStore
from paribus.study.document import MAX_SEED
from paribus.study.overrides import override
from paribus.study.plan import RunPlan, plan_runs


@pytest.mark.parametrize("kind", ["terminal", "plain"])
def test_data_that_takes_long_to_read_is_announced_once(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool(load(DataSpec("digits")), tmp_path / "large")
    document = override(DOCUMENT, data=str(tmp_path / "large"))
    stream, store = io.StringIO(), MemoryStore()
    display = Terminal(Console(file=stream, width=200)) if kind == "terminal" else Plain(stream)
    monkeypatch.setattr(run, "LARGE", 1 << 10)
    for _ in range(2):
        run_study(document, store, FakeBackend(), display, arms=["small"])
    assert stream.getvalue().count("reading ") == 1
    assert f"reading {tmp_path / 'large'} once for its fingerprint: 0.0 GiB" in stream.getvalue()


def epoch(job: TrainJob, number: int) -> EpochDone:
    return EpochDone(job, EpochReport(number, 4, 0.25, 0.925))


def planned(*done: TrainJob) -> RunPlan:
    return plan_runs(WANTED, {job.fingerprint: result(job) for job in done})


def a_story(display: Display, clock: Clock) -> None:
    """The first run takes 4 epochs of 3 s, the second fails, the third's worker dies once and it diverges."""
    first, second, third = WANTED[:3]
    display.planned(DOCUMENT, DATA, planned(*WANTED[4:]))
    with display:
        display.show(Started(first))
        for number in range(1, 5):
            clock.now += 3
            display.show(epoch(first, number))
        display.show(Ended(first, result(first)))
        display.show(Started(second))
        display.show(Ended(second, failure(second)))
        display.show(Started(third))
        display.show(Started(third, attempt=2, death="killed by SIGSEGV"))
        gone = replace(result(third, 0.1), status=Status.DIVERGED, reason="the loss was nan after epoch 1")
        display.show(Ended(third, gone))


def test_the_log_has_a_line_for_every_run_that_ends() -> None:
    stream, clock = io.StringIO(), Clock()
    a_story(Plain(stream, clock), clock)
    assert stream.getvalue().splitlines() == [
        "digits: 3 arms, 6 runs in all, 2 stored, 4 to do; data digits, 1347 train and 450 test examples",
        "[1/4] small seed 0; test accuracy 0.9812 (12 s); about 38 s left",
        f"[2/4] small seed 1; failed: {BRACKETS} (0 s); about 26 s left",
        "large seed 0: its worker died: killed by SIGSEGV; attempt 2",
        "[3/4] large seed 0; diverged (the loss was nan after epoch 1), test accuracy 0.1000 (0 s); about 13 s left",
    ]


def test_the_last_line_of_the_log_says_done() -> None:
    stream = io.StringIO()
    display = Plain(stream)
    display.planned(DOCUMENT, DATA, planned(*WANTED[1:]))
    display.show(Ended(WANTED[0], result(WANTED[0])))
    assert stream.getvalue().splitlines()[-1].endswith("; done")


def fake_console(width: int = 100) -> tuple[Console, io.StringIO]:
    stream = io.StringIO()
    return Console(file=stream, force_terminal=True, color_system=None, width=width, height=40), stream


def shown(tally: Tally, seconds: float) -> list[str]:
    """The live region's lines."""
    console, stream = fake_console()
    console.print(progress(tally, seconds))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def test_the_live_region() -> None:
    clock = Clock()
    tally = Tally(planned(), clock)
    for job in (WANTED[0], WANTED[2]):
        tally.count(Started(job))
    clock.now += 30
    tally.count(epoch(WANTED[0], 1))
    assert "left" not in shown(tally, 75)[0], "the first epoch compiled the network"
    clock.now += 2
    tally.count(epoch(WANTED[0], 2))
    lines = shown(tally, 75)
    assert lines[0].split("%")[1].split("  ") == [" 0 of 6 runs 75 s about 23 s left"]
    assert [" ".join(line.split()) for line in lines[1:3]] == [
        "large seed 0 compiling, first epoch",
        "small seed 0 epoch 2/4, fit loss 0.2500, fit accuracy 0.9250",
    ]
    tally.count(Ended(WANTED[0], result(WANTED[0])))
    tally.count(Ended(WANTED[1], failure(WANTED[1])))
    lines = shown(tally, 75)
    assert "2 of 6 runs" in lines[0]
    assert " ".join(lines[2].split()) == "small 1/2 test accuracy 0.9812 so far"
    assert " ".join(lines[3].split()) == "large 0/2"


def test_the_terminal_shows_arms_first_and_what_went_wrong() -> None:
    console, stream = fake_console()
    clock = Clock()
    a_story(Terminal(console, clock), clock)
    text = stream.getvalue()
    assert "digits  6 runs, 2 stored, 4 to do  digits: 1,347 train, 450 test" in text
    assert "small  1,210 parameters" in text
    assert "dense (Dense)" in text
    assert "hidden[/x] (Dense)" in text, "names are shown as they are"
    assert "large-dropout" not in text.split("0 %")[0], "what is stored is not summarized"
    assert f"small seed 1: failed: {BRACKETS}" in text
    assert "3 runs in 12 s" in text
    assert text.index("parameters") < text.index("small seed 1: failed") < text.index("3 runs in")


def test_a_terminal_too_narrow_still_shows() -> None:
    console, stream = fake_console(width=20)
    clock = Clock()
    a_story(Terminal(console, clock), clock)
    assert "3 runs in 12 s" in stream.getvalue()


@pytest.mark.parametrize("kind", ["terminal", "plain"])
def test_an_error_in_the_middle_leaves_the_terminal_in_order(kind: str) -> None:
    console, stream = fake_console()
    display = Terminal(console) if kind == "terminal" else Plain(stream)
    display.planned(DOCUMENT, DATA, planned())

    def fail() -> None:
        with display:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert stream.getvalue().count("\x1b[?25l") == stream.getvalue().count("\x1b[?25h"), "the cursor is back"


@pytest.mark.parametrize("kind", ["terminal", "plain", "silent"])
def test_nothing_to_do(kind: str) -> None:
    """Every run stored: one line, no live region."""
    store = MemoryStore()
    console, stream = fake_console()
    display: Display = {"terminal": Terminal(console), "plain": Plain(stream), "silent": Silent()}[kind]
    run_study(DOCUMENT, store, FakeBackend(), Silent())
    run_study(DOCUMENT, store, FakeBackend(), display)
    expected = [] if kind == "silent" else [0]
    assert [line.count("to do") - 1 for line in stream.getvalue().splitlines()] == expected
    assert "0 to do" in stream.getvalue() or kind == "silent"


def test_counting_waits_while_rich_draws() -> None:
    """Rich draws from a thread of its own, which must never meet a dictionary that changes under it."""
    console, _ = fake_console()
    drawing, counted = threading.Event(), threading.Event()
    overtaken: list[bool] = []

    def clock() -> float:
        if threading.current_thread() is thread:
            drawing.set()
            overtaken.append(counted.wait(0.2))
        return 0.0

    display = Terminal(console, clock)
    display.planned(DOCUMENT, DATA, planned())
    thread = threading.Thread(target=display._draw)
    thread.start()
    assert drawing.wait(60)
    display.show(Started(WANTED[0]))
    counted.set()
    thread.join()
    assert overtaken == [False]


def test_progress_of_a_real_study_goes_to_its_stream_alone() -> None:
    stream, elsewhere = io.StringIO(), io.StringIO()
    with redirect_stderr(elsewhere):
        run_study(DOCUMENT, MemoryStore(), FakeBackend(), Plain(stream))
    assert elsewhere.getvalue() == ""
    assert len(stream.getvalue().splitlines()) == 1 + 6


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0 s"),
        (48.4, "48 s"),
        (99.4, "99 s"),
        (99.6, "1 min 40 s"),
        (200, "3 min 20 s"),
        (3599.7, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert wording.format_duration(seconds) == text


def test_other_words() -> None:
    job = WANTED[0]
    assert wording.name_run(job) == "small seed 0"
    assert wording.name_run(replace(job, seeds=Seeds(1, 2, 3))) == "small seeds 1/2/3"
    assert (wording.count_runs(1), wording.count_runs(0), wording.format_time_left(None)) == ("1 run", "0 runs", "")
    with_validation = EpochReport(2, 4, 0.25, 0.925, 0.3, 0.91)
    assert (
        wording.describe_epoch(with_validation)
        == "epoch 2/4, fit loss 0.2500, fit accuracy 0.9250, val accuracy 0.9100"
    )


def test_a_candidate_is_one_by_the_kind_of_its_job_and_not_by_its_seed() -> None:
    job = replace(WANTED[0], arm="small.2", seeds=Seeds.of(MAX_SEED))
    curve = Curve((0.5,), (0.5,), (0.4,), (0.75,))
    ended = replace(result(job), curve=curve)
    assert wording.name_run(job) == f"small.2 seed {MAX_SEED}"
    assert wording.describe_result(job, ended).startswith("test accuracy")
    candidate = replace(job, kind=StudyKind.TUNING)
    assert wording.name_run(candidate) == "small candidate 2"
    assert wording.describe_result(candidate, ended) == "val accuracy 0.7500"
