"""The zoo's ratios as a picture: a row for each network, a mark for each contender."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.arithmetic import Spread, geometric_mean

MARKS = {
    "keras-tensorflow": ("Keras on TensorFlow", "#D55E00", "o"),
    "keras-jax": ("Keras on JAX", "#0072B2", "s"),
    "keras-torch": ("Keras on PyTorch", "#009E73", "D"),
    "keras-tensorflow-x2": ("Keras on TensorFlow, two pinned", "#D55E00", "P"),
    "keras-torch-x2": ("Keras on PyTorch, two pinned", "#009E73", "X"),
}
TICKS = (0.5, 1, 2, 5, 10, 20)


def draw(rows: Mapping[str, Mapping[str, Spread]], machine: Mapping[str, Any], path: Path) -> None:
    """Draw how many times as long each contender takes as paribus, on a logarithmic scale.

    Args:
        rows: the ratios, by network and contender (see ``report.compared``).
        machine: what it was measured on, as ``machine.describe`` says it.
        path: the PNG file.
    """
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot as plt

    networks = sorted(rows, key=lambda network: min(spread.median for spread in rows[network].values()))
    figure, axes = plt.subplots(figsize=(9, 0.9 + 0.36 * (len(networks) + 1)), layout="constrained")
    for name, (label, color, marker) in MARKS.items():
        at = [i for i, network in enumerate(networks) if name in rows[network]]
        if not at:
            continue
        spreads = [rows[networks[i]][name] for i in at]
        axes.hlines(at, [s.low for s in spreads], [s.high for s in spreads], color=color, linewidth=1.5, alpha=0.5)
        mean = geometric_mean([spread.median for spread in spreads])
        axes.scatter([s.median for s in spreads], at, color=color, marker=marker, s=36, zorder=3, label=label)
        axes.scatter([mean], [len(networks)], color=color, marker=marker, s=36, zorder=3)
        axes.annotate(f"{mean:.2f}", (mean, len(networks)), (0, 6), textcoords="offset points", ha="center", fontsize=8)
    axes.axvline(1, color="black", linewidth=1)
    axes.axhline(len(networks) - 0.5, color="0.8", linewidth=0.8)
    axes.set_yticks(range(len(networks) + 1), [*networks, "geometric mean"])
    axes.set_ylim(-0.6, len(networks) + 0.8)
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in TICKS if low <= tick <= high], minor=False)
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xlabel(
        "times as long as paribus, an epoch of one run on the whole machine (right of 1: paribus is faster)"
    )
    title = "{cores} cores of {cpu} ({family_model_stepping}), {date}".format(**machine)
    axes.set_title(f"{len(networks)} networks; {title}", loc="left", fontsize=10)
    axes.grid(axis="x", color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)
    plt.close(figure)
