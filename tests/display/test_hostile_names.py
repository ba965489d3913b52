"""Names that somebody else chose reach a terminal, a notebook and a traceback with their control characters shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import paribus as pb
from display_examples import DATA, DOCUMENT, WANTED, Clock, failure
from paribus.api.contrast import make_contrast
from paribus.api.results import Results
from paribus.cli import output
from paribus.data import load
from paribus.display.notebook import Notebook
from paribus.errors.control_characters import show_control_characters
from paribus.outcome.outcome import Outcome
from paribus.records import DataSpec, Ended, Status
from paribus.study.plan import plan_runs
from report_examples import tiny
from terminals import need_terminal, read_terminal

HOSTILE = {
    "colours": "\x1b[31mred\x1b[0m",
    "a cursor that goes up": "\x1b[2A\x1b[2Ksound",
    "a title": "\x1b]0;title\x07",
    "a link (OSC 8)": "\x1b]8;;http://example.org\x1b\\click\x1b]8;;\x1b\\",
    "the clipboard (OSC 52)": "\x1b]52;c;cm0gLXJmIH4=\x07",
    "a device control string": '\x1bP$q"p\x1b\\',
    "C1: CSI, OSC and ST": "\x9b31mred\x9d0;title\x9c",
    "C1: next line": "a\x85b",
    "a carriage return": "worse\rbetter",
    "backspaces": "worse\b\b\b\b\bbetter",
    "bidi override": "\u202eesrow\u202c",
    "bidi isolates": "\u2066\u2067a\u2069\u2068b\u2069",
    "Arabic letter mark": "a\u061cb",
    "ends of lines": "a\u2028b\u2029c",
    "deprecated format characters": "\u206a\u206b\u206e\u206f",
    "annotations": "\ufff9a\ufffab\ufffb",
    "bytes that are no text": os.fsdecode(b"caf\xe9\x9b2J"),
    "nul and delete": "a\x00b\x7fc",
}
ALLOWED = {
    # What joins letters and emoji, divides words, or only has no width, turns and moves nothing.
    *"\n\u00ad\u200b\u200c\u200d\u2060\ufeff"
}
EVERYWHERE = pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)


def assert_plain(text: str) -> None:
    text.encode()
    left = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - ALLOWED
    assert not left, (left, text)


def hostile_outcome(hostile: str) -> Outcome:
    """An outcome whose every text that is not a name by our rules is hostile."""
    plain = tiny(2, question=hostile)
    data = replace(plain.data, name=hostile, notes=(f"Left out: {hostile}.",), class_names=(hostile,) * 10)
    environment = replace(plain.environments[0], cpu=hostile)
    arm = plain.arms[0]
    layers = tuple(replace(layer, name=hostile, kind=hostile) for layer in arm.recipe.layers)
    runs = (replace(arm.runs[0], status=Status.FAILED, reason=hostile, scores=None), *arm.runs[1:])
    arm = replace(arm, runs=runs, recipe=replace(arm.recipe, layers=layers))
    return replace(
        plain,
        request=replace(plain.request, data=data),
        arms=(arm, *plain.arms[1:]),
        notes=(*plain.notes, f"Seed 0 failed: {hostile}"),
        environments=(environment, environment),
    )


@EVERYWHERE
def test_results_in_python_and_in_a_notebook(hostile: str) -> None:
    results = Results(hostile_outcome(hostile))
    assert show_control_characters(hostile).splitlines()[0][:4] in repr(results)
    contrast = results.contrasts[0]
    turned = make_contrast(replace(results.outcome.contrasts[0], a=hostile), hostile)
    for text in (repr(results), results._repr_html_(), repr(contrast), repr(turned), turned._repr_html_()):
        assert_plain(text)


@EVERYWHERE
def test_progress_in_a_notebook(hostile: str) -> None:
    put: list[str] = []
    display = Notebook(put.append, Clock())
    display.reading(hostile, 10**9)
    display.planned(DOCUMENT, replace(DATA, name=hostile), plan_runs(WANTED, {}))
    with display:
        display.show(Ended(WANTED[0], replace(failure(WANTED[0]), reason=hostile)))
    assert "failed" in put[-1]
    for html in put:
        assert_plain(html)


@EVERYWHERE
def test_a_study_in_python(hostile: str, tmp_path: Path) -> None:
    study = pb.Study.load("digits")
    template = study.document.model_copy(
        update={"data": study.document.data.model_copy(update={"source": str(tmp_path / "x") + hostile})}
    )
    study._template = template
    assert "data" in repr(study)
    assert_plain(repr(study))


def csv(hostile: str, folder: Path) -> None:
    load(DataSpec(f"{folder}/{hostile}.csv"))


def study(hostile: str, folder: Path) -> None:
    pb.Study.load(f"{folder}/{hostile}.toml")


def built_in(hostile: str, folder: Path) -> None:
    pb.Study.load(hostile)


@cache
def tiny_results() -> Results:
    return Results(tiny(2))


def arm(hostile: str, folder: Path) -> None:
    tiny_results().contrast(hostile, "small")


def metric(hostile: str, folder: Path) -> None:
    tiny_results().contrast("small", "large", hostile)


def report(hostile: str, folder: Path) -> None:
    (folder / "a").write_bytes(b"no folder")
    tiny_results().report(folder / "a" / f"{hostile.replace('/', '')}.html")


def store(hostile: str, folder: Path) -> None:
    path = folder / (hostile.replace("/", "") + "x")
    if "\x00" not in hostile:
        path.write_bytes(b"no folder")
    pb.Study.load("digits").run(seeds=2, store=path, progress=False)


@pytest.mark.parametrize("mistake", [csv, study, built_in, arm, metric, report, store])
@EVERYWHERE
def test_a_traceback(mistake: Callable[[str, Path], None], hostile: str, tmp_path: Path) -> None:
    with pytest.raises(pb.ParibusError) as caught:
        mistake(hostile, tmp_path)
    assert_plain(str(caught.value))
    # The last line is the error's; those of its causes are Python's, which quotes names by itself.
    assert_plain("".join(traceback.format_exception_only(caught.value)))


@EVERYWHERE
def test_json_keeps_the_value(hostile: str, capsys: pytest.CaptureFixture[str]) -> None:
    output.print_json({"name": hostile})
    printed = capsys.readouterr().out
    assert_plain(printed)
    assert json.loads(printed) == {"name": hostile}


def on_a_terminal(*arguments: str, folder: Path) -> tuple[int, str]:
    """The exit code, and what the command line writes to a terminal that has no colours, both streams."""
    ours, theirs = need_terminal()
    variables = os.environ | {"TERM": "dumb", "NO_COLOR": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "paribus", *arguments]
    with subprocess.Popen(command, cwd=folder, stdout=theirs, stderr=theirs, env=variables) as process:
        os.close(theirs)
        written = read_terminal(ours)
    return process.returncode, written.decode("utf-8", "surrogateescape").replace("\r\n", "\n")


ALL = "".join(text.replace("\x00", "").replace("/", "") for text in HOSTILE.values())[:80]


@pytest.mark.slow
def test_the_command_line(tmp_path: Path) -> None:
    """File names, class names and a question from a stranger, from the folder of pictures to the table."""
    generator = np.random.default_rng(0)
    for label in (f"a{ALL}", f"b{ALL}"):
        folder = tmp_path / f"pictures{ALL}" / label
        folder.mkdir(parents=True)
        for number in range(12):
            pixels = generator.integers(0, 256, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}{ALL}.png")
    content = (
        f"name = 'pictures'\nquestion = {json.dumps(ALL)}\nseeds = 2\ncontrasts = [{{a = 'a', b = 'b'}}]\n"
        f"[data]\nsource = {json.dumps(f'pictures{ALL}')}\nflatten = true\n[protocol]\nepochs = 1\nbatch_size = 8\n"
        + "".join(f"[arms.{name}]\nlayers = [{{ Dense = {{ units = 2, activation = 'softmax' }} }}]\n" for name in "ab")
    )
    (tmp_path / "study.toml").write_text(content, encoding="utf-8", errors="surrogatepass")
    picture = next((tmp_path / f"pictures{ALL}").rglob("*.png"))
    broken = tmp_path / f"broken{ALL}.png"
    broken.write_bytes(picture.read_bytes()[:40])
    commands: dict[int, list[list[str]]] = {
        0: [
            ["run", "study.toml", "--workers", "1"],
            ["show", "pictures/a/0"],
            ["report", "study.toml", "-o", f"report{ALL}.html"],
            ["export", "study.toml", "--to", "parquet", "-o", f"tables{ALL}"],
            ["predict", str(picture), "--study", "study.toml"],
        ],
        1: [["predict", str(broken), "--study", "study.toml"]],
        2: [
            ["report", f"no-such{ALL}"],
            ["report", "study.toml", ALL],
        ],
    }
    for expected, lines in commands.items():
        for arguments in lines:
            code, written = on_a_terminal(*arguments, folder=tmp_path)
            assert code == expected, (arguments, written)
            assert "Traceback" not in written, (arguments, written)
            assert written.strip(), arguments
            assert_plain(written)
