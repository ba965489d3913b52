"""Who is measured, in which setting, and on which arms; and what a measurement's lines of JSON amount to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

STUDY = "mnist-mlps"

SEEDS = 2
"""Every contender trains two seeds of an arm: paribus both at once, a peer one after the other or both at once."""

FULL_EPOCHS = 10


@dataclass(frozen=True, slots=True)
class Contender:
    """One tool in one setting. ``processes`` is how many single-threaded processes run at once; 1 uses all cores."""

    name: str
    peer: str
    script: str
    environment: dict[str, str] = field(default_factory=dict)
    variant: str = ""
    processes: int = 1
    arms: tuple[str, ...] | None = None

    def expresses(self, arm: str) -> bool:
        """Whether the tool can train this arm."""
        return self.arms is None or arm in self.arms


def keras(name: str, backend: str, **others: Any) -> Contender:
    """Keras ``fit`` on a backend."""
    return Contender(name, f"Keras fit, {backend}", "keras_fit.py", {"KERAS_BACKEND": backend}, **others)


TORCH = ("PyTorch loop", "torch_loop.py")
SKLEARN = ("scikit-learn MLPClassifier", "sklearn_mlp.py")
EXPRESSED_BY_SKLEARN = ("simple", "wide")
"""It has no dropout, and one activation for all hidden layers (``big`` ends in a sigmoid)."""

CONTENDERS = (
    Contender("paribus", "paribus", "paribus_study.py"),
    Contender("paribus-bf16", "paribus, bf16", "paribus_study.py", variant="bf16"),
    keras("keras-jax", "jax"),
    keras("keras-jax-x2", "jax", processes=2),
    keras("keras-tensorflow", "tensorflow", variant="nojit"),
    keras("keras-tensorflow-jit", "tensorflow", variant="jit"),
    keras("keras-tensorflow-x2", "tensorflow", variant="nojit", processes=2),
    keras("keras-torch", "torch"),
    keras("keras-torch-x2", "torch", processes=2),
    Contender("torch-loop", *TORCH),
    Contender("torch-loop-x2", *TORCH, processes=2),
    Contender("torch-loop-compile", *TORCH, variant="compile"),
    Contender("sklearn", *SKLEARN, arms=EXPRESSED_BY_SKLEARN),
    Contender("sklearn-x2", *SKLEARN, processes=2, arms=EXPRESSED_BY_SKLEARN),
    Contender("ictonyx", "ictonyx, tensorflow", "ictonyx_study.py", {"KERAS_BACKEND": "tensorflow"}),
)


@dataclass(frozen=True, slots=True)
class Cost:
    """``epoch``: seconds of the whole machine for one epoch of one run, after compilation. ``whole``: seconds from

    the start of the process to the final metrics of ``SEEDS`` runs of ``FULL_EPOCHS`` epochs; the epochs that were
    not trained are added at the seconds of those that were timed.
    """

    epoch: float
    whole: float


def cost_of_peer(lines: Sequence[dict[str, Any]], wall: float) -> Cost:
    """From one line a process; the first epoch compiles and is not timed."""
    timed = [line["epochs"][1:] for line in lines]
    left = FULL_EPOCHS - len(lines[0]["epochs"])
    each = fmean(fmean(epochs) for epochs in timed)
    if len(lines) > 1:  # both seeds at once
        return Cost(each / len(lines), wall + left * each)
    (line,) = lines
    run = sum(line["epochs"]) + line["beside"] + left * each
    return Cost(each, line["ready"] + SEEDS * run)


def cost_of_paribus(line: dict[str, Any], wall: float) -> Cost:
    """From the ends of the epochs of runs that went on at the same time."""
    ends = line["epoch_ends"]
    each = fmean((of_run[-1] - of_run[0]) / (len(of_run) - 1) for of_run in ends)
    return Cost(each / len(ends), wall + (FULL_EPOCHS - len(ends[0])) * each)


def processor_seconds(lines: Sequence[dict[str, Any]]) -> float | None:
    """Processor seconds of one epoch of one run, after the first; None where they were not read.

    On a machine that others use they say more than the clock does. They do not count the time that cores stand idle
    beside a peer that keeps only some of them busy.
    """
    ends = [of_run for line in lines for of_run in line.get("processor_ends", []) if len(of_run) > 1]
    if not ends:
        return None
    own = len(lines) == len(ends)  # a process of its own for each run, which counts itself alone
    each = fmean((of_run[-1] - of_run[0]) / (len(of_run) - 1) for of_run in ends)
    return each if own else each / len(ends)
