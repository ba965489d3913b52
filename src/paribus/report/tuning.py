"""How arms were tuned, in words and as a table: what was tried, what was chosen, with which budget."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from paribus.analysis.wording import counted, listed, percent
from paribus.outcome.choice import Choice, Tried
from paribus.outcome.outcome import Outcome
from paribus.report.tables import Cell, TextTable
from paribus.study.candidates import spelled

MEASURE = {"val_accuracy": "validation accuracy", "val_loss": "validation loss"}
UNIT = {"val_accuracy": "%", "val_loss": "nats"}


def tuned_choices(outcome: Outcome) -> dict[str, Choice]:
    """How each tuned arm was tuned, as far as it is stored."""
    return {arm.name: arm.tuning for arm in outcome.arms if arm.tuning is not None}


def untuned_arms(outcome: Outcome) -> list[str]:
    """The arms that stay as they are written, where others were tuned."""
    return (
        [arm.name for arm in outcome.arms if not outcome.document.arms[arm.name].grid] if tuned_choices(outcome) else []
    )


def describe_tuning(outcome: Outcome) -> str:
    """What holds for all arms that were tuned; empty where none was."""
    found = list(tuned_choices(outcome).values())
    if not found:
        return ""
    first = found[0]
    others = untuned_arms(outcome)
    kept = f" {listed(others)} {'was' if len(others) == 1 else 'were'} not tuned." if others else ""
    budget = f"{counted(first.trainings, 'training')} of {counted(first.epochs, 'epoch')} an arm"
    return (
        f"Chosen by mean {MEASURE[first.monitor]} on the last {percent(first.validation_split)} of the training split, "
        f"held out: {budget}, on seeds that no run above has. The test split took no part.{kept}"
    )


def describe_choice(choice: Choice) -> str:
    """``learning_rate 0.1, the best of 6 candidates with 96.30 %``."""
    if choice.best is None:
        return "nothing could be chosen"
    of = counted(len(choice.tried), "candidate")
    sampled = f" (a sample of {choice.combinations:,})" if choice.combinations > len(choice.tried) else ""
    on = f", each on {choice.seeds} seeds" if choice.seeds > 1 else ""
    return f"{spelled(choice.values)}: {_with_unit(choice, choice.best)}, the best of {of}{sampled}{on}"


def list_candidates(choice: Choice) -> str:
    """``Tried (learning_rate): 0.01: 83.33; 0.1: 96.30``: every candidate with what it scored."""
    keys = " / ".join(choice.tried[0].candidate.keys)
    scores = [f"{_short(tried)}: {format_score(choice, tried)}" for tried in choice.tried]
    return f"Tried ({keys}): {'; '.join(scores)}."


def format_score(choice: Choice, tried: Tried) -> str:
    """The mean measure of a candidate; with a word where a run ended badly."""
    words = list(dict.fromkeys(remark.partition(":")[0] for remark in tried.remarks))
    if tried.mean is None:
        return ", ".join(words) or "not computed"
    if not math.isfinite(tried.mean):
        return "diverged"
    number = f"{100 * tried.mean:.2f}" if choice.monitor == "val_accuracy" else f"{tried.mean:.4f}"
    return ", ".join([number, *words])


def candidate_table(outcome: Outcome) -> TextTable | None:
    """Every candidate of every tuned arm."""
    found = tuned_choices(outcome)
    if not found:
        return None
    monitor = next(iter(found.values())).monitor
    head = ("Arm", "Values", "Chosen", f"{MEASURE[monitor].capitalize()}, {UNIT[monitor]}", "Seeds")
    return TextTable(
        describe_tuning(outcome), head, tuple(row for choice in found.values() for row in _rows(choice)), words=3
    )


def _rows(choice: Choice) -> Iterator[tuple[Cell, ...]]:
    for place, tried in enumerate(choice.tried):
        mark = "chosen" if place == choice.chosen else ""
        yield (choice.arm, spelled(tried.candidate.by_key), mark, format_score(choice, tried), str(len(tried.scores)))


def describe_tuning_method(outcome: Outcome) -> str:
    """What was done, in the words of a paper; empty where nothing was tuned."""
    found = tuned_choices(outcome)
    if not found:
        return ""
    first = next(iter(found.values()))
    rule = outcome.document.protocol.early_stopping
    when = "after the last epoch" if rule is None else "after the epoch that early stopping kept"
    parts = [
        f"{counted(len(found), 'arm').capitalize()} {'was' if len(found) == 1 else 'were'} tuned before the runs "
        f"reported here, {'with' if len(found) == 1 else 'each with'} {counted(first.trainings, 'training')} of "
        f"{counted(first.epochs, 'epoch')}: the last {percent(first.validation_split)} of the training split were held "
        f"out, and the values with the best mean {MEASURE[first.monitor]} {when} were chosen (the first listed, of "
        "equals).",
        *(f"{name}: {describe_choice(choice)}, from {_grid(outcome, name)}." for name, choice in found.items()),
        "The test split took no part in the choice. The runs reported here have the chosen values and other seeds than "
        "the candidates, and follow the protocol above.",
    ]
    others = untuned_arms(outcome)
    if others:
        parts.append(
            f"{listed(others)} {'was' if len(others) == 1 else 'were'} not tuned: differences to tuned arms may come "
            "from the tuning alone."
        )
    return " ".join(parts)


def tuning_fields(outcome: Outcome, choice: Choice | None) -> dict[str, Any] | None:
    """How an arm was tuned, as plain values; None for an arm that was not."""
    if choice is None:
        return None
    return {
        "monitor": choice.monitor,
        "validation_split": choice.validation_split,
        "epochs": choice.epochs,
        "budget": choice.trainings,
        "combinations": choice.combinations,
        "seeds": [seeds.seed for seeds in choice.tried[0].candidate.seeds],
        "grid": {key: list(values) for key, values in (outcome.document.arms[choice.arm].grid or {}).items()},
        "chosen": choice.values or None,
        "tried": [
            {
                "values": tried.candidate.by_key,
                "mean": _finite(tried.mean),
                "scores": [_finite(value) for value in tried.scores],
                "remarks": list(tried.remarks),
                "chosen": place == choice.chosen,
            }
            for place, tried in enumerate(choice.tried)
        ],
    }


def _short(tried: Tried) -> str:
    """The values without their keys."""
    return " / ".join(spelled(value) for value in tried.candidate.by_key.values())


def _grid(outcome: Outcome, arm: str) -> str:
    grid: Mapping[str, Any] = outcome.document.arms[arm].grid or {}
    return listed([f"{key} {{{', '.join(spelled(value) for value in values)}}}" for key, values in grid.items()])


def _with_unit(choice: Choice, tried: Tried) -> str:
    text = format_score(choice, tried)
    return f"{text} {UNIT[choice.monitor]}" if text[-1].isdigit() else text


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
