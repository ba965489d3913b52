"""How a study's data is divided, in words."""

from __future__ import annotations

from paribus.analysis import Comparison
from paribus.analysis.wording import counted
from paribus.outcome.outcome import Outcome
from paribus.records import Folds, Seeds


def describe_split(outcome: Outcome) -> str:
    """``60,000 training and 10,000 test examples``, or ``1,797 examples in 5 folds, repeated 2 times``."""
    data, divided = outcome.data, outcome.document.data.divided
    if divided is None:
        return f"{data.train:,} training and {data.test:,} test examples"
    repeated = f", repeated {counted(divided.repeats, 'time')}" if divided.repeats > 1 else ""
    grouped = f", groups by {divided.group!r} whole" if divided.group is not None else ""
    return f"{data.train + data.test:,} examples in {counted(divided.count, 'fold')}{repeated}{grouped}"


def name_run_kind(outcome: Outcome) -> str:
    """What the runs of an arm differ in: ``seed``; ``fold`` in a cross-validation with one run a fold, else ``run``."""
    divided = _folds(outcome)
    if divided is None:
        return "seed"
    return "fold" if all(len(arm.runs) + len(arm.missing) <= divided.count for arm in outcome.arms) else "run"


def name_compared_kind(comparison: Comparison) -> str:
    """The same of the runs that were compared."""
    if comparison.folded is None:
        return "seed"
    return "fold" if comparison.folded.repeats == comparison.folded.seeds == 1 else "run"


def name_place(outcome: Outcome, seeds: Seeds) -> str:
    """A run within its arm: ``3``, or over folds ``fold 4``, with repetition and seed where several."""
    divided = _folds(outcome)
    if seeds.seed is None:
        return f"{seeds.init}/{seeds.order}/{seeds.dropout}"
    if divided is None:
        return str(seeds.seed)
    place = divided.of_seed(seeds.seed)
    assert place.fold is not None, "a seed says its fold"
    assert place.repeat is not None, "a seed says its repetition"
    parts = [f"fold {place.fold}"]
    parts += [f"repetition {place.repeat}"] * (divided.repeats > 1)
    parts += [f"seed {seeds.seed // divided.runs}"] * (outcome.design.seeds > 1)
    return ", ".join(parts)


def describe_runs(outcome: Outcome) -> str:
    """``3 arms × 5 seeds``, ``2 arms × 5 folds × 2 repetitions``: what was run of every arm."""
    arms, divided = counted(len(outcome.arms), "arm"), _folds(outcome)
    if divided is not None:
        parts = [arms, counted(divided.count, "fold")]
        parts += [counted(divided.repeats, "repetition")] * (divided.repeats > 1)
        parts += [counted(outcome.design.seeds, "seed")] * (outcome.design.seeds > 1)
        return " × ".join(parts)
    numbers = sorted({len(arm.scored) for arm in outcome.arms}) or [0]
    seeds = counted(numbers[0], "seed") if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]} seeds"
    request = outcome.predictions_request
    if request is not None and request.folds is not None:
        passes = f"{numbers[0]} passes" if numbers[0] != 1 else "1 pass"
        return f"{arms} × {passes} over {counted(request.folds, 'fold')}"
    return f"{arms} × {seeds}"


def _folds(outcome: Outcome) -> Folds | None:
    return None if outcome.predictions_request is not None else outcome.document.data.divided
