"""Writes docs/keras-classes.md from what `make proof PROOFS=keras-classes` has recorded; a test holds it to that."""

from __future__ import annotations

import sys
from pathlib import Path

PAGE = Path(__file__).with_name("keras-classes.md")
sys.path.insert(0, str(PAGE.parents[1]))

from proof.keras_classes import PROOF, recorded  # noqa: E402
from proof.results import read  # noqa: E402

HEAD = """\
# Keras's classes

The losses, metrics, optimizers and layer classes that Keras {keras} exports: {count} names are on record. Each was
trained here and by Keras's own `fit`, from the same weights on the same batches (five, and a short one), and is *equal*
within the rounding of float32: losses, accuracy, weights and outputs. What draws at random while it trains is compared
by its distribution over many draws. Everything else is *refused* by name before anything trains.

`make proof PROOFS=keras-classes` does it again; this page is written by `make docs` from what that has recorded. The
names are enumerated from Keras, so that a new class cannot be forgotten (`tests/keras_classes`).
"""


def page() -> str:
    """The whole page."""
    parts = read("keras-classes")
    by_kind = recorded(parts)
    count = sum(map(len, by_kind.values()))
    keras = next(iter(parts.values()))["figures"]["keras"] if parts else ""
    missing = [kind for kind in PROOF.parts if kind not in parts]
    waiting = f"\nNot on record yet: {', '.join(missing)}.\n" if missing else ""
    tables = (_table(kind, classes) for kind, classes in by_kind.items())
    return HEAD.format(keras=keras, count=count) + waiting + "".join(tables)


def _table(kind: str, classes: dict[str, dict[str, str]]) -> str:
    equal = sum(result["verdict"] == "equal" for result in classes.values())
    lines = [f"| `{name}` | {result['verdict']} | {_plain(result['how'])} |" for name, result in classes.items()]
    title = f"\n## {kind.capitalize()}\n\n{equal} of {len(classes)} equal, the others refused.\n\n"
    head = "| class | | how it was compared, or why it is refused |\n| --- | --- | --- |\n"
    return title + head + "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """One line that Markdown leaves alone."""
    line = " ".join(text.split())
    for character, plain in (("|", "\\|"), ("`", "'"), ("<", "&lt;"), ("*", "\\*")):
        line = line.replace(character, plain)
    return line


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
