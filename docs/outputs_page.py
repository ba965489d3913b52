"""Writes the outputs that pages print: the text between ``<!-- output of: COMMAND -->`` and the mark of its end.

Run by ``make docs``. A command with a date (``COMMAND, on 2026-11-26``) takes long and is not run again: it is of
that day. ``the block above`` is the Python block before it. Every command gets an empty store of its own.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
WIDTH = 110
OUTPUT = re.compile(
    r"(?P<head><!-- output of: (?P<command>[^>]+?)(?:, on (?P<day>\d{4}-\d\d-\d\d))? -->\n)"
    r"(?P<text>.*?)(?P<end><!-- end of output -->)",
    re.DOTALL,
)
ABOVE = "the block above"


def page(text: str) -> str:
    """A page with the outputs of today, but for those with a date."""
    return OUTPUT.sub(lambda match: _written(match, text[: match.start()]), text)


def _written(match: re.Match[str], before: str) -> str:
    if match["day"]:
        return match[0]
    if match["command"] == ABOVE:
        printed = _output([sys.executable, "-c", re.findall(r"```python\n(.*?)```", before, re.DOTALL)[-1]])
        body = "".join(f"{textwrap.fill(line, 130, **QUOTE)}\n" for line in printed.splitlines())
    else:
        _, *arguments = shlex.split(match["command"])
        body = f"```\n$ {match['command']}\n{_output([sys.executable, '-m', 'paribus', *arguments])}```\n"
    return f"{match['head']}{body}{match['end']}"


QUOTE = {"initial_indent": "> ", "subsequent_indent": "> "}


def _output(command: list[str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "examples").symlink_to(ROOT / "examples")
        environment = os.environ | {"PARIBUS_STORE": str(Path(folder) / "runs"), "COLUMNS": str(WIDTH), "NO_COLOR": "1"}
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return "".join(f"{line.rstrip()}\n" for line in done.stdout.strip("\n").splitlines())


if __name__ == "__main__":
    for path in PAGES:
        old = path.read_text(encoding="utf-8")
        if (new := page(old)) != old:
            path.write_text(new, encoding="utf-8")
