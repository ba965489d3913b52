"""The answers of ``paribus predict``, as text and as JSON, from the same values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from paribus.predict.arms import ArmPredictions
from paribus.predict.inputs import Input, Inputs


def document(study: str, names: Sequence[str], inputs: Inputs, answers: Sequence[ArmPredictions]) -> dict[str, Any]:
    """Probabilities are fractions of 1; ``mean``, ``low``, ``high`` and ``sd`` (null for one seed) are over seeds."""
    return {
        "study": study,
        "classes": list(names),
        "images": [
            {
                "file": each.file,
                "index": each.index,
                "prepared": list(each.prepared),
                "arms": [_arm(of_arm, at, names) for of_arm in answers],
            }
            for at, each in enumerate(inputs.inputs)
        ],
    }


def renderable(study: str, names: Sequence[str], inputs: Inputs, answers: Sequence[ArmPredictions]) -> RenderableType:
    """A table an example: a row an arm, with its answer, how sure it is, and how far its seeds agree."""
    parts: list[RenderableType] = []
    for at, each in enumerate(inputs.inputs):
        parts.append(_head(study, each))
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
        for column in ("arm", "answer", "probability", "over the seeds", "seeds that say so", "next"):
            table.add_column(column, justify="right" if column == "probability" else "left")
        for of_arm in answers:
            table.add_row(*(Text(cell) for cell in _cells(of_arm, at, names)))
        parts += [table, Text()]
    return Group(*parts[:-1])


def _arm(of_arm: ArmPredictions, at: int, names: Sequence[str]) -> dict[str, Any]:
    given, predicted = of_arm.probabilities[:, at], of_arm.predicted[:, at]
    mean = of_arm.mean[at]
    best = int(mean.argmax())
    spread = given.std(axis=0, ddof=1, dtype=np.float64) if len(given) > 1 else None
    return {
        "arm": of_arm.arm,
        "class": best,
        "name": names[best],
        "probability": float(mean[best]),
        "seeds_that_say_so": int(np.sum(predicted == best)),
        "probabilities": [
            {
                "class": index,
                "name": name,
                "mean": float(mean[index]),
                "low": float(given[:, index].min()),
                "high": float(given[:, index].max()),
                "sd": None if spread is None else float(spread[index]),
            }
            for index, name in enumerate(names)
        ],
        "seeds": [
            {"seed": seed, "class": int(predicted[i]), "probabilities": [float(value) for value in given[i]]}
            for i, seed in enumerate(of_arm.seeds)
        ],
    }


def _cells(of_arm: ArmPredictions, at: int, names: Sequence[str]) -> tuple[str, ...]:
    given, mean = of_arm.probabilities[:, at], of_arm.mean[at]
    best, second = (int(index) for index in np.argsort(-mean, kind="stable")[:2])
    low, high = float(given[:, best].min()), float(given[:, best].max())
    agree = int(np.sum(of_arm.predicted[:, at] == best))
    return (
        of_arm.arm,
        names[best],
        _percent(float(mean[best])),
        f"{_percent(low)} to {_percent(high)}" if len(given) > 1 else "one seed",
        f"{agree} of {len(given)}",
        f"{names[second]} {_percent(float(mean[second]))}",
    )


def _head(study: str, each: Input) -> Text:
    place = each.file if each.index is None else f"{each.file}[{each.index}]"
    said = "; ".join(each.prepared) or "taken as it is"
    return Text.assemble((place, "bold"), f" as {study} sees it: {said}")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
