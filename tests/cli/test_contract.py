"""The command line as a contract: exit codes, one clear error each, JSON on stdout, progress on stderr."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from command_line import call
from paribus.backends.fake import FakeBackend
from paribus.backends.worker import failed
from paribus.records import RunResult, TrainJob
from paribus.store.database import DATABASE_NAME
from paribus.store.sqlite import SqliteStore
from paribus.version import __version__
from processes import gone, workers_of
from terminals import need_terminal, read_terminal

MODULE = (sys.executable, "-m", "paribus")
SCRIPT = (str(Path(sys.executable).with_name("paribus")),)
OURS = re.compile("PARIBUS_|XLA_|JAX_|KERAS_|PJRT_|NO_COLOR|FORCE_COLOR|PY_COLORS|GITHUB_ACTIONS")
TWO_MISTAKES = """
name = "bad study"
[data]
source = "digits"
[arms.a]
layers = [{ Dropout = { rate = 2 } }]
"""
UNKNOWN_LAYER = 'name = "u"\n[data]\nsource = "digits"\n[arms.a]\nlayers = ["Flaten", { Dense = { units = 10 } }]\n'


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its stdout, which must be one JSON document and nothing else."""
        return json.loads(self.out)


def environment(**variables: str) -> dict[str, str]:
    """Nothing of what this process has set; a plain terminal's variables otherwise."""
    return {key: value for key, value in os.environ.items() if not OURS.match(key)} | variables


