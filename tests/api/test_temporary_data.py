"""Arrays from Python lie in a temporary folder, which goes with the study, or with the next one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from paribus.files.temporary import PREFIX, make_lasting_folder

MAKER = """
import os, sys, signal
from paribus.files.temporary import make_lasting_folder
folder, remove = make_lasting_folder()
(folder / "x_train.npy").write_bytes(b"mine")
print(folder, flush=True)
number = int(sys.argv[1])
if number:
    os.kill(os.getpid(), number)
remove()
"""


def made(temporary: Path, number: int) -> Path:
    environment = os.environ | {"TMPDIR": str(temporary)}
    command = [sys.executable, "-c", MAKER, str(number)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == -number, done.stderr
    return Path(done.stdout.strip())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path: Path, number: int) -> None:
    left = made(tmp_path, number)
    assert (left / "x_train.npy").exists()
    gone = made(tmp_path, 0)
    assert not left.exists()
    assert not gone.exists()


def test_what_somebody_is_at_work_in_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    folder, remove = make_lasting_folder()
    made(tmp_path, 0)
    assert folder.exists()
    remove()
    assert not folder.exists()


def test_a_link_of_that_name_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.tex").write_text("mine", encoding="utf-8")
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "home")
    made(tmp_path, 0)
    assert (tmp_path / "home" / "thesis.tex").exists()
