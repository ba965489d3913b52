"""Every command with stdout or stderr full, closed, an ended pipe, in ASCII, on 20 columns, and no terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from paribus.cli.app import app
from paribus.records import Status
from paribus.store.sqlite import SqliteStore

CHILD = Path(__file__).parents[1] / "streams_child.py"
PARSER = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group's, says its stub of none
"""The commands, from the parser itself: a new one that is not tried below fails a test."""

COMMANDS = {
    "run": ["run", "digits", "--seeds", "2", "--epochs", "2"],
    "run --json": ["run", "digits", "--seeds", "2", "--epochs", "2", "--json"],
    "report md": ["report", "STUDY", "--format", "md"],
    "report latex": ["report", "STUDY", "--format", "latex"],
    "report csv": ["report", "STUDY", "--format", "csv"],
    "report json": ["report", "STUDY", "--format", "json"],
    "report html": ["report", "STUDY", "-o", "report.html"],
    "report html to stdout": ["report", "STUDY", "-o", "-"],
    "report figures": ["report", "STUDY", "-o", "report.html", "--figures", ".", "--figure-format", "svg"],
    "compare": ["compare", "STUDY", "small", "large"],
    "compare --json": ["compare", "STUDY", "small", "large", "--json"],
    "check": ["check", "STUDY", "--new", "small", "--old", "large", "--margin", "0.01"],
    "check --json": ["check", "STUDY", "--new", "small", "--old", "large", "--margin", "0.01", "--json"],
    "plan": ["plan", "STUDY", "--detect", "0.02"],
    "plan --json": ["plan", "STUDY", "--detect", "0.02", "--json"],
    "ablate": ["ablate", "digits/small", "--part", "half-width", "--seeds", "2", "--epochs", "2"],
    "ablate --json": ["ablate", "digits/small", "--part", "half-width", "--seeds", "2", "--epochs", "2", "--json"],
    "noise": ["noise", "digits", "--arm", "small", "--seeds", "2", "--epochs", "2"],
    "noise --json": ["noise", "digits", "--arm", "small", "--seeds", "2", "--epochs", "2", "--json"],
    "show": ["show"],
    "show --json": ["show", "--json"],
    "show a study": ["show", "STUDY"],
    "show a run": ["show", "STUDY/small/0"],
    "show a run, --json": ["show", "STUDY/small/0", "--json"],
    "studies": ["studies"],
    "studies --json": ["studies", "--json"],
    "predict": ["predict", "PICTURE", "--study", "STUDY"],
    "predict --json": ["predict", "PICTURE", "--study", "STUDY", "--json"],
    "export": ["export", "STUDY", "--to", "parquet", "-o", "tables", "--force"],
    "export --json": ["export", "STUDY", "--to", "parquet", "-o", "tables", "--force", "--json"],
    "export to Keras": ["export", "STUDY", "--to", "keras", "-o", "networks", "--force"],
    "export to MLflow": ["export", "STUDY", "--to", "mlflow", "-o", "mlflow"],
    "judge": ["judge", "PREDICTIONS"],
    "judge --json": ["judge", "PREDICTIONS", "--json"],
    "merge": ["merge", "STORE", "--into", "merged"],
    "merge --json": ["merge", "STORE", "--into", "merged", "--json"],
    "verify": ["verify", "STORE", "--runs", "1"],
    "verify --json": ["verify", "STORE", "--runs", "1", "--json"],
    "doctor": ["doctor"],
    "doctor --json": ["doctor", "--json"],
    "doctor --repair": ["doctor", "--repair"],
    "an unknown study": ["report", "no-such-study"],
    "an unknown study, --json": ["compare", "no-such-study", "a", "b", "--json"],
    "a dashboard for everybody": ["dashboard", "--host", "0.0.0.0"],
    "an unknown picture": ["predict", "no-such.png", "--study", "STUDY"],
    # What a store has must stay for the other commands.
    "forget an unknown study": ["forget", "no-such-study"],
    "forget an unknown study, --json": ["forget", "no-such-study", "--json"],
    "--help": ["--help"],
    "--version": ["--version"],
    "no command": [],
    "an unknown command": ["rum"],
    "an unknown option": ["run", "--no-such-option"],
    "a missing argument": ["compare", "STUDY"],
    **{f"{name} --help": [name, "--help"] for name in PARSER},
}
MISTAKES = {
    "an unknown study",
    "an unknown study, --json",
    "a dashboard for everybody",
    "an unknown picture",
    "forget an unknown study",
    "forget an unknown study, --json",
    "an unknown command",
    "an unknown option",
    "a missing argument",
}
STORELESS = {"no command", *MISTAKES - {"an unknown picture"}} | {
    name
    for name, words in COMMANDS.items()
    if words and (words[0] in ("studies", "judge", "merge", "verify") or words[-1] in ("--help", "--version"))
}
SILENT = {"report html", "report figures"} | {name for name in MISTAKES if "--json" not in name}
"""Commands that write nothing to stdout."""
EXIT_CODES = {
    "check": (0, 3, 4),
    "check --json": (0, 3, 4),
    "no command": (2,),
    **dict.fromkeys(MISTAKES, (2,)),
    "an unknown picture": (1,),
}
COMPUTING = {"run", "ablate", "noise"}


COSTLY = {"verify --json", "export to MLflow", "export --json", "predict --json", "report html to stdout"}
"""Commands that take seconds, and another one passes most of the same lines."""
QUICK = {"run --json", "report json", "show a study", "doctor", "an unknown study, --json", "--help"}
PARAMETERS = [
    pytest.param(command, marks=[] if command in QUICK else pytest.mark.proof, id=command) for command in COMMANDS
]


def test_every_command_of_the_parser_is_tried() -> None:
    tried = {words[0] for words in COMMANDS.values() if words}
    assert set(PARSER) <= tried
    for name, command in PARSER.items():
        lines = [words for words in COMMANDS.values() if words[:1] == [name] and words[-1] != "--help"]
        assert lines, f"{name}: only its help is tried"
        if any("--json" in parameter.opts for parameter in command.params):
            assert any("--json" in words for words in lines), f"{name} --json is not tried"


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


Ask = Callable[..., Said]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("streams") / "runs"
    for command in sorted(COMPUTING):
        arguments = [*COMMANDS[command], "--workers", "1", "--store", str(folder)]
        subprocess.run([sys.executable, "-m", "paribus", *arguments], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def study(store: Path) -> str:
    with SqliteStore.open(store) as opened:
        return next(each.name for each in opened.studies() if each.kind == "study")


@pytest.fixture(scope="module")
def ask(store: Path, study: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    place = tmp_path_factory.mktemp("asked")
    picture = place / "picture.npy"
    np.save(picture, np.zeros((8, 8)))
    predictions = place / "predictions.csv"
    rows = [
        f"{arm},{seed},{i},{i % 2},{(i + (i < len(arm + seed))) % 2}"
        for arm in "ab"
        for seed in "12"
        for i in range(20)
    ]
    predictions.write_text("\n".join(["arm,seed,example,label,prediction", *rows]), encoding="utf-8")
    places = {"STORE": str(store), "PICTURE": str(picture), "PREDICTIONS": str(predictions)}
    variables = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    with subprocess.Popen(
        [sys.executable, str(CHILD)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=variables
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def asked(command: str, folder: Path = store, **order: Any) -> Said:
            arguments = [places.get(word, word.replace("STUDY", study)) for word in COMMANDS[command]]
            if command not in STORELESS:
                arguments += ["--store", str(folder)]
            (place / "work").mkdir(exist_ok=True)
            order |= {"arguments": arguments, "folder": str(place / "work"), "scratch": str(place)}
            assert process.stdin is not None
            assert process.stdout is not None
            print(json.dumps(order), file=process.stdin, flush=True)
            return Said(**json.loads(process.stdout.readline()))

        yield asked
        process.stdin.close()


class Usual(dict[str, Said]):
    """What a command says to pipes, with no terminal; each is asked once."""

    def __init__(self, ask: Ask) -> None:
        super().__init__()
        self._ask = ask

    def __missing__(self, command: str) -> Said:
        self[command] = self._ask(command)
        return self[command]


@pytest.fixture(scope="module")
def usual(ask: Ask) -> Usual:
    return Usual(ask)


@pytest.mark.parametrize(
    "command",
    [pytest.param(command, marks=pytest.mark.proof if command in COSTLY else [], id=command) for command in COMMANDS],
)
def test_every_command_works_without_a_terminal(command: str, usual: Usual) -> None:
    said = usual[command]
    assert said.code in EXIT_CODES.get(command, (0,)), said
    assert bool(said.out) == (command not in SILENT)
    assert "Traceback" not in said.err
    assert "\x1b" not in said.out + said.err


@pytest.mark.parametrize("kind", ["full", "closed"])
@pytest.mark.parametrize("command", PARAMETERS)
def test_stdout_that_cannot_be_written(command: str, kind: str, ask: Ask, usual: Usual) -> None:
    said = ask(command, stdout=kind)
    assert "Traceback" not in said.err
    if command in SILENT | MISTAKES:
        assert said.code == usual[command].code
        assert said.err == usual[command].err
        return
    assert said.code == 1
    complaints = [line for line in said.err.splitlines() if "the answer cannot be written to stdout" in line]
    assert len(complaints) == 1
    assert ("No space left on device" if kind == "full" else "it is closed") in complaints[0]


@pytest.mark.parametrize("command", PARAMETERS)
def test_stdout_that_nobody_reads(command: str, ask: Ask, usual: Usual) -> None:
    said = ask(command, stdout="ended")
    assert "Traceback" not in said.err
    assert "cannot be written" not in said.err
    unread = command not in SILENT | MISTAKES
    assert said.code == (1 if unread else usual[command].code)


@pytest.mark.parametrize("kind", ["full", "closed", "ended"])
@pytest.mark.parametrize("command", PARAMETERS)
def test_stderr_that_cannot_be_written(command: str, kind: str, ask: Ask, usual: Usual) -> None:
    """Progress and remarks are best effort: the answer and the exit code are the same."""
    said = ask(command, stderr=kind)
    assert (said.code, said.out) == (usual[command].code, usual[command].out)


@pytest.mark.parametrize("command", PARAMETERS)
def test_an_encoding_that_lacks_characters(command: str, ask: Ask, usual: Usual) -> None:
    said = ask(command, stdout="ascii", stderr="ascii")
    assert said.code == usual[command].code
    assert said.out.isascii()
    assert said.err.isascii()
    if "json" in command:
        assert json.loads(said.out) == json.loads(usual[command].out)
    else:
        assert len(said.out.splitlines()) == len(usual[command].out.splitlines())


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
@pytest.mark.parametrize("command", PARAMETERS)
def test_a_terminal_of_20_columns(command: str, stream: str, ask: Ask, usual: Usual) -> None:
    said = ask(command, environment={"TERM": "xterm-256color"}, **{stream: "narrow"})
    assert said.code == usual[command].code
    assert "Traceback" not in said.out + said.err
    is_help = "--help" in command or command == "no command"  # Typer's help is as wide as whatever terminal there is
    if stream == "stderr" and not is_help:
        assert said.out == usual[command].out


@pytest.mark.parametrize("kind", ["full", "closed", "ended"])
def test_a_study_goes_on_without_its_progress(kind: str, ask: Ask, tmp_path: Path) -> None:
    said = ask("run --json", tmp_path / "runs", stderr=kind)
    assert said.code == 0, said
    assert json.loads(said.out)["contrasts"]
    with SqliteStore.open(tmp_path / "runs") as opened:
        (study,) = opened.studies()
        runs = opened.runs([run.fingerprint for arm in study.arms for run in arm.runs])
    assert len(runs) == 6
    assert {run.status for run in runs.values()} == {Status.FINISHED}