def paribus(*arguments: object, command: tuple[str, ...] = MODULE, cwd: Path | None = None, **variables: str) -> Answer:
    done = subprocess.run(
        [*command, *map(str, arguments)],
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def called(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """The command called in this process: the same words, a second or two sooner."""

    def answer(*arguments: object, **variables: str) -> Answer:
        for key, value in variables.items():
            monkeypatch.setenv(key, value)
        said = call(capsys, monkeypatch, *arguments)
        return Answer(said.code, said.out, said.err)

    return answer


def without_answer(progress: str) -> list[str]:
    """The lines of progress, without durations and estimates."""
    return [re.sub(r" \(\d+ s\).*", "", line) for line in progress.splitlines()]


def digests(answer: Answer) -> dict[tuple[str, int], str]:
    return {(arm["name"], run["seed"]): run["weights_digest"] for arm in answer.json["arms"] for run in arm["runs"]}


# Errors


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place with study files, good and bad, a file where a folder should be, and a store in use."""
    (tmp_path / "bad.toml").write_text(TWO_MISTAKES, encoding="utf-8")
    (tmp_path / "no.toml").write_text("name = ", encoding="utf-8")
    (tmp_path / "layer.toml").write_text(UNKNOWN_LAYER, encoding="utf-8")
    (tmp_path / "file").write_text("a file", encoding="utf-8")
    (tmp_path / "broken.npz").write_bytes(b"no zip file")
    (tmp_path / "broken.py").write_text("1 / 0", encoding="utf-8")
    return tmp_path


ERRORS: dict[str, tuple[list[str], int, str, str]] = {
    "two mistakes": (["run", "bad.toml"], 2, "StudyError", "bad.toml: 2 mistakes\n  - name: 'bad study': letters, "),
    "no toml": (["run", "no.toml"], 2, "StudyError", "no.toml: 1 mistake\n  - not TOML: "),
    "no such file": (["run", "nowhere.toml"], 2, "UsageError", "nowhere.toml: the study file cannot be read: No such"),
    "unknown study": (["run", "mnist-mlp"], 2, "UnknownNameError", "no study 'mnist-mlp': did you mean 'mnist-mlps'? "),
    "broken module": (["run", "broken.py:study"], 2, "UsageError", "broken.py:study: line 1 of broken.py raised Zero"),
    "unknown arm": (
        *(["run", "digits", "--arm", "small", "--arm", "smal"], 2, "UnknownNameError"),
        "no arm 'smal' in study 'digits': did you mean 'small'? there are small, large, large-dropout",
    ),
    "unknown data": (["run", "digits", "--data", "digitz"], 2, "UnknownNameError", "data 'digitz': no such name, file"),
    "corrupt data": (["run", "digits", "--data", "broken.npz"], 1, "DataError", "broken.npz: "),
    "zero seeds": (["run", "digits", "--seeds", "0"], 2, "UsageError", "--seeds 0: the number of seeds is 1 or more"),
    "negative epochs": (
        ["run", "digits", "--epochs", "-1"],
        2,
        "UsageError",
        "--epochs -1: the number of epochs is 1 or",
    ),
    "no workers": (["run", "digits", "--workers", "0"], 2, "UsageError", "0 workers: at least 1 is needed"),
    "store in a file": (["run", "digits", "--store", "file/runs"], 1, "StoreError", "file/runs: "),
    "store is a file": (["run", "digits", "--store", "file"], 1, "StoreError", "file: "),
    "an arm that Keras refuses": (
        *(["run", "layer.toml", "--workers", "1"], 2, "ModelError"),
        "study 'u': 1 mistake\n  - arm 'a', layer 1: keras.layers has no class 'Flaten'; did you mean Flatten?",
    ),
    "show an unknown study": (
        ["show", "digits"],
        2,
        "UnknownNameError",
        "no study 'digits' in this store: there are none",
    ),
    "show too deep": (["show", "a/b/c/d"], 2, "UsageError", "a/b/c/d: expected STUDY, STUDY/ARM or STUDY/ARM/SEED"),
}


@pytest.fixture
def here(folder: Path, called: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Commands called in the folder."""
    monkeypatch.chdir(folder)
    return called


def test_an_error_is_told_by_a_process_as_by_a_call(folder: Path, here: Callable[..., Answer]) -> None:
    for arguments in (["run", "bad.toml", "--json"], ["run", "digits", "--store", "file"]):
        assert paribus(*arguments, cwd=folder) == here(*arguments)


@pytest.mark.parametrize("name", ERRORS)
def test_one_clear_error_and_its_exit_code(name: str, folder: Path, here: Callable[..., Answer]) -> None:
    arguments, code, kind, message = ERRORS[name]
    said = here(*arguments)
    assert (said.code, said.out) == (code, "")
    assert said.err.replace(f"{folder.resolve()}/", "").startswith(f"paribus: {message}")
    assert said.err.count("paribus: ") == 1
    if code == 2 and kind == "StudyError":
        in_json = here(*arguments, "--json")
        assert (in_json.code, in_json.err) == (code, said.err)
        error = in_json.json["error"]
        assert (error["type"], f"paribus: {error['message']}\n") == (kind, said.err)
        assert len(error["mistakes"]) == said.err.count("\n  - ")


def test_errors_as_json_are_one_document(here: Callable[..., Answer]) -> None:
    said = here("run", "bad.toml", "--json")
    assert said.json["error"]["mistakes"] == [
        {"place": "name", "message": "'bad study': letters, digits and . _ - are allowed, a letter or digit first"},
        {
            "place": "arm 'a', layer 1",
            "message": "Dropout rate 2: a rate lies in [0, 1); write 0.2 to drop a fifth of the units",
        },
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "digits", "--seeds", "x"], "--seeds x: this takes a whole number, such as 5 ("),
        (
            ["export", "digits", "--to", "keras", "--seed", "1", "--seed", "x"],
            "--seed 1 --seed x: this takes a whole number",
        ),
        (["plan", "digits", "--detect=1 %"], "--detect=1 %: this takes a number, such as 0.01 ("),
        (
            ["report", "digits", "--format", "pdf"],
            "--format pdf: 'pdf' is not one of 'html', 'md', 'latex', 'csv', 'json' (",
        ),
        (["run", "digits", "--sedes", "3"], "No such option: --sedes"),
        (["run"], "Missing argument 'STUDY' ("),
        (["walk"], "No such command 'walk' ("),
    ],
)
def test_wrong_usage(arguments: list[str], message: str, tmp_path: Path) -> None:
    """One line that names the value and the rule, as every other error."""
    said = paribus(*arguments, cwd=tmp_path)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"paribus: {message}")
    assert said.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [], "nothing was made"


def test_a_wrong_value_in_the_environment_names_its_variable(tmp_path: Path) -> None:
    said = paribus("run", "digits", cwd=tmp_path, PARIBUS_SEEDS="many")
    assert said.code == 2
    assert said.err.startswith("paribus: PARIBUS_SEEDS=many: this takes a whole number")


def test_wrong_usage_as_json_is_one_document(tmp_path: Path) -> None:
    said = paribus("run", "digits", "--seeds", "x", "--json", cwd=tmp_path)
    assert (said.code, said.json["error"]["type"]) == (2, "UsageError")


