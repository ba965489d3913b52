"""``make proof``: each part is done once for its inputs, recorded as it ends, and done again if it did not hold."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from project_files import ROOT
from proof import bare, debian, ray_cluster, results, whole_tests
from proof.__main__ import carry_out
from proof.records import Finding, ImpossibleError, Proof
from proof.registry import PROOFS


class Runner:
    """Carries out a proof of parts that count how often they are asked."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.asked, self.said = folder, list[str](), list[str]()
        self.answers: dict[str, Finding | BaseException] = {"a": Finding(True, {"n": 1}), "b": Finding(True, {"n": 2})}
        self.version = "v1"

    def part(self, name: str) -> Callable[[], Finding]:
        def answer() -> Finding:
            self.asked.append(name)
            finding = self.answers[name]
            if isinstance(finding, BaseException):
                raise finding
            return finding

        return answer

    def version_of(self, inputs: Sequence[str]) -> str:
        assert inputs == ("src",)
        return self.version

    def __call__(self, *, force: bool = False) -> tuple[bool, list[str]]:
        proof = Proof("p", "It is so.", ("src",), {name: self.part(name) for name in self.answers})
        machine: Mapping[str, object] = {"cores": 2}
        self.asked.clear()
        holds = carry_out(
            proof,
            force=force,
            say=self.said.append,
            version_of=self.version_of,
            machine=lambda: machine,
            folder=self.folder,
        )
        return holds, list(self.asked)

    @property
    def recorded(self) -> dict[str, Any]:
        parts: dict[str, Any] = json.loads((self.folder / "p.json").read_text(encoding="utf-8"))["parts"]
        return parts


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path / "results")


def test_what_holds_is_done_once_for_its_inputs(runner: Runner) -> None:
    assert runner() == (True, ["a", "b"])
    assert runner.recorded["b"] == {"holds": True, "figures": {"n": 2}, "inputs": "v1", "machine": {"cores": 2}}
    assert runner() == (True, [])
    assert runner(force=True) == (True, ["a", "b"])
    runner.version = "v2"
    assert runner() == (True, ["a", "b"])


def test_it_goes_on_where_it_was_cut_off(runner: Runner) -> None:
    runner.answers["b"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        runner()
    assert list(runner.recorded) == ["a"]
    runner.answers["b"] = Finding(True, {})
    assert runner() == (True, ["b"])
    assert list(runner.recorded) == ["a", "b"]


def test_what_does_not_hold_is_recorded_and_done_again(runner: Runner) -> None:
    runner.answers["a"] = Finding(False, {"exit_code": 2})
    assert runner() == (False, ["a", "b"])
    assert runner.recorded["a"]["figures"] == {"exit_code": 2}
    assert runner() == (False, ["a"])


def test_what_cannot_be_shown_here_is_named_and_keeps_the_record(runner: Runner) -> None:
    runner()
    runner.answers["a"] = ImpossibleError("it needs root")
    assert runner(force=True) == (False, ["a", "b"])
    assert "p, a: cannot be carried out here: it needs root" in runner.said
    assert runner.recorded["a"]["holds"]


def git(folder: Path, *arguments: str) -> None:
    names = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run(["git", *names, *arguments], cwd=folder, check=True, capture_output=True)


def test_the_version_is_that_of_what_is_committed(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    for name in ("src/a", "other"):
        (tmp_path / name).write_text("1", encoding="utf-8")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "1")
    first = results.version_of(("src",), tmp_path)
    (tmp_path / "other").write_text("2", encoding="utf-8")
    assert results.version_of(("src",), tmp_path) == first
    (tmp_path / "src/a").write_text("2", encoding="utf-8")
    with pytest.raises(ImpossibleError, match="not committed: src/a"):
        results.version_of(("src",), tmp_path)
    git(tmp_path, "commit", "-qam", "2")
    assert results.version_of(("src",), tmp_path) != first


REPORT = """<testsuites><testsuite>
<testcase classname="tests.test_a" name="test_1"/>
<testcase classname="tests.test_a" name="test_2[x]"><skipped message="no Chromium">a.py:3</skipped></testcase>
<testcase classname="tests.test_b" name="test_3"><failure message="E1&#10;E2">...</failure></testcase>
<testcase classname="tests.test_b" name="test_4"><error message="broken">...</error></testcase>
</testsuite></testsuites>"""


def test_tests_that_did_not_pass_are_named_with_their_reason(tmp_path: Path) -> None:
    (tmp_path / "tests.xml").write_text(REPORT, encoding="utf-8")
    assert bare.outcomes(tmp_path / "tests.xml") == {
        "passed": 1,
        "skipped": ["tests/test_a.py::test_2[x]: no Chromium"],
        "failed": ["tests/test_b.py::test_3: E1", "tests/test_b.py::test_4: broken"],
    }


def test_without_root_a_debian_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ImpossibleError, match="root and debootstrap"):
        debian.minimal(tmp_path)


def test_every_record_is_of_a_proof_that_there_is_and_holds() -> None:
    known = {proof.name: proof for proof in PROOFS}
    for path in results.FOLDER.glob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        assert record["claim"] == known[path.stem].claim
        assert record["parts"].keys() <= known[path.stem].parts.keys()
        assert all(part["holds"] and re.fullmatch("[0-9a-f]{16}", part["inputs"]) for part in record["parts"].values())


def test_whole_tests_are_those_that_are_marked() -> None:
    marked = {
        path.relative_to(ROOT / "tests").as_posix()
        for path in (ROOT / "tests").rglob("test_*.py")
        if "mark.proof" in path.read_text(encoding="utf-8") and path != Path(__file__)
    }
    assert whole_tests.FILES.keys() | set(ray_cluster.FILES.values()) == marked
