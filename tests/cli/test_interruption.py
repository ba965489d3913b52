"""Interrupting a real ``paribus run``: what it says, what is kept, what is left running; and runs that diverge."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from command_line import MARK, Said, all_gone, call, started
from paribus.store.doctor import examine
from paribus.store.sqlite import SqliteStore
from store_crashes import temporaries

NETWORK = '{ Dense = { units = 8, activation = "relu" } }, { Dense = { units = 10, activation = "softmax" } }'
STUDY = f"""\
name = "long"
seeds = 40
[data]
source = "digits"
scale = 16
flatten = true
[protocol]
epochs = 100
batch_size = 50
[arms.a]
layers = [{NETWORK}]
"""


def interrupted(folder: Path, number: signal.Signals, times: int = 1, *options: str) -> tuple[Said, list[str]]:
    """Run a study of 40 runs until the first has ended, then send the signal; the progress that was told since."""
    mark = uuid4().hex
    (folder / "long.toml").write_text(STUDY)
    run = ("run", folder / "long.toml", "--store", folder / "runs", "--workers", "1", *options)
    with started(*run, environment={**os.environ, MARK: mark}) as driver:
        assert driver.stderr is not None
        before = []
        while not before or not before[-1].startswith("[ 1/40]"):
            before.append(driver.stderr.readline())
            assert before[-1], before
        for _ in range(times):
            driver.send_signal(number)
        out, err = driver.communicate()
        said = Said(driver.returncode, out, err)
        assert all_gone(mark) is not None
    assert "Traceback" not in err
    return said, err.splitlines()


@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 1), (signal.SIGINT, 2)])
def test_what_ended_is_kept(tmp_path: Path, number: signal.Signals, times: int) -> None:
    said, lines = interrupted(tmp_path, number, times)
    assert (said.code, said.out) == (130, "")
    assert f"paribus: interrupted: every run that ended is stored in {tmp_path / 'runs'}" in lines[-1]
    with SqliteStore.open(tmp_path / "runs") as store:
        (study,) = store.studies()
        kept = store.runs([run.fingerprint for run in study.arms[0].runs])
    assert f"interrupted: {len(kept)} of 40 runs have ended, {40 - len(kept)} to do" in lines
    assert 1 <= len(kept) < 40
    told = [line for line in lines if line.startswith("interrupted: no further run is started")]
    assert len(told) == 1 or times == 2, "the second can come before the first was told"
    SqliteStore.open(tmp_path / "runs", "write").close()
    assert temporaries(tmp_path / "runs") == []
    assert examine(tmp_path / "runs") == []


def test_json_says_it_in_one_document(tmp_path: Path) -> None:
    said, lines = interrupted(tmp_path, signal.SIGTERM, 1, "--json")
    assert said.code == 130
    assert not any("finishing" in line for line in lines), "SIGTERM waits for nothing"
    assert json.loads(said.out)["error"]["type"] == "InterruptedRunError"


ENDING = """
import atexit, os, signal, sys
from paribus.cli import app
from paribus.errors import InterruptedRunError
def interrupted(**_):
    raise {error}
app.app = interrupted
atexit.register(lambda: os.kill(os.getpid(), signal.SIGINT))
app.main()
"""


@pytest.mark.parametrize("error", ["InterruptedRunError('interrupted: kept')", "KeyboardInterrupt"])
def test_one_more_while_the_process_ends_changes_no_exit_code(error: str) -> None:
    done = subprocess.run([sys.executable, "-c", ENDING.format(error=error)], capture_output=True, text=True)
    assert done.returncode == 130
    assert done.stderr.startswith("paribus: interrupted")
    assert len(done.stderr.splitlines()) == 1


EXPLODING = f"""\
name = "exploding"
seeds = 2
[data]
source = "digits"
scale = 16
flatten = true
[protocol]
loss = "mean_squared_error"
epochs = 3
[arms.calm]
layers = [{NETWORK}]
[arms.wild]
layers = [{{ Dense = {{ units = 10 }} }}]
optimizer = {{ SGD = {{ learning_rate = 1e30 }} }}
[[contrasts]]
a = "wild"
b = "calm"
"""


def test_a_run_that_diverges_ends_early_and_is_stored_shown_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    study, store = tmp_path / "exploding.toml", tmp_path / "runs"
    study.write_text(EXPLODING)
    said = call(capsys, monkeypatch, "run", study, "--store", store, "--workers", "1", "--json")
    assert said.code == 0, said.err
    calm, wild = json.loads(said.out)["arms"]
    assert [run["status"] for run in calm["runs"]] == ["finished"] * 2
    assert [run["status"] for run in wild["runs"]] == ["diverged"] * 2
    assert wild["test_accuracy"]["n"] == 2, "a diverged run counts"
    assert said.err.count("diverged (the loss was") == 2
    table = call(capsys, monkeypatch, "run", study, "--store", store)
    assert "2 runs in all, 2 stored" not in table.err
    assert "0 to do" in table.err, "what diverged is not run again"
    assert "wild seed 0 diverged" in " ".join(table.out.split())
    shown = call(capsys, monkeypatch, "show", "exploding/wild/1", "--store", store, "--json")
    run = json.loads(shown.out)
    assert run["status"] == "diverged"
    assert "the loss was" in run["reason"]
    assert len(run["curve"]["fit_loss"]) < 3
