"""Writes docs/data-cases.md: tables and folders as people have them, and what comes of each. A test checks it.

Every one is written from the generators that the tests use, and read.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

PAGE = Path(__file__).with_name("data-cases.md")
sys.path.insert(0, str(PAGE.parents[1] / "tests"))

from folder_cases import FOLDERS, FolderCase  # noqa: E402
from paribus.data import load  # noqa: E402
from paribus.errors import ParibusError  # noqa: E402
from table_cases import TABLES, TableCase  # noqa: E402

HEAD = """\
# Data as people have it

{count} tables and folders, and what comes of each: read as plain pandas, scikit-learn, Pillow or NumPy read it, number
by number, or refused with a reason. None is silently different. Each is a test (`tests/table_cases.py`,
`tests/folder_cases.py`); this page is written from them by `make docs`. `FOLDER` is where the file was. Damaged and
hostile files stand in [bad inputs](bad-inputs.md).
"""


def page() -> str:
    """The whole page."""
    text = HEAD.format(count=len(TABLES) + len(FOLDERS))
    text += _table("Tables", "pandas and scikit-learn", TABLES)
    return text + _table("Folders", "Pillow or NumPy", FOLDERS)


def _table(title: str, reader: str, cases: Iterable[TableCase | FolderCase]) -> str:
    rows = [f"| {_plain(what)} | {_plain(outcome)} |" for what, outcome in _outcomes(reader, cases)]
    return "\n".join([f"\n## {title}\n", "| what | what comes of it |", "| --- | --- |", *rows, ""])


def _outcomes(reader: str, cases: Iterable[TableCase | FolderCase]) -> Iterator[tuple[str, str]]:
    for case in cases:
        with tempfile.TemporaryDirectory() as folder:
            spec = case.make(Path(folder))
            try:
                notes = load(spec).notes
            except ParibusError as error:
                yield case.what, f"refused: '{str(error).replace(folder, 'FOLDER')}'"
            else:
                noted = f", with a note: '{' '.join(notes)}'" if notes else ""
                yield case.what, f"as {reader} read it{noted}"


def _plain(text: str) -> str:
    """One line that Markdown leaves alone."""
    line = re.sub(r"\s+", " ", "".join(c if c.isprintable() or c.isspace() else "?" for c in text)).strip()
    return line.replace("|", "\\|").replace("<", "&lt;").replace("__", "\\_\\_").replace("*", "\\*")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
