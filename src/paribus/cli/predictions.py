"""The answers of ``paribus predict`` as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from paribus.predict.arms import ArmPredictions
from paribus.predict.inputs import Input, Inputs


def predictions_fields(
    study: str, names: Sequence[str], inputs: Inputs, answers: Sequence[ArmPredictions]
) -> dict[str, Any]:
    """The fields of the JSON of ``paribus predict``.

    Probabilities are fractions of 1; ``mean``, ``low``, ``high`` and ``sd`` (null for one seed) are over seeds.

    Args:
        study: the name of the study.
        names: the names of the classes, by index.
        inputs: the examples.
        answers: the predictions of each arm.
    """
    return {
        "study": study,
        "classes": list(names),
        "images": [
            {
                "file": image.file,
                "index": image.index,
                "prepared": list(image.prepared),
                "arms": [_arm_fields(arm_answers, at, names) for arm_answers in answers],
            }
            for at, image in enumerate(inputs.inputs)
        ],
    }


def render_predictions(
    study: str, names: Sequence[str], inputs: Inputs, answers: Sequence[ArmPredictions]
) -> RenderableType:
    """A table for each example, with a row an arm: its answer, the probability, and the agreement of its seeds.

    Args:
        study: the name of the study.
        names: the names of the classes, by index.
        inputs: the examples.
        answers: the predictions of each arm.
    """
    parts: list[RenderableType] = []
    for at, image in enumerate(inputs.inputs):
        parts.append(_render_title(study, image))
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for column in ("arm", "answer", "probability", "over the seeds", "seeds that say so", "next"):
            table.add_column(column, justify="right" if column == "probability" else "left")
        for arm_answers in answers:
            table.add_row(*(Text(cell) for cell in _format_cells(arm_answers, at, names)))
        parts += [table, Text()]
    return Group(*parts[:-1])


def _arm_fields(answers: ArmPredictions, at: int, names: Sequence[str]) -> dict[str, Any]:
    probabilities, predicted = answers.probabilities[:, at], answers.predicted[:, at]
    mean = answers.mean[at]
    best = int(mean.argmax())
    spread = probabilities.std(axis=0, ddof=1, dtype=np.float64) if len(probabilities) > 1 else None
    return {
        "arm": answers.arm,
        "class": best,
        "name": names[best],
        "probability": float(mean[best]),
        "seeds_that_say_so": int(np.sum(predicted == best)),
        "probabilities": [
            {
                "class": index,
                "name": name,
                "mean": float(mean[index]),
                "low": float(probabilities[:, index].min()),
                "high": float(probabilities[:, index].max()),
                "sd": None if spread is None else float(spread[index]),
            }
            for index, name in enumerate(names)
        ],
        "seeds": [
            {
                "seed": seed,
                **({} if (place := answers.folds[i]) is None else {"repeat": place.repeat, "fold": place.fold}),
                "class": int(predicted[i]),
                "probabilities": [float(value) for value in probabilities[i]],
            }
            for i, seed in enumerate(answers.seeds)
        ],
    }


def _format_cells(answers: ArmPredictions, at: int, names: Sequence[str]) -> tuple[str, ...]:
    probabilities, mean = answers.probabilities[:, at], answers.mean[at]
    best, second = (int(index) for index in np.argsort(-mean, kind="stable")[:2])
    low, high = float(probabilities[:, best].min()), float(probabilities[:, best].max())
    agree = int(np.sum(answers.predicted[:, at] == best))
    return (
        answers.arm,
        names[best],
        _format_percent(float(mean[best])),
        f"{_format_percent(low)} to {_format_percent(high)}" if len(probabilities) > 1 else "one seed",
        f"{agree} of {len(probabilities)}",
        f"{names[second]} {_format_percent(float(mean[second]))}",
    )


def _render_title(study: str, image: Input) -> Text:
    place = image.file if image.index is None else f"{image.file}[{image.index}]"
    preparation = "; ".join(image.prepared) or "taken as it is"
    return Text.assemble((place, "bold"), f" as {study} sees it: {preparation}")


def _format_percent(share: float) -> str:
    return f"{100 * share:.1f} %"
