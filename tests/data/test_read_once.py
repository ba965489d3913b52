"""A command reads its data once, and again only where a file has changed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from data_files import csv, images, npz, parquet, png
from paribus.api.study import Study
from paribus.backends.fake import FakeBackend
from paribus.data import csv_files, load, read_once, tables
from paribus.data import images as image_folders
from paribus.data import npz as npz_files
from paribus.data.read_once import READ_DATA
from paribus.records import DataSpec
from paribus.study.load import parse_study

TABLE = "n,class\n" + "".join(f"{i % 7},{'ab'[i % 2]}\n" for i in range(40))
STUDY = """
name = "once"
seeds = 3
[data]
source = "{source}"
{label}
[protocol]
class_weight = {{ a = 2.0 }}
[arms.one]
layers = [{{ Dense = {{ units = 2, activation = "softmax" }} }}]
[arms.two]
layers = [{{ Dense = {{ units = 2, activation = "softmax", use_bias = false }} }}]
"""


@pytest.fixture(autouse=True)
def _nothing_read() -> Iterator[None]:
    READ_DATA.clear()
    yield
    READ_DATA.clear()


def counting(monkeypatch: pytest.MonkeyPatch, place: Any, name: str) -> list[Path]:
    read: list[Path] = []
    real = place[name] if isinstance(place, dict) else getattr(place, name)

    def counted(path: Path, *rest: Any, **more: Any) -> Any:
        read.append(path)
        return real(path, *rest, **more)

    if isinstance(place, dict):
        monkeypatch.setitem(place, name, counted)
    else:
        monkeypatch.setattr(place, name, counted)
    return read


SOURCES: dict[str, tuple[Callable[[Path], DataSpec], Any, str]] = {
    "csv": (csv(TABLE), tables.READERS, ".csv"),
    "parquet": (parquet(n=list(range(40)), **{"class": ["a", "b"] * 20}), tables.READERS, ".parquet"),
    "npz": (npz(), npz_files, "read"),
    "images": (images(), image_folders, "read_folder"),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_command_reads_its_data_once(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make, place, name = SOURCES[kind]
    (tmp_path / "data").mkdir()
    spec = make(tmp_path / "data")
    read = counting(monkeypatch, place, name)
    label = 'label = "class"' if spec.label else ""
    weights = "a" if kind in ("csv", "parquet", "images") else '"0"'
    text = STUDY.format(source=spec.source, label=label).replace("{ a =", f"{{ {weights} =")
    results = Study.of(parse_study(text, "study.toml")).run(
        store=tmp_path / "runs", backend=FakeBackend(), progress=False
    )
    results.report(tmp_path / "report.html")
    assert len(read) == 1


def test_a_file_that_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = csv(TABLE)(tmp_path)
    read = counting(monkeypatch, tables.READERS, ".csv")
    first = load(spec)
    assert load(spec) is first
    path = Path(spec.source)
    state = path.stat()
    path.write_text(TABLE.replace("6,", "5,"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert load(spec).fingerprint != first.fingerprint
    assert len(read) == 2


def test_other_options_are_other_data(tmp_path: Path) -> None:
    from dataclasses import replace

    spec = csv(TABLE)(tmp_path)
    assert load(replace(spec, test_fraction=0.5)).y_test.shape != load(spec).y_test.shape
    assert load(replace(spec, scale=2.0, flatten=True)).fingerprint == load(spec).fingerprint


def test_pictures_that_were_added_or_replaced_are_read(tmp_path: Path) -> None:
    spec = images()(tmp_path)
    first = load(spec)
    (tmp_path / "train" / "a" / "9.png").write_bytes(png(fill=3))
    second = load(spec)
    assert len(second.x_train) == len(first.x_train) + 1
    (tmp_path / "train" / "a" / "9.png").write_bytes(png(fill=77))
    assert load(spec).fingerprint != second.fingerprint


def test_what_is_held_cannot_be_written_to_and_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = csv(TABLE)(tmp_path)
    with pytest.raises(ValueError, match="read-only"):
        load(spec).x_train[0, 0] = 1
    monkeypatch.setattr(read_once, "MOST_BYTES", 10)
    READ_DATA.clear()
    assert load(spec) is not load(spec)


def test_a_file_that_changes_while_it_is_read_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = csv(TABLE)(tmp_path)
    real = csv_files.read

    def slow(path: Path, options: Any) -> Any:
        table = real(path, options)
        path.write_text(TABLE + "1,a\n")
        return table

    monkeypatch.setitem(tables.READERS, ".csv", slow)
    load(spec)
    monkeypatch.setitem(tables.READERS, ".csv", real)
    assert len(load(spec).x_train) + len(load(spec).x_test) == 41


def test_a_worker_holds_nothing(tmp_path: Path) -> None:
    held = read_once.ReadData()
    held.hold_nothing()
    read = []
    data = load(csv(TABLE)(tmp_path))
    for _ in range(2):
        held.read(DataSpec("t.csv"), lambda: [tmp_path / "data.csv"], lambda: read.append(1) or data)
    assert len(read) == 2
