"""From the log to the tables of ratios and the JSON."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.arithmetic import Spread, geometric_mean, ratios
from benchmarks.peers.report import versions

OURS = "paribus"
MEASURES = {"epoch_seconds": "Seconds of the machine", "processor_seconds": "Processor seconds"}


def compared(entries: Sequence[dict[str, Any]], measure: str) -> dict[str, dict[str, Spread]]:
    """By network and contender: how many times as much as paribus an epoch of one run takes, over the rounds."""
    values: dict[str, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for entry in entries:
        if measure in entry:
            values[entry["arm"]][entry["contender"]][entry["round"]] = entry[measure]
    rows: dict[str, dict[str, Spread]] = {}
    for network, contenders in values.items():
        ours = contenders.get(OURS, {})
        rows[network] = {
            name: ratios(theirs, ours) for name, theirs in contenders.items() if name != OURS and theirs.keys() & ours
        }
    return {network: row for network, row in rows.items() if row}


def table(rows: dict[str, dict[str, Spread]]) -> str:
    """Markdown: networks down, contenders across, and the geometric mean over the networks that a contender trained."""
    names = sorted({name for row in rows.values() for name in row})
    lines = [f"| | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    for network, row in rows.items():
        cells = [
            f"{row[name].median:.2f} ({row[name].low:.2f}–{row[name].high:.2f})" if name in row else "–"
            for name in names
        ]
        lines.append(f"| {network} | {' | '.join(cells)} |")
    means = [geometric_mean([row[name].median for row in rows.values() if name in row]) for name in names]
    lines.append(f"| geometric mean | {' | '.join(f'{mean:.2f}' for mean in means)} |")
    return "\n".join(lines)


def report(measured: Sequence[dict[str, Any]], path: Path, venv: Path, on: dict[str, Any]) -> str:
    """Write the JSON; the tables as text. ``on`` is the machine of the measurements."""
    if not any(entry["contender"] == OURS for entry in measured):
        return "paribus itself was not measured yet: there is nothing to compare with"
    others = median(entry["foreign"] for entry in measured)
    comparisons = {measure: compared(measured, measure) for measure in MEASURES}
    result = {
        "machine": on,
        "peers": versions(venv),
        "share_of_the_machine_that_others_took": others,
        "rounds": 1 + max(entry["round"] for entry in measured),
        "times_paribus": {
            measure: {network: {name: asdict(spread) for name, spread in row.items()} for network, row in rows.items()}
            for measure, rows in comparisons.items()
        },
    }
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    parts = [machine.sentence(on), f"Other programs took {others:.0%} of the machine (median of the measurements)"]
    for measure, words in MEASURES.items():
        if comparisons[measure]:
            parts += [f"{words} for an epoch of one run, times paribus", table(comparisons[measure])]
    return "\n\n".join(parts)
