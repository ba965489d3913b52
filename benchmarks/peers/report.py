"""From measurements to the table of ratios, the JSON and the figure."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.arithmetic import Spread, geometric_mean, ratios
from benchmarks.peers.contenders import CONTENDERS, STUDY
from paribus.study.load import load_study

OURS = "paribus"
PEER_PACKAGES = ("tensorflow_cpu", "torch", "keras", "jax", "scikit-learn", "ictonyx", "numpy")


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement: seconds of the whole machine for one epoch of one run, and of two whole runs."""

    round: int
    contender: str
    arm: str
    epoch: float
    whole: float


@dataclass(frozen=True, slots=True)
class Row:
    """One peer in its best setting of each arm: how many times as long as paribus it takes, by arm."""

    peer: str
    settings: dict[str, str]
    seconds: dict[str, Spread]
    by_arm: dict[str, Spread]
    geometric: float


def rows(measured: Sequence[Measured], what: str) -> list[Row]:
    """Every peer against paribus, the fastest first. ``what`` is ``epoch`` or ``whole``."""
    times: dict[str, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for one in measured:
        times[one.contender][one.arm][one.round] = getattr(one, what)
    ours = times[OURS]
    rows = []
    for peer in dict.fromkeys(c.peer for c in CONTENDERS):
        settings = [c.name for c in CONTENDERS if c.peer == peer and c.name in times]
        by_arm, seconds, best = {}, {}, {}
        for arm in ours:
            tried = {name: times[name][arm] for name in settings if times[name].get(arm)}
            tried = {name: taken for name, taken in tried.items() if taken.keys() & ours[arm].keys()}
            if tried:
                name = min(tried, key=lambda n: ratios(tried[n], ours[arm]).median)
                best[arm], by_arm[arm] = name, ratios(tried[name], ours[arm])
                seconds[arm] = Spread.of(list(tried[name].values()))
        if by_arm:
            rows.append(Row(peer, best, seconds, by_arm, geometric_mean([r.median for r in by_arm.values()])))
    return sorted(rows, key=lambda row: row.geometric)


def fastest(rows: Sequence[Row]) -> dict[str, tuple[str, float]]:
    """The fastest peer of each arm, and how many times as long as paribus it takes."""
    best: dict[str, tuple[str, float]] = {}
    for row in rows:
        for arm, ratio in row.by_arm.items():
            if not row.peer.startswith(OURS) and (arm not in best or ratio.median < best[arm][1]):
                best[arm] = (row.peer, ratio.median)
    return best


def of_floor(path: Path) -> dict[str, float]:
    """By arm, the share of paribus's time that no program can save: what ``benchmarks.floor`` wrote, if it did."""
    if not path.exists():
        return {}
    return {str(arm["arm"]): float(arm["fraction"]) for arm in json.loads(path.read_text(encoding="utf-8"))["arms"]}


def table(rows: Sequence[Row], arms: Sequence[str], floor: Mapping[str, float] | None = None) -> str:
    """Markdown: ratios with the smallest and the largest of the rounds, and the geometric mean over the arms.

    The last row says how much faster than the fastest peer a program would be that took no longer than the floor.
    """
    lines = [f"| | {' | '.join(arms)} | geometric mean |", f"| --- |{' --- |' * (len(arms) + 1)}"]
    for row in rows:
        cells = []
        for arm in arms:
            r = row.by_arm.get(arm)
            cells.append("–" if r is None else f"{r.median:.2f} ({r.low:.2f}–{r.high:.2f})")
        some = "" if len(row.by_arm) == len(arms) else f" ({len(row.by_arm)} arms)"
        lines.append(f"| {row.peer} | {' | '.join(cells)} | {row.geometric:.2f}{some} |")
    best = fastest(rows)
    if best:
        cells = [f"{best[arm][1]:.2f}" if arm in best else "–" for arm in arms]
        mean = geometric_mean([ratio for _, ratio in best.values()])
        lines.append(f"| the fastest peer of each arm | {' | '.join(cells)} | {mean:.2f} |")
        most = {arm: best[arm][1] / floor[arm] for arm in arms if arm in best and arm in floor} if floor else {}
        if len(most) == len(arms):
            cells = [f"{most[arm]:.2f}" for arm in arms]
            lines.append(
                f"| the same against the floor | {' | '.join(cells)} | {geometric_mean([*most.values()]):.2f} |"
            )
    return "\n".join(lines)


def versions(venv: Path) -> dict[str, str]:
    """What the peers' environment holds."""
    script = "import importlib.metadata as m,json,sys;print(json.dumps({n: m.version(n) for n in sys.argv[1:]}))"
    python = venv / "bin" / "python"
    if not python.exists():
        return {}
    line = [str(python), "-c", script, *PEER_PACKAGES]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


def report(measured: Sequence[Measured], path: Path, venv: Path, on: dict[str, Any]) -> str:
    """Write PATH.json and PATH.png; the tables as text. ``on`` is the machine of the measurements."""
    measured_arms = {one.arm for one in measured if one.contender == OURS}
    arms = tuple(arm for arm in load_study(STUDY).arms if arm in measured_arms)
    if not arms:
        return "paribus itself was not measured yet: there is nothing to compare with"
    epoch, whole = rows(measured, "epoch"), rows(measured, "whole")
    single = {c.name for c in CONTENDERS if c.processes == 1}
    alone = rows([one for one in measured if one.contender in single], "epoch")
    result = {
        "machine": on,
        "peers": versions(venv),
        "epoch": [asdict(row) for row in epoch],
        "epoch_in_one_process": [asdict(row) for row in alone],
        "whole": [asdict(row) for row in whole],
    }
    path.with_suffix(".json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    draw(epoch, arms, path.with_suffix(".png"))
    ours = next(row for row in epoch if row.peer == OURS)
    seconds = ", ".join(f"{arm} {ours.seconds[arm].median:.3f}" for arm in arms)
    return "\n\n".join(
        [
            machine.sentence(on),
            f"Seconds an epoch that paribus takes, of the whole machine: {seconds}",
            "Training, times paribus: median (smallest–largest) of the rounds; each peer in its fastest setting",
            table(epoch, arms, of_floor(path.with_name("floor.json"))),
            "The same, peers in one process on all cores, as they are called in a notebook",
            table(alone, arms),
            "Two runs from process start to final metrics, times paribus",
            table(whole, arms),
        ]
    )


def draw(rows: Sequence[Row], arms: Sequence[str], path: Path) -> None:
    """Bars of the ratios, an arm beside the other; paribus is the line at 1."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    others = [row for row in rows if row.peer != OURS]
    figure, axes = plt.subplots(figsize=(9, 4.2), layout="constrained")
    width = 0.8 / max(1, len(others))
    for number, row in enumerate(others):
        places = [i for i, arm in enumerate(arms) if arm in row.by_arm]
        spreads = [row.by_arm[arms[i]] for i in places]
        errors = [[s.median - s.low for s in spreads], [s.high - s.median for s in spreads]]
        at = [i + (number - (len(others) - 1) / 2) * width for i in places]
        axes.bar(at, [s.median for s in spreads], 0.9 * width, yerr=errors, capsize=2, label=row.peer)
    axes.axhline(1, color="black", linewidth=1)
    axes.annotate("paribus", (len(arms) - 0.5, 1), xytext=(4, 0), textcoords="offset points", va="center")
    axes.set_xticks(range(len(arms)), arms)
    axes.set_xlim(-0.5, len(arms) - 0.5)
    axes.set_ylabel("seconds an epoch, times paribus")
    axes.set_title("Training the notebook's five networks on all cores", loc="left")
    axes.legend(frameon=False, fontsize=8, ncols=2)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    plt.close(figure)