def test_a_store_that_somebody_writes_to_or_that_is_too_new(folder: Path) -> None:
    with SqliteStore.open(folder / "runs", "write"):
        busy = paribus("run", "digits", "--store", "runs", cwd=folder)
    assert (busy.code, busy.out) == (5, "")
    assert busy.err.startswith("paribus: ")
    with sqlite3.connect(folder / "runs" / DATABASE_NAME) as connection:
        connection.execute("PRAGMA user_version = 1000")
    connection.close()
    for command in (["run", "digits"], ["show"]):
        too_new = paribus(*command, "--store", "runs", "--json", cwd=folder)
        assert too_new.code == 6
        assert too_new.json["error"]["type"] == "StoreTooNewError"


def bounded() -> tuple[str, ...]:
    """What a command begins with so that root, too, may write only where its permissions let it."""
    if os.geteuid() != 0:
        return ()
    without = ("setpriv", "--bounding-set=-dac_override", "--")
    try:
        subprocess.run([*without, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"root may write everywhere and cannot give that up here: {error}")
    return without


def test_a_store_that_may_not_be_written(folder: Path) -> None:
    (folder / "runs").mkdir(mode=0o555)
    said = paribus("run", "digits", "--store", "runs", cwd=folder, command=(*bounded(), *MODULE))
    assert said.code == 1
    assert said.err == "paribus: runs: cannot be written to (Permission denied); choose another with --store\n"


# Help


@pytest.mark.parametrize("command", [MODULE, SCRIPT], ids=["module", "script"])
def test_both_ways_to_call_it(command: tuple[str, ...]) -> None:
    assert paribus("--version", command=command) == Answer(0, f"paribus {__version__}\n", "")
    assert [study["name"] for study in paribus("studies", "--json", command=command).json["studies"]] == [
        *("mnist-mlps", "dropout-or-architecture", "digits")
    ]


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["run", "--help"], ["show", "--help"]])
def test_help_works_where_nothing_heavy_can_be_imported(arguments: list[str]) -> None:
    """Typer itself asks pydantic about the options of a command, but not about the commands."""
    light = [] if "run" in arguments or "show" in arguments else ["pydantic"]
    blocked = dict.fromkeys(["keras", "jax", "numpy", "scipy", "matplotlib", *light])
    code = f"import sys; sys.modules.update({blocked}); sys.argv[0] = 'paribus'; from paribus.cli import main; main()"
    said = paribus(*arguments, command=(sys.executable, "-c", code))
    assert said.code == 0, said.err
    assert "Usage: paribus" in said.out


