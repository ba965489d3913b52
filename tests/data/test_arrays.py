import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from paribus.data import arrays, class_names, from_arrays, load, spool
from paribus.data.folders import read_npy
from paribus.data.sidecar import SIDECAR
from paribus.errors import DataError
from paribus.files import whole
from paribus.records import DataSpec

RNG = np.random.default_rng(1)
DATA = from_arrays(
    RNG.integers(0, 256, (20, 4, 3), np.uint8),
    np.arange(20) % 3,
    RNG.integers(0, 256, (5, 4, 3), np.uint8),
    np.arange(5) % 3,
    name="things",
    class_names=["ant", "bee", "cat", "dog"],
)


def test_what_was_spooled_is_read_back_memory_mapped(tmp_path: Path):
    spec = spool(DATA, tmp_path / "spooled")
    back = load(spec)
    assert back.summary() == DATA.summary()
    assert back.class_names == class_names(spec) == DATA.class_names
    assert isinstance(back.x_train, np.memmap)
    assert not back.x_train.flags.writeable
    for name in ("x_train", "y_train", "x_test", "y_test"):
        assert np.array_equal(getattr(back, name), getattr(DATA, name))
    flat = load(replace(spec, flatten=True))
    assert flat.input_shape == (12,)
    assert flat.fingerprint == DATA.fingerprint


def test_float_data_survives_bit_by_bit(tmp_path: Path):
    x = RNG.standard_normal((9, 5)).astype(np.float32)
    data = from_arrays(x, np.arange(9) % 2, x, np.arange(9) % 2)
    assert np.asarray(load(spool(data, tmp_path / "f")).x_test).tobytes() == x.tobytes()


def test_nothing_else_is_left_behind_and_spooling_again_does_nothing(tmp_path: Path):
    folder = tmp_path / "spooled"
    spool(DATA, folder)
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert spool(DATA, folder) == DataSpec(str(folder))
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["spooled"]
    assert sorted(before) == ["dataset.json", "x_test.npy", "x_train.npy", "y_test.npy", "y_train.npy"]


def test_a_folder_with_other_data_is_left_alone(tmp_path: Path):
    spool(DATA, tmp_path / "spooled")
    other = from_arrays(DATA.x_test, DATA.y_test, DATA.x_train, DATA.y_train)
    with pytest.raises(DataError, match="holds other data already"):
        spool(other, tmp_path / "spooled")
    assert load(DataSpec(str(tmp_path / "spooled"))).fingerprint == DATA.fingerprint


def test_nothing_is_written_through_a_link(tmp_path: Path):
    """A stranger's store may have one in this place, to a folder of the reader's own."""
    spool(DATA, tmp_path / "mine")
    before = {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()}
    (tmp_path / "spooled").symlink_to(tmp_path / "mine")
    with pytest.raises(DataError, match="spooled: a symbolic link, and arrays are not written through one"):
        spool(DATA, tmp_path / "spooled")
    assert {path.name: path.read_bytes() for path in (tmp_path / "mine").iterdir()} == before


@pytest.mark.parametrize("kind", ["pipe", "link to nothing", "folder"])
def test_a_description_that_is_no_file_is_refused(kind: str, tmp_path: Path):
    """A pipe was waited for without end, and a link to nothing taken for no description."""
    spool(DATA, tmp_path / "spooled")
    path = tmp_path / "spooled" / SIDECAR
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nothing")
    with pytest.raises(DataError, match=r"dataset\.json: not a file, or a link to none"):
        read_npy(tmp_path / "spooled")


def test_flattened_data_is_not_spooled(tmp_path: Path):
    with pytest.raises(DataError, match="things: flattened data cannot be spooled"):
        spool(DATA.flattened(), tmp_path / "spooled")


def test_a_failure_in_the_middle_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    real, calls = arrays._save, []

    def full_disk(*args: object, **keywords: object) -> None:
        calls.append(args)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        real(*args, **keywords)

    monkeypatch.setattr(arrays, "_save", full_disk)
    with pytest.raises(DataError, match="spooled: cannot be written: No space left on device"):
        spool(DATA, tmp_path / "spooled")
    assert list(tmp_path.iterdir()) == []


def test_another_process_that_is_quicker_is_made_use_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "spooled"
    real = arrays._write

    def overtaken(dataset: object, temporary: Path) -> None:
        real(dataset, temporary)
        folder.mkdir()
        real(dataset, folder)

    monkeypatch.setattr(arrays, "_write", overtaken)
    assert load(spool(DATA, folder)).fingerprint == DATA.fingerprint
    assert [path.name for path in tmp_path.iterdir()] == ["spooled"]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path):
    with pytest.raises(DataError, match="cannot be written: No such file or directory"):
        spool(DATA, tmp_path / "missing" / "spooled")


def test_everything_is_flushed_before_the_folder_appears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    appeared = []
    real = whole.os.fsync

    def flush(handle: int) -> None:
        appeared.append((tmp_path / "spooled").exists())
        real(handle)

    monkeypatch.setattr(whole.os, "fsync", flush)
    spool(DATA, tmp_path / "spooled")
    # Five files and their folder; then the rename, and the parent that holds it.
    assert appeared == [False] * 6 + [True]


KILLED = """
import os, signal, sys
from pathlib import Path
from paribus.data import arrays
real = arrays._save
def save(path, *rest, **more):
    real(path, *rest, **more)
    if Path(path).name == "x_test.npy":
        if sys.argv[2] == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        print("half", flush=True)
        sys.stdin.read()
arrays._save = save
arrays.spool(arrays.from_arrays([[0.0], [1.0]], [0, 1], [[0.5]], [1]), Path(sys.argv[1], "other"))
"""


def test_what_a_killed_process_left_goes_and_what_another_works_on_stays(tmp_path: Path):
    (tmp_path / ".spooled-x").mkdir()
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    assert subprocess.run([*command, "die"]).returncode == -signal.SIGKILL
    (left,) = tmp_path.glob(".paribus-spool-*")
    with subprocess.Popen([*command, "live"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as living:
        assert living.stdin is not None
        assert living.stdout is not None
        assert living.stdout.readline() == b"half\n"
        (at_work,) = tmp_path.glob(".paribus-spool-*")
        assert at_work != left
        assert load(spool(DATA, tmp_path / "spooled")).fingerprint == DATA.fingerprint
        assert {path.name for path in tmp_path.iterdir()} == {"spooled", ".spooled-x", at_work.name}
        living.stdin.close()
    assert living.returncode == 0
    assert {path.name for path in tmp_path.iterdir()} == {"spooled", ".spooled-x", "other"}
