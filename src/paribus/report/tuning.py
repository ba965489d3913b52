"""How arms were tuned, in words and as a table: the candidates, the best of them, the budget."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from paribus.analysis.wording import counted, listed, percent
from paribus.keras_config.names import is_loss_in_nats
from paribus.outcome.choice import Choice, ScoredCandidate
from paribus.outcome.outcome import Outcome
from paribus.report import numbers
from paribus.report.tables import Cell, TextTable
from paribus.study.candidates import format_values

MEASURE = {"val_accuracy": "validation accuracy", "val_loss": "validation loss"}


def tuned_choices(outcome: Outcome) -> dict[str, Choice]:
    """The tuned arms, each with its candidates and choice, as far as they are stored."""
    return {arm.name: arm.tuning for arm in outcome.arms if arm.tuning is not None}


def untuned_arms(outcome: Outcome) -> list[str]:
    """The arms without a grid, where other arms were tuned."""
    return (
        [arm.name for arm in outcome.arms if not outcome.document.arms[arm.name].grid] if tuned_choices(outcome) else []
    )


def describe_tuning(outcome: Outcome) -> str:
    """What holds for all tuned arms, in a sentence or two; empty where none was tuned."""
    choices = list(tuned_choices(outcome).values())
    if not choices:
        return ""
    first = choices[0]
    others = untuned_arms(outcome)
    without = f" {listed(others)} {'was' if len(others) == 1 else 'were'} not tuned." if others else ""
    budget = f"{counted(first.trainings, 'training')} of {counted(first.epochs, 'epoch')} an arm"
    return (
        f"Selected by mean {MEASURE[first.monitor]} on the last {percent(first.validation_split)} of the training "
        f"split, held out: {budget}, on seeds that no run above has. The test split took no part.{without}"
    )


def describe_choice(outcome: Outcome, choice: Choice) -> str:
    """``learning_rate 0.1, the best of 6 candidates with 96.30 %``."""
    if choice.best is None:
        return "nothing could be selected"
    of = counted(len(choice.candidates), "candidate")
    sampled = f" (a sample of {choice.combinations:,})" if choice.combinations > len(choice.candidates) else ""
    on = f", each on {choice.seeds} seeds" if choice.seeds > 1 else ""
    best = _with_unit(outcome, choice, choice.best)
    return f"{format_values(choice.values)}: {best}, the best of {of}{sampled}{on}"


def list_candidates(choice: Choice) -> str:
    """``Tried (learning_rate): 0.01: 83.33; 0.1: 96.30``: every candidate with its mean score."""
    keys = " / ".join(choice.candidates[0].candidate.keys)
    scores = [f"{_short(scored)}: {format_score(choice, scored)}" for scored in choice.candidates]
    return f"Tried ({keys}): {'; '.join(scores)}."


def format_score(choice: Choice, scored: ScoredCandidate) -> str:
    """The mean validation measure of a candidate; with the status of runs that did not finish.

    Args:
        choice: how the arm was tuned.
        scored: one of its candidates.
    """
    endings = list(dict.fromkeys(remark.partition(":")[0] for remark in scored.remarks))
    if scored.mean is None:
        return ", ".join(endings) or "not computed"
    if not math.isfinite(scored.mean):
        return "diverged"
    number = f"{100 * scored.mean:.2f}" if choice.monitor == "val_accuracy" else f"{scored.mean:.4f}"
    return ", ".join([number, *endings])


def candidate_table(outcome: Outcome) -> TextTable | None:
    """A table of every candidate of every tuned arm; None where no arm was tuned."""
    choices = tuned_choices(outcome)
    if not choices:
        return None
    monitor = next(iter(choices.values())).monitor
    unit = ", %" if monitor == "val_accuracy" else numbers.loss_unit(outcome.document)
    head = ("Arm", "Values", "Selected", f"{MEASURE[monitor].capitalize()}{unit}", "Seeds")
    return TextTable(
        describe_tuning(outcome), head, tuple(row for choice in choices.values() for row in _rows(choice)), words=3
    )


def _rows(choice: Choice) -> Iterator[tuple[Cell, ...]]:
    for index, scored in enumerate(choice.candidates):
        mark = "selected" if index == choice.best_index else ""
        yield (
            choice.arm,
            format_values(scored.candidate.by_key),
            mark,
            format_score(choice, scored),
            str(len(scored.scores)),
        )


def describe_tuning_method(outcome: Outcome) -> str:
    """What was done, in the words of a paper; empty where nothing was tuned."""
    choices = tuned_choices(outcome)
    if not choices:
        return ""
    first = next(iter(choices.values()))
    rule = outcome.document.protocol.early_stopping
    when = "after the last epoch" if rule is None else "after the best epoch of early stopping"
    parts = [
        f"{counted(len(choices), 'arm').capitalize()} {'was' if len(choices) == 1 else 'were'} tuned before the runs "
        f"reported here, {'with' if len(choices) == 1 else 'each with'} {counted(first.trainings, 'training')} of "
        f"{counted(first.epochs, 'epoch')}: the last {percent(first.validation_split)} of the training split were held "
        f"out, and the values with the best mean {MEASURE[first.monitor]} {when} were selected (the first listed, of "
        "equals).",
        *(
            f"{name}: {describe_choice(outcome, choice)}, from {_grid(outcome, name)}."
            for name, choice in choices.items()
        ),
        "The test split took no part in the selection. The runs reported here have the selected values and other seeds "
        "than the candidates, and follow the protocol above.",
    ]
    others = untuned_arms(outcome)
    if others:
        parts.append(
            f"{listed(others)} {'was' if len(others) == 1 else 'were'} not tuned: differences to tuned arms may come "
            "from the tuning alone."
        )
    return " ".join(parts)


def tuning_fields(outcome: Outcome, choice: Choice | None) -> dict[str, Any] | None:
    """How an arm was tuned, as plain values of the JSON; None for an arm that was not tuned.

    Args:
        outcome: the outcome.
        choice: how the arm was tuned.
    """
    if choice is None:
        return None
    return {
        "monitor": choice.monitor,
        "validation_split": choice.validation_split,
        "epochs": choice.epochs,
        "budget": choice.trainings,
        "combinations": choice.combinations,
        "seeds": [seeds.seed for seeds in choice.candidates[0].candidate.seeds],
        "grid": {key: list(values) for key, values in (outcome.document.arms[choice.arm].grid or {}).items()},
        "chosen": choice.values or None,
        "tried": [
            {
                "values": scored.candidate.by_key,
                "mean": _finite(scored.mean),
                "scores": [_finite(value) for value in scored.scores],
                "remarks": list(scored.remarks),
                "chosen": index == choice.best_index,
            }
            for index, scored in enumerate(choice.candidates)
        ],
    }


def _short(scored: ScoredCandidate) -> str:
    """The values without their keys."""
    return " / ".join(format_values(value) for value in scored.candidate.by_key.values())


def _grid(outcome: Outcome, arm: str) -> str:
    grid: Mapping[str, Any] = outcome.document.arms[arm].grid or {}
    return listed([f"{key} {{{', '.join(format_values(value) for value in values)}}}" for key, values in grid.items()])


def _with_unit(outcome: Outcome, choice: Choice, scored: ScoredCandidate) -> str:
    text = format_score(choice, scored)
    if not text[-1].isdigit():
        return text
    in_nats = is_loss_in_nats(outcome.document.protocol.loss)
    unit = "%" if choice.monitor == "val_accuracy" else "nats" if in_nats else ""
    return f"{text} {unit}".rstrip()


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else value