def on_a_terminal(*arguments: str, **variables: str) -> str:
    """What a command shows where stdout is a terminal."""
    ours, theirs = need_terminal()
    process = subprocess.Popen(
        [*MODULE, *arguments],
        env=environment(TERM="xterm-256color", **variables),
        stdout=theirs,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    shown = read_terminal(ours)
    process.communicate()
    return shown.decode()


COLOURS = re.compile(r"\x1b\[[0-9;]*\b(3[0-7]|9[0-7]|38|48)[;m]")


def test_colours_on_a_terminal() -> None:
    assert COLOURS.search(on_a_terminal("--help"))
    assert not COLOURS.search(on_a_terminal("--help", NO_COLOR="1"))


def test_colours_where_there_is_no_terminal() -> None:
    """None by themselves, and those that are asked for; this needs no pseudo-terminal."""
    assert "\x1b" not in paribus("--help").out
    assert "\x1b" not in paribus("studies").out
    assert COLOURS.search(paribus("--help", FORCE_COLOR="1").out)
    assert not COLOURS.search(paribus("--help", FORCE_COLOR="1", NO_COLOR="1").out)


NO_SEMAPHORES = """
import _multiprocessing, sys
class Refusing(_multiprocessing.SemLock):
    def __new__(cls, *arguments, **named):
        raise PermissionError(13, "Permission denied")
_multiprocessing.SemLock = Refusing
sys.argv[0] = "paribus"
from paribus.cli import main
main()
"""


def test_a_machine_without_shared_memory_is_no_news(tmp_path: Path) -> None:
    """Where /dev/shm may not be written to, as in a bare chroot, stderr holds progress and nothing else."""
    asked = ("run", "digits", "--seeds", "1", "--arm", "small", "--epochs", "1", "--store", tmp_path / "runs")
    said = paribus(*asked, command=(sys.executable, "-c", NO_SEMAPHORES))
    assert said.code == 0
    assert "joblib" not in said.err


def test_a_reader_that_leaves_early() -> None:
    shell = f"{sys.executable} -m paribus studies | head -c 1"
    done = subprocess.run(["sh", "-c", shell], env=environment(), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


# Runs


@dataclass(frozen=True)
class Ran:
    """A store in which digits was run with one seed, and what was said."""

    store: Path
    answer: Answer


SHORT = ("--epochs", "2", "--workers", "1")


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    store = tmp_path_factory.mktemp("cli") / "runs"
    return Ran(store, paribus("run", "digits", "--seeds", "1", *SHORT, "--store", store, "--json"))


def stored(ran: Ran) -> tuple[object, ...]:
    """The same study over the same store."""
    return "run", "digits", *SHORT, "--store", ran.store


def again(ran: Ran, *more: str) -> Answer:
    return paribus(*stored(ran), *more)


def test_json_is_the_contracts(ran: Ran) -> None:
    assert ran.answer.code == 0
    document = ran.answer.json
    assert document["study"] == "digits"
    assert {**document["data"], "fingerprint": ""}.items() >= {"name": "digits", "train": 1347, "test": 450}.items()
    assert [(arm["name"], arm["parameters"], arm["seeds"]) for arm in document["arms"]] == [
        *(("small", 1_210, [0]), ("large", 4_810, [0]), ("large-dropout", 4_810, [0]))
    ]
    for arm in document["arms"]:
        (run,) = arm["runs"]
        assert run["status"] == "finished"
        assert re.fullmatch("[0-9a-f]{64}", run["weights_digest"])
        for measure in ("test_accuracy", "train_accuracy", "fit_accuracy", "test_loss"):
            assert arm[measure]["mean"] == pytest.approx(run[measure], rel=1e-6)
            assert arm[measure]["n"] == 1
            assert arm[measure]["sd"] is None, "undefined is null"
        assert run["test_accuracy"] * 450 == pytest.approx(round(run["test_accuracy"] * 450))
        assert arm["generalization_gap"]["mean"] == pytest.approx(run["train_accuracy"] - run["test_accuracy"])
    first = document["contrasts"][0]
    assert (first["a"], first["b"], first["metric"]) == ("large-dropout", "large", "test_accuracy")
    assert first["verdict"] in {"better", "worse", "equivalent", "undecided"}
    assert first["sentence"]


def test_progress_is_on_stderr_alone(ran: Ran) -> None:
    head, *lines = without_answer(ran.answer.err)
    assert head == "digits: 3 arms, 3 runs in all, 0 stored, 3 to do; data digits, 1347 train and 450 test examples"
    accuracies = {arm["name"]: arm["runs"][0]["test_accuracy"] for arm in ran.answer.json["arms"]}
    assert sorted(line.partition("] ")[2] for line in lines) == sorted(
        f"{name} seed 0; test accuracy {accuracy:.4f}" for name, accuracy in accuracies.items()
    )


def test_a_second_run_computes_nothing_and_says_the_same(ran: Ran) -> None:
    second = again(ran, "--seeds", "1", "--json")
    assert second.code == 0
    assert second.out == ran.answer.out
    assert without_answer(second.err) == [without_answer(ran.answer.err)[0].replace("0 stored, 3 to", "3 stored, 0 to")]


def test_the_answer_in_words(ran: Ran, called: Callable[..., Answer]) -> None:
    words = called(*stored(ran), "--seeds", "1")
    assert words.code == 0
    assert words.out.startswith("digits\n")
    for arm in ran.answer.json["arms"]:
        assert f"{100 * arm['test_accuracy']['mean']:.2f}" in words.out
    assert "\x1b" not in words.out + words.err


def test_some_arms(ran: Ran, called: Callable[..., Answer]) -> None:
    some = called(*stored(ran), "--seeds", "1", "--arm", "large-dropout", "--arm", "large", "--json")
    assert some.json == ran.answer.json, "the answer is that of the whole study, whichever arms are run"
    assert "2 stored, 0 to do" in some.err


def test_a_flag_beats_the_environment_beats_the_study(ran: Ran, called: Callable[..., Answer]) -> None:
    """The study says 5 seeds and 20 epochs; flags come last."""
    settings = {"PARIBUS_STORE": str(ran.store), "PARIBUS_SEEDS": "1", "PARIBUS_EPOCHS": "2"}
    by_environment = called("run", "digits", "--json", **settings)
    assert by_environment.out == ran.answer.out
    elsewhere = settings | {"PARIBUS_STORE": "/dev/null/nowhere", "PARIBUS_SEEDS": "7", "PARIBUS_EPOCHS": "0"}
    assert called(*stored(ran), "--seeds", "1", "--json", **elsewhere).out == ran.answer.out
    bad = called("run", "digits", **(settings | {"PARIBUS_SEEDS": "0"}))
    assert (bad.code, bad.err.partition(":")[2]) == (
        2,
        " --seeds 0: the number of seeds is 1 or more (5 is a good start)\n",
    )


def test_what_is_stored_is_shown(ran: Ran, called: Callable[..., Answer]) -> None:
    (study,) = called("show", "--store", ran.store, "--json").json["studies"]
    assert (study["name"], study["data"]) == ("digits.epochs-2", "digits")
    assert study["stored"] >= 3
    digest = digests(ran.answer)["large", 0]
    runs = called("show", "digits/large", "--store", ran.store, "--json").json["runs"]
    assert runs[0]["weights_digest"] == digest
    one = called("show", "digits/large/0", "--store", ran.store, "--json").json
    assert one["weights_digest"] == digest
    assert len(one["curve"]["fit_loss"]) == 2
    assert one["environment"]["jax"]
    words = called("show", "digits/large/0", "--store", ran.store)
    assert digest in words.out.replace("\n", "")
    missing = called("show", "digits/large/99", "--store", ran.store)
    assert (missing.code, missing.out) == (2, "")


def test_more_seeds_run_only_what_is_missing(ran: Ran) -> None:
    more = again(ran, "--seeds", "2", "--json")
    assert "6 runs in all, 3 stored, 3 to do" in more.err
    assert all(" seed 1; " in line for line in more.err.splitlines()[1:])
    assert digests(more).items() > digests(ran.answer).items()
    assert [arm["seeds"] for arm in more.json["arms"]] == [[0, 1]] * 3


class Failing(FakeBackend):
    """Where every run of one arm fails."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()

    def _result(self, job: TrainJob) -> RunResult:
        return failed(job, "out of [luck]") if job.arm == "large" else super()._result(job)


def test_runs_that_fail_are_shown_and_the_exit_code_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("paribus.backends.choose.LocalBackend", Failing)
    run = ("run", "digits", "--seeds", "1", "--epochs", "2", "--store", tmp_path / "runs")
    said = call(capsys, monkeypatch, *run, "--json")
    assert said.code == 1
    statuses = {arm["name"]: arm["runs"][0]["status"] for arm in json.loads(said.out)["arms"]}
    assert statuses == {"small": "finished", "large": "failed", "large-dropout": "finished"}
    assert said.err.splitlines()[-1].startswith("paribus: some runs failed")
    words = call(capsys, monkeypatch, *run)
    assert words.code == 1
    assert "2 stored, 1 to do" in words.err, "what failed is tried again"
    assert "large seed 0 failed (out of [luck])" in " ".join(words.out.split())
    shown = call(capsys, monkeypatch, "show", "digits/large/0", "--store", tmp_path / "runs")
    assert "failed: out of [luck]" in shown.out


@pytest.mark.all_cores
def test_interrupted_in_the_middle_and_taken_up_again(tmp_path: Path) -> None:
    """Ctrl-C reaches the whole process group. What was finished stays; the rest has the bits it would have had."""
    study = ("run", "digits", "--arm", "large-dropout", "--epochs", "60", "--json")
    command = [*MODULE, *study, "--seeds", "500", "--store", str(tmp_path / "a")]
    process = subprocess.Popen(
        command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stderr is not None
        while "[  2/500]" not in (line := process.stderr.readline()):
            assert line, "it ended by itself"
        workers = workers_of(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate()
    finally:
        process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert json.loads(out)["error"]["type"] == "InterruptedRunError"
    assert workers
    assert gone(workers)
    rows = paribus("show", "digits", "--store", tmp_path / "a", "--json").json["runs"]
    kept = {(row["arm"], row["seed"]): row["weights_digest"] for row in rows if row["status"] == "finished"}
    assert 2 <= len(kept) < 500
    wanted = str(len(kept) + 2)
    resumed = paribus(*study, "--seeds", wanted, "--workers", "1", "--store", tmp_path / "a")
    assert resumed.code == 0
    assert re.search(r"stored, [2-9] to do", resumed.err)
    undisturbed = paribus(*study, "--seeds", wanted, "--workers", "1", "--store", tmp_path / "b")
    assert digests(resumed) == digests(undisturbed)
    assert sum(digest == kept.get(run) for run, digest in digests(undisturbed).items()) >= len(kept) - 2
