"""``paribus dashboard`` as a command: what it refuses, what it says, that it ends cleanly and is imported only here."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

import command_line
from paribus.cli import dashboard
from project_files import imported_by


def test_without_its_packages_there_is_one_clear_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(dashboard, "find_spec", lambda name: None)
    said = command_line.call(capsys, monkeypatch, "dashboard", "--store", tmp_path)
    assert said.code == 2
    assert "pip install 'paribus[dashboard]'" in said.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "192.0.2.7"], "others can reach this address"),
        (["--host", "0.0.0.0"], "write the one address"),
        (["--host", "192.0.2.7", "--insecure"], "cannot be listened on"),
        (["--tls-key", "key.pem"], "belong together"),
        (["--tls-key", "/nowhere/k.pem", "--tls-certificate", "/nowhere/c.pem"], "cannot be used"),
        (["--port", "0"], "--port"),
    ],
)
def test_what_cannot_be_served_is_refused(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    options: list[str],
    message: str,
) -> None:
    said = command_line.call(capsys, monkeypatch, "dashboard", "--no-browser", "--store", tmp_path, *options)
    assert said.code == 2
    assert message in re.sub(r"\s+", " ", said.err)


def test_running_a_study_imports_no_web_server() -> None:
    code = "import paribus, paribus.cli.app, paribus.cli.run, paribus.runner.run, paribus.display.choose"
    assert not imported_by(code) & {"starlette", "uvicorn", "anyio"}


@pytest.mark.slow
def test_it_names_its_file_and_no_token_and_ends_at_an_interrupt(tmp_path: Path) -> None:
    with command_line.started("dashboard", "--no-browser", "--store", tmp_path) as process:
        assert process.stderr is not None
        lines = [process.stderr.readline(), process.stderr.readline()]
        file = Path(lines[1].rpartition(": ")[2].strip())
        token = re.search(r'name="token" value="([^"]+)"', file.read_text(encoding="utf-8"))
        assert token is not None
        command = Path(f"/proc/{process.pid}/cmdline").read_text()
        process.send_signal(signal.SIGINT)
        out, rest = process.communicate(timeout=120)
    assert process.returncode == 0
    assert token[1] not in "".join(lines) + out + rest + command
    assert "dashboard stopped" in rest
    assert "Traceback" not in rest
    assert not file.exists()
