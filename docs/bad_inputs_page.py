"""Writes docs/bad-inputs.md: what is refused, with each error message. A test checks that the page is true.

Every input is made by the generators that the tests use, and read; the page lists the error messages.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

PAGE = Path(__file__).with_name("bad-inputs.md")
sys.path.insert(0, str(PAGE.parents[1] / "tests"))

from bad_inputs import BAD_INPUTS  # noqa: E402
from bad_studies import BAD as BAD_STUDIES  # noqa: E402
from paribus.data import load  # noqa: E402
from paribus.errors import ParibusError  # noqa: E402
from paribus.study.load import parse_study  # noqa: E402

LONGEST = 400
HEAD = """\
# Bad inputs

Inputs that paribus refuses: {count} files, options and studies, each with its error message. None
ends in a traceback, none is silently accepted. Every one of them is a test (`tests/bad_inputs.py`,
`tests/study/test_load.py`); this page is written from them by `make docs`. `FOLDER` is where the file was. Models that
would run code, read files or take all memory are in [what can go wrong](reliability.md).
"""


def page() -> str:
    """The whole page."""
    data, studies = list(_data()), list(_studies())
    text = HEAD.format(count=len(data) + len(studies))
    text += _table("Data", "what is wrong", data)
    return text + _table("Study files", "what is wrong", studies)


def _data() -> Iterator[tuple[str, str]]:
    for bad in BAD_INPUTS:
        with tempfile.TemporaryDirectory() as folder:
            spec = bad.make(Path(folder))
            try:
                load(spec)
            except ParibusError as error:
                group = bad.name.partition("-")[0]
                yield f"{group}: {bad.what}", str(error).replace(folder, "FOLDER")


def _studies() -> Iterator[tuple[str, str]]:
    for name, (text, _) in BAD_STUDIES.items():
        try:
            parse_study(text, "study.toml")
        except ParibusError as error:
            yield name, str(error)


def _table(title: str, head: str, rows: list[tuple[str, str]]) -> str:
    lines = [f"| {_plain(what)} | `{_plain(message)}` |" for what, message in rows]
    return "\n".join([f"\n## {title}\n", f"| {head} | error message |", "| --- | --- |", *lines, ""])


def _plain(text: str) -> str:
    """One line that Markdown leaves alone."""
    line = re.sub(r"\s+", " ", "".join(c if c.isprintable() or c.isspace() else "?" for c in text)).strip()
    short = line if len(line) <= LONGEST else f"{line[: LONGEST - 4]} ..."
    return short.replace("|", "\\|").replace("`", "'")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
