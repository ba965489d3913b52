"""Progress in a notebook: one output that changes in place."""

from __future__ import annotations

import sys
import types
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from display_examples import DATA, DOCUMENT, WANTED, Clock, failure, result
from paribus.display.base import BestEffort
from paribus.display.choose import suitable
from paribus.display.notebook import Notebook, in_notebook
from paribus.display.plain import Plain
from paribus.records import Ended, EpochDone, EpochReport, Started
from paribus.study.plan import plan_runs


def text(html: str) -> str:
    """What a reader sees."""
    seen: list[str] = []
    parser = HTMLParser()
    parser.handle_data = seen.append  # type: ignore[method-assign]
    parser.feed(html)
    return " ".join(seen)


def shown(events: list[Any], seconds: float = 1.0) -> list[str]:
    """What is put, event by event, ``seconds`` apart."""
    clock, put = Clock(), []
    display = Notebook(put.append, clock)
    display.planned(DOCUMENT, DATA, plan_runs(WANTED, {}))
    with display:
        for event in events:
            clock.now += seconds
            display.show(event)
    return put


def test_it_says_what_runs_and_what_is_left() -> None:
    first, second = WANTED[0], WANTED[1]
    events = [
        Started(first),
        Started(second),
        EpochDone(first, EpochReport(1, 4, 0.5, 0.75)),
        Ended(second, result(second)),
    ]
    put = shown(events)
    assert "6 runs, 0 stored, 6 to do; data digits" in text(put[0])
    assert "small seed 0: compiling, first epoch" in text(put[1])
    assert "small seed 0: epoch 1/4, fit loss 0.5000, fit accuracy 0.7500" in text(put[3])
    assert "1 of 6 runs" in text(put[4])
    assert '<progress value="0.' in put[4]
    assert "1 run in 4 s" in text(put[-1])
    assert "<progress" not in put[-1]


def test_it_changes_four_times_a_second_at_most() -> None:
    events = [EpochDone(WANTED[0], EpochReport(1, 4, 0.5, 0.75))] * 100
    put = shown([Started(WANTED[0]), *events], seconds=0.01)
    assert len(put) == 1 + 4 + 1


def test_what_went_wrong_stays() -> None:
    put = shown([Started(WANTED[0]), Ended(WANTED[0], failure(WANTED[0]))])
    assert "small seed 0: failed: no memory [gib: 12] [/bold]" in text(put[-1])


def test_names_are_no_markup() -> None:
    job = replace(WANTED[0], arm="<script>")
    clock, put = Clock(), []
    display = Notebook(put.append, clock)
    display.planned(DOCUMENT, DATA, plan_runs([job], {}))
    with display:
        clock.now += 1
        display.show(Started(job))
    assert not [html for html in put if "<script>" in html]
    assert "&lt;script&gt; seed 0" in put[1]


class Handle:
    def __init__(self, outputs: list[Any]) -> None:
        self.outputs = outputs

    def update(self, value: Any) -> None:
        self.outputs.append(("update", value))


@pytest.fixture
def outputs(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A process that believes it is the kernel of a notebook; what it displays."""
    made: list[Any] = []

    def display(value: Any, *, display_id: bool) -> Handle:
        assert display_id
        made.append(("display", value))
        return Handle(made)

    package, module = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    package.get_ipython = lambda: types.SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    module.HTML, module.display = str, display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", package)
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    return made


def test_a_kernel_gets_one_output_that_is_updated(outputs: list[Any]) -> None:
    assert in_notebook()
    display = suitable()
    assert isinstance(display, BestEffort)
    assert isinstance(display.display, Notebook)
    display.planned(DOCUMENT, DATA, plan_runs(WANTED, {}))
    with display:
        pass
    assert [kind for kind, _ in outputs] == ["display", "update"]
    assert "digits" in outputs[0][1]


def test_a_terminal_session_of_ipython_is_no_notebook(outputs: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    sys.modules["IPython"].get_ipython = lambda: types.SimpleNamespace()
    assert not in_notebook()
    display = suitable()
    assert isinstance(display, BestEffort)
    assert isinstance(display.display, Plain)


def test_without_ipython_it_is_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)  # a plugin of pytest may have imported it
    assert not in_notebook()
    assert "IPython" not in sys.modules
