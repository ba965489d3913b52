"""One fixed split against folds, at equal numbers of runs: `python -m benchmarks.folds` (see `benchmarks/README.md`).

Pairs of networks on `digits`, and on a table of 1,000 rows that is drawn from a seed, are compared with growing numbers
of runs, once on a fixed split (seeds) and once over five folds (repetitions), and answer for new data: how wide the
interval is, and from how many runs on the answer is decided.
"""

from __future__ import annotations

import paribus as pb  # before Keras, so that Keras runs on JAX

# isort: split
import argparse
import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from benchmarks import machine

FOLDS = 5
RUNS = (5, 10, 20, 30, 50)
"""Runs of an arm: as many seeds on the fixed split, a fifth as many repetitions of five folds."""

MARGIN = 0.01


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one comparison: percentage points of test accuracy, on new data."""

    runs: int
    difference: float
    half_width: float | None
    verdict: str


def network(features: int, classes: int, units: int) -> keras.Model:
    hidden = keras.layers.Dense(units, activation="relu")
    return keras.Sequential([keras.Input((features,)), hidden, keras.layers.Dense(classes, activation="softmax")])


def table(rows: int = 1000) -> tuple[Any, ...]:
    """Ten features of which four matter, two of them together; a quarter of the rows tests."""
    generator = np.random.default_rng(0)
    x = generator.standard_normal((rows, 10)).astype(np.float32)
    score = x[:, 0] + 1.5 * x[:, 1] * x[:, 2] + np.abs(x[:, 3]) + generator.standard_normal(rows)
    y = (score > np.median(score)).astype(np.int64)
    cut = rows * 3 // 4
    return x[:cut], y[:cut], x[cut:], y[cut:]


STUDIES: Mapping[str, tuple[Any, tuple[int, int], int, int, int]] = {
    "digits, 32 and 16 units": ("digits", (64, 10), 32, 16, 20),
    "digits, 32 and 24 units": ("digits", (64, 10), 32, 24, 20),
    "table, 64 and 8 units": (table(), (10, 2), 64, 8, 40),
    "table, 64 and 24 units": (table(), (10, 2), 64, 24, 40),
}
"""Data, its features and classes, units of the larger and of the smaller network, and epochs."""


def ask(name: str, runs: int, store: Path, *, folds: bool) -> Answer:
    """Train what is missing, and read off the answer for new data."""
    data, (features, classes), large, small, epochs = STUDIES[name]
    how: dict[str, Any] = {"folds": FOLDS, "repeats": runs // FOLDS} if folds else {}
    results = pb.compare(
        {"large": network(features, classes, large), "small": network(features, classes, small)},
        data,
        seeds=1 if folds else runs,
        epochs=epochs,
        margin=MARGIN,
        name=f"{name.replace(' ', '-').replace(',', '')}-{'folds' if folds else 'split'}-{runs}",
        store=store,
        progress=False,
        **how,
    )
    found = results.contrast("large", "small")
    width = None if found.low is None or found.high is None else 50 * (found.high - found.low)
    finite = width if width is not None and math.isfinite(width) else None
    return Answer(runs, 100 * found.difference, finite, str(found.verdict))


def decided_from(answers: list[Answer]) -> int | None:
    """The number of runs of an arm from which on every answer is decided; None where the last is not."""
    first = None
    for answer in reversed(answers):
        if answer.verdict == "undecided":
            break
        first = answer.runs
    return first


def as_table(answers: Mapping[str, list[Answer]]) -> str:
    lines = [f"| half width, points | {' | '.join(f'{runs} runs' for runs in RUNS)} | decided from |"]
    lines.append(f"| --- |{' --- |' * (len(RUNS) + 1)}")
    for name, row in answers.items():
        cells = [
            f"{'–' if answer.half_width is None else f'{answer.half_width:.2f}'}, {answer.verdict}" for answer in row
        ]
        first = decided_from(row)
        lines.append(f"| {name} | {' | '.join(cells)} | {'not by then' if first is None else f'{first} runs'} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.folds", description=__doc__)
    parser.add_argument("--store", type=Path, help="the folder for runs, to go on with; by default a temporary one")
    parser.add_argument("-o", "--output", type=Path, help="a file for the answers as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        store = options.store or Path(temporary)
        answers = {
            f"{name}: {'5 folds' if folds else 'fixed split'}": [ask(name, runs, store, folds=folds) for runs in RUNS]
            for name in STUDIES
            for folds in (False, True)
        }
    print(f"{machine.sentence(machine.describe())}\n\n{as_table(answers)}")
    if options.output is not None:
        entries = {name: [asdict(answer) for answer in row] for name, row in answers.items()}
        result = {"machine": machine.describe(), "margin": MARGIN, "answers": entries}
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
