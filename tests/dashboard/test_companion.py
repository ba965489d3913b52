"""``paribus run --dashboard``: a dashboard beside a run, which harms it in no way and ends when nobody looks."""

from __future__ import annotations

import http.client
import os
import re
import signal
import threading
from pathlib import Path

import pytest

import command_line
from paribus.cli import dashboard as command
from paribus.dashboard.activity import Activity
from paribus.dashboard.companion import Companion, wait_for_end


def test_it_waits_for_the_end_of_the_run_and_for_the_last_page() -> None:
    now = [0.0]
    activity = Activity(lambda: now[0])
    lifeline, runs = os.pipe()
    waiting = threading.Thread(target=wait_for_end, args=(lifeline, activity, 0.01), daemon=True)
    waiting.start()
    now[0] = 1000.0  # nobody looks, but the run goes on
    waiting.join(0.1)
    assert waiting.is_alive()
    os.close(runs)
    waiting.join(0.1)  # over, and asked for something at this very moment
    assert waiting.is_alive()
    now[0] = 2000.0
    waiting.join(60)
    assert not waiting.is_alive()
    os.close(lifeline)


def test_a_run_goes_on_without_it(tmp_path: Path) -> None:
    said: list[str] = []
    Companion(tmp_path, python="/nowhere/python").report(said.append)
    Companion(tmp_path, python="/bin/false").report(said.append)
    assert [re.sub(r"\(.*\)", "()", line) for line in said] == ["paribus: no dashboard (); the run goes on"] * 2


def test_it_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nexec sleep 5\n")
    script.chmod(0o755)
    said: list[str] = []
    Companion(tmp_path, python=str(script)).report(said.append, patience=0.05)
    assert said == ["paribus: the dashboard has not started yet; the run goes on"]


def test_without_its_packages_nothing_is_trained(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None)
    said = command_line.call(capsys, monkeypatch, "run", "digits", "--dashboard", "--store", tmp_path / "store")
    assert said.code == 2
    assert "pip install 'paribus[dashboard]'" in said.err
    assert not (tmp_path / "store").exists()


@pytest.mark.slow
def test_it_outlives_the_run_while_a_page_asks(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    said: list[str] = []
    companion = Companion(tmp_path / "runs", browser=False)
    companion.report(said.append, patience=120)
    address, file = said[0].split()[4].rstrip(";"), Path(said[1].rpartition(": ")[2])
    assert "it ends after the run" in said[0]
    assert file.is_file()
    companion.close()  # as the end of this process would
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    connection.request("GET", "/")
    assert connection.getresponse().status == 403  # it answers, whoever has no session
    connection.close()
    os.kill(companion.process, signal.SIGINT)
    os.waitpid(companion.process, 0)
    assert not file.exists()
