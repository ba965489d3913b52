"""Writes docs/network-cases.md: small networks as people have them, and what comes of each. A test checks it.

Those that are refused are passed to paribus, and its message is written down; the others a test trains both ways.
"""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

PAGE = Path(__file__).with_name("network-cases.md")
sys.path.insert(0, str(PAGE.parents[1] / "tests"))

from paribus.engine import environment  # noqa: E402

if "jax" not in sys.modules:  # a test reads the page in a process that computes already
    environment.prepare()

from network_cases import GROUPS, NETWORKS  # noqa: E402
from paribus.errors import ParibusError  # noqa: E402
from plain_keras import EPOCHS, NetworkCase, Recorder, study_of  # noqa: E402

HEAD = """\
# Networks as people have them

{count} small networks, and what comes of each: {equal} are trained as plain Keras trains them, the others are refused
with a reason before anything trains. None is silently different. Each is a test (`tests/network_cases.py`,
`tests/plain_keras.py`); this page is written from them by `make docs`.

*Equal* means: the same model was compiled and fitted by Keras itself, from the run's initial
weights, on the run's batches, for {epochs} epochs with a short last batch. The losses and accuracies that `fit` prints,
every weight at the end, what `evaluate` returns for the test split (without weight penalties) and every answer agree
within the rounding of float32. What draws at random draws from the run's own states on both sides. Every class of Keras
is in [Keras's classes](keras-classes.md).
"""


def page() -> str:
    """The whole page."""
    equal = sum(not case.says for case in NETWORKS)
    text = HEAD.format(count=len(NETWORKS), equal=equal, epochs=EPOCHS)
    return text + "".join(_table(title, cases) for title, cases in GROUPS.items())


def _table(title: str, cases: Iterable[NetworkCase]) -> str:
    rows = [f"| {_plain(case.what)} | {_plain(_outcome(case))} |" for case in cases]
    return "\n".join([f"\n## {title}\n", "| what | what comes of it |", "| --- | --- |", *rows, ""])


def _outcome(case: NetworkCase) -> str:
    if not case.says:
        return "equal" + (f", with a note: '{case.notes}'" if case.notes else "")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            study_of(case).run(backend=Recorder(), progress=False)
    except ParibusError as error:
        mistakes = getattr(error, "mistakes", ())
        return f"refused: '{mistakes[0].message if mistakes else error}'"
    raise AssertionError(f"{case.what} is not refused")


def _plain(text: str) -> str:
    """One line that Markdown leaves alone, without the numbers of Keras's automatic names."""
    line = re.sub(r"'([a-z_]+?)_\d+'", r"'\1'", re.sub(r"\s+", " ", text)).strip()
    return line.replace("|", "\\|").replace("<", "&lt;").replace("__", "\\_\\_").replace("*", "\\*")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
