"""Flips single bits of a small store's database, and looks at what the store then answers, and the doctor says.

Every answer of paribus (text, JSON, HTML, exports, the weights that a resumed run trains) is a function of what a
store hands out. So a flip is harmless if what is handed out is what it was, and detected if reading raises our error. A
run or a recipe that is gone is no wrong answer: it is shown as missing, and computed again. Anything else is a fault.
"""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from paribus.errors import ParibusError
from paribus.records import StudyKind
from paribus.store.doctor import examine, repair
from paribus.store.sqlite import SqliteStore
from store_crashes import quick_place
from store_examples import DATA, arm, fingerprint, judgement, recipe, run

NUMBERS = range(1, 5)
KEYS = ("key", "other")
DATABASE = "paribus.sqlite"


def small_store(folder: Path) -> None:
    """A store with something of everything."""
    with SqliteStore.open(folder, "write") as store:
        for number, status in zip(NUMBERS, ("finished", "diverged", "failed", "finished"), strict=True):
            store.record(run(number, status))
        for number, key in enumerate(KEYS):
            store.save_recipe(key, recipe(number))
        store.save_study("s", '{"name": "s"}', [arm("a", [1, 2]), arm("b", [3], version=1)], DATA, seeds=2)
        store.save_study("s", '{"name": "s"}', [arm("a.1", [2**31])], DATA, kind=StudyKind.TUNING)
        store.record_judgements([judgement(number, seeds) for number in (1, 2) for seeds in (3, 5)])
    (folder / "writer.lock").unlink()


def handed_out(folder: Path) -> dict[str, Any]:
    """Everything that a store hands out, as values that can be compared."""
    with SqliteStore.open(folder) as store:
        answers: dict[str, Any] = {"studies": repr(store.studies())}
        found = store.runs([fingerprint(number) for number in NUMBERS])
        for name, result in found.items():
            answers[f"run {name[:8]}"] = repr(result)
            for what, read in (("weights", store.weights), ("predictions", store.predictions)):
                if result.scores is not None:
                    answers[f"{what} {name[:8]}"] = repr(read(name))
        for key in KEYS:
            if (kept := store.recipe(key)) is not None:
                answers[f"recipe {key}"] = repr(kept)
        answers["judgements"] = repr(store.judgements([judgement(number).anchor for number in NUMBERS]))
    return answers


@dataclass
class Tally:
    """What became of the flips: how many of each kind, and the faults, each with its place."""

    kinds: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def flip_bits(places: Sequence[tuple[int, int]], *, mend: bool = True) -> Tally:
    """Flip one bit after the other, each in a fresh copy of the database.

    Args:
        places: pairs of byte and bit.
        mend: whether to have the doctor repair each, too, and look again.
    """
    tally = Tally()
    with quick_place() as place:
        original, folder = place / "original", place / "runs"
        small_store(original)
        usual = handed_out(original)
        content = (original / DATABASE).read_bytes()
        for byte, bit in places:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.copytree(original, folder)
            damaged = bytearray(content)
            damaged[byte] ^= 1 << bit
            (folder / DATABASE).write_bytes(damaged)
            kind, fault = _looked_at(folder, usual, mend=mend)
            tally.kinds[kind] += 1
            if fault is not None:
                tally.faults.append(f"byte {byte}, bit {bit}: {fault}")
    return tally


def _looked_at(folder: Path, usual: dict[str, Any], *, mend: bool) -> tuple[str, str | None]:
    try:
        kind, fault = _answered(folder, usual)
        try:
            sound = examine(folder) == []
        except ParibusError as error:
            # What looks like a newer format, or like another application's file, is refused, and not the doctor's.
            refused = kind == "detected" and ("newer paribus" in str(error) or "not one of paribus" in str(error))
            return ("refused", fault) if refused else (kind, f"the doctor: {error}")
        if sound and kind == "detected":
            return kind, "the doctor says that it is sound, and reading fails"
        if fault is None and mend and not sound:
            fault = _mended(folder, usual)
    except Exception as error:  # noqa: BLE001 - whatever is raised but our own is a fault
        return "traceback", f"{type(error).__name__}: {error}"
    return kind, fault


def _answered(folder: Path, usual: dict[str, Any]) -> tuple[str, str | None]:
    try:
        found = handed_out(folder)
    except ParibusError:
        return "detected", None
    wrong = [name for name, value in found.items() if value != usual.get(name)]
    if wrong:
        return "wrong", f"another {wrong[0]}"
    return ("harmless" if len(found) == len(usual) else "computed again"), None


def _mended(folder: Path, usual: dict[str, Any]) -> str | None:
    """What is wrong after a repair."""
    try:
        repair(folder)
    except ParibusError as error:
        return f"not mended: {error}"
    if examine(folder):
        return f"wrong after a repair: {examine(folder)[0]}"
    found = handed_out(folder)
    whole = ("run", "weights", "predictions", "recipe")
    wrong = [name for name, value in found.items() if name.startswith(whole) and value != usual[name]]
    lists = [name for name in ("studies", "judgements") if not _is_part(found[name], usual[name])]
    return f"another {(*wrong, *lists)[0]} after a repair" if wrong or lists else None


def _is_part(found: str, usual: str) -> bool:
    """Whether every entry of one list is an entry of the other, and in their order."""
    place = 0
    for entry in _entries(found):
        place = usual.find(entry, place)
        if place < 0:
            return False
    return True


def _entries(listed: str) -> list[str]:
    name = "StoredStudy(" if "StoredStudy(" in listed else "Judgement("
    return [name + entry.rstrip(", )") for entry in listed.strip("(),").split(name)[1:]]


def random_places(count: int, seed: int = 0) -> list[tuple[int, int]]:
    """Places all over the database, every bit of a byte equally often."""
    size = _size()
    generator = random.Random(seed)
    return [(generator.randrange(size), number % 8) for number in range(count)]


def text_places() -> list[tuple[int, int]]:
    """Every byte of every text in the database, the bits in turn."""
    with quick_place() as place:
        small_store(place)
        content = (place / DATABASE).read_bytes()
        found = set()
        for text in _texts(place / DATABASE):
            start = content.find(text)
            while start >= 0:
                found.update(range(start, start + len(text)))
                start = content.find(text, start + 1)
    return [(byte, number % 8) for number, byte in enumerate(sorted(found))]


def _texts(path: Path) -> Iterator[bytes]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    connection.text_factory = bytes
    for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        for row in connection.execute(f"SELECT * FROM {table.decode()}"):
            yield from (value for value in row if isinstance(value, bytes) and value)
    connection.close()


def _size() -> int:
    with quick_place() as place:
        small_store(place)
        return (place / DATABASE).stat().st_size


def prove(count: int = 2000) -> dict[str, Any]:
    """The whole of it, for ``make proof``: figures, and the faults, which should be none."""
    parts = {"random positions": random_places(count), "every position of every text": text_places()}
    figures: dict[str, Any] = {}
    for name, places in parts.items():
        tally = flip_bits(places)
        figures[name] = {"flips": len(places), "kinds": dict(tally.kinds), "faults": tally.faults}
    return figures
