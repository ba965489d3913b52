"""The live log: what a run writes, what another process reads of it, and that its loss does no harm."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dashboard_server import document, fill
from display_examples import DATA, DOCUMENT, WANTED, Clock, failure, result
from paribus.backends.fake import FakeBackend
from paribus.dashboard.live import LiveReader
from paribus.display import live_log
from paribus.display.base import BestEffort, Silent
from paribus.display.live_log import NAME, LiveLog
from paribus.display.several import Several
from paribus.records import Ended, EpochDone, EpochReport, Interrupted, Started
from paribus.runner.run import run_study
from paribus.store.sqlite import SqliteStore
from paribus.study.plan import plan_runs


def test_the_events_of_a_run_can_be_read_while_it_runs(tmp_path: Path) -> None:
    reader = LiveReader(tmp_path)
    reader.read()
    assert (reader.events, reader.is_running) == ([], False)
    log = LiveLog(tmp_path, Clock())
    job = WANTED[0]
    log.planned(DOCUMENT, DATA, plan_runs(WANTED, {}))
    with log:
        log.show(Started(job, 2, "out of memory", 3))
        reader.read()
        assert reader.is_running
        assert [event["event"] for event in reader.events] == ["planned", "started"]
        log.show(EpochDone(job, EpochReport(1, 4, 0.5, 0.9, float("nan"), 0.8)))
        log.show(Ended(job, result(job)))
        log.show(Interrupted((WANTED[1],), (WANTED[2],)))
    reader.read()
    planned, started, epoch, ended, interrupted, over = reader.events
    assert (planned["study"], planned["runs"], planned["missing"]) == ("digits", 6, 6)
    assert (started["arm"], started["seed"], started["worker"]) == ("small", 0, 3)
    assert (started["attempt"], started["death"]) == (2, "out of memory")
    assert (epoch["fit_loss"], epoch["val_loss"], epoch["val_accuracy"]) == (0.5, None, 0.8)
    assert (ended["status"], ended["reason"]) == ("finished", None)
    assert interrupted["stopped"] == [WANTED[2].fingerprint]
    assert over == {"event": "over", "time": 100.0}
    assert reader.is_running  # another look may be planned
    del log
    reader.read()
    assert not reader.is_running
    assert len(reader.events) == 6


def test_nothing_of_the_test_split_is_logged(tmp_path: Path) -> None:
    fill(tmp_path, document(seeds=1), LiveLog(tmp_path))
    text = (tmp_path / NAME).read_text()
    assert '"fit_accuracy"' in text
    assert "test" not in text


def test_a_new_run_begins_a_new_log(tmp_path: Path) -> None:
    reader = LiveReader(tmp_path)
    for seeds in (1, 2):
        fill(tmp_path, document(seeds=seeds), LiveLog(tmp_path))
        generation = reader.generation
        reader.read()
        assert reader.generation > generation
        assert [event["event"] for event in reader.events].count("planned") == 1
    assert sum(event["event"] == "ended" for event in reader.events) == 3


def test_lines_that_make_no_sense_are_left_out(tmp_path: Path) -> None:
    log = tmp_path / NAME
    log.write_bytes(
        b'\xff\n[1]\n{"event":"over","time":1}\n{"event":"other"}\n' + b"[" * 9000 + b"\n" + b'{"event":"ov'
    )
    reader = LiveReader(tmp_path)
    reader.read()
    assert reader.events == [{"event": "over", "time": 1}]
    with log.open("ab") as file:
        file.write(b'er","time":2}\n')
    reader.read()
    assert len(reader.events) == 2


def test_the_log_of_a_strangers_store_is_no_way_out_of_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"event":"over"}\n')
    (tmp_path / NAME).symlink_to(tmp_path / "secret")
    reader = LiveReader(tmp_path)
    reader.read()
    assert reader.events == []
    fill(tmp_path, document(seeds=1), LiveLog(tmp_path))
    assert (tmp_path / "secret").read_text() == '{"event":"over"}\n'
    assert not (tmp_path / NAME).is_symlink()
    (tmp_path / NAME).unlink()
    os.mkfifo(tmp_path / NAME)
    reader.read()
    assert reader.events == []


def test_a_run_goes_on_where_its_log_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with SqliteStore.open(tmp_path, mode="write") as store:
        outcome = run_study(document(seeds=1), store, FakeBackend(), Several((Silent(), BestEffort(LiveLog(tmp_path)))))
    assert all(arm.scored for arm in outcome.arms)


def test_several_displays_all_see_everything() -> None:
    seen: list[tuple[int, str]] = []

    class Noted(Silent):
        def __init__(self, number: int) -> None:
            self.number = number

        def show(self, event: object) -> None:
            seen.append((self.number, type(event).__name__))

        def __enter__(self) -> Noted:
            seen.append((self.number, "enter"))
            return self

        def __exit__(self, *error: object) -> None:
            seen.append((self.number, "exit"))

    with Several((Noted(1), Noted(2))) as several:
        several.show(Ended(WANTED[0], failure(WANTED[0])))
    assert seen == [(1, "enter"), (2, "enter"), (1, "Ended"), (2, "Ended"), (2, "exit"), (1, "exit")]


@pytest.mark.slow
@pytest.mark.all_cores
def test_paribus_run_writes_the_log_of_its_workers(tmp_path: Path) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "paribus", "run", "digits", "--seeds", "1", "--arm", "small", "--epochs", "2"]
    subprocess.run([*command, "--store", str(tmp_path), "--workers", "1"], check=True, capture_output=True)
    events = [json.loads(line) for line in (tmp_path / NAME).read_text().splitlines()]
    assert [event["event"] for event in events] == ["planned", "started", "epoch", "epoch", "ended", "over"]
    assert events[1]["worker"] == 1


def test_a_long_log_begins_anew_with_what_still_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_log, "BYTES", 4000)
    log, reader = LiveLog(tmp_path, Clock()), LiveReader(tmp_path)
    log.planned(DOCUMENT, DATA, plan_runs(WANTED, {}))
    begun, ended, failed, going, *_ = WANTED
    log.show(Started(begun, worker=1))
    log.show(Ended(begun, result(begun)))
    log.show(Started(failed, worker=1))
    log.show(Ended(failed, failure(failed)))
    log.show(Started(going, worker=2))
    log.show(EpochDone(going, EpochReport(1, 4, 0.5, 0.9)))
    sizes, generations = [], set()
    for number in range(200):
        log.show(Started(ended, worker=1))
        for epoch in (1, 2):
            log.show(EpochDone(ended, EpochReport(epoch, 2, 0.5, 0.9)))
        log.show(Ended(ended, result(ended)))
        generation, events = reader.read()
        generations.add(generation)
        sizes.append((tmp_path / NAME).stat().st_size)
        (planned,) = [event for event in events if event["event"] == "planned"]
        assert planned["ended"] + sum(event["event"] == "ended" for event in events) == number + 3
        assert [event["reason"] for event in events if event.get("status") == "failed"] == [failure(failed).reason]
        assert [event["event"] for event in events if event.get("run") == going.fingerprint] == ["started", "epoch"]
        assert reader.is_running
    assert max(sizes) <= 8000
    assert len(generations) > 20
    with log:
        pass
    assert reader.read()[1][-1]["event"] == "over"


def test_a_log_that_cannot_be_shorter_goes_on_when_a_run_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_log, "BYTES", 2000)
    monkeypatch.setattr(live_log, "MAX_BYTES", 8000)
    log, reader = LiveLog(tmp_path, Clock()), LiveReader(tmp_path)
    log.planned(DOCUMENT, DATA, plan_runs(WANTED, {}))
    log.show(Started(WANTED[0], worker=1))
    for epoch in range(1, 200):
        log.show(EpochDone(WANTED[0], EpochReport(epoch, 200, 0.5, 0.9)))
        assert (tmp_path / NAME).stat().st_size <= 8000
    log.show(Ended(WANTED[0], result(WANTED[0])))
    log.show(Started(WANTED[1], worker=1))
    log.show(EpochDone(WANTED[1], EpochReport(1, 200, 0.5, 0.9)))
    planned, *events = reader.read()[1]
    assert planned["ended"] == 1
    assert [(event["event"], event["run"]) for event in events] == [
        ("started", WANTED[1].fingerprint),
        ("epoch", WANTED[1].fingerprint),
    ]
