"""What each arm may spend on tuning, and the candidates that it is spent on.

Every tuned arm gets the same number of trainings, under the same protocol. An arm with fewer combinations trains each
of them on more seeds; one with more than the budget allows tries a sample of them, which is the same every time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paribus.records import Seeds
from paribus.seeds import drawn
from paribus.study.document import MAX_SEED, Arm, ComparisonSettings, StudyDocument, Tuning
from paribus.study.grid import with_arguments

SUFFIX = ".tuning"
"""What is added to a study's name, to keep its candidates under."""

VALIDATION_SPLIT = 0.1


@dataclass(frozen=True, slots=True)
class Share:
    """What an arm does with its budget: ``tried`` of its ``combinations``, each on ``seeds`` seeds."""

    combinations: int
    tried: int
    seeds: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One combination of an arm's grid.

    Attributes:
        arm: the arm.
        number: its place among the arm's candidates, from 1.
        values: a value for every key of the grid.
        seeds: the seeds that it is trained with; no study's own runs have them.
    """

    arm: str
    number: int
    values: tuple[tuple[str, Any], ...]
    seeds: tuple[Seeds, ...]

    @property
    def name(self) -> str:
        """What it is called among the study's candidates: ``big.3``."""
        return f"{self.arm}.{self.number}"

    @property
    def by_key(self) -> dict[str, Any]:
        """The values by the keys of the grid."""
        return dict(self.values)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the grid."""
        return tuple(key for key, _ in self.values)


def share_of(combinations: int, budget: int, seeds: int) -> Share:
    """Divide a budget of trainings among so many combinations, at least ``seeds`` seeds each."""
    tried = min(combinations, max(1, budget // seeds))
    return Share(combinations, tried, budget // tried)


def candidates(document: StudyDocument) -> dict[str, tuple[Candidate, ...]]:
    """The candidates of every tuned arm, in the order of its grid: the last key varies fastest."""
    return {name: tuple(_candidates(name, arm, document)) for name, arm in document.arms.items() if arm.grid}


def _candidates(name: str, arm: Arm, document: StudyDocument) -> list[Candidate]:
    assert arm.grid is not None
    assert document.tuning.budget is not None, "StudyDocument fills it in"
    grid = arm.grid
    share = share_of(combinations(grid), document.tuning.budget, document.tuning.seeds)
    # Those seeds lie beyond all that a study can ask for: the runs that are judged are fresh.
    seeds = tuple(Seeds.of(MAX_SEED + index) for index in range(share.seeds))
    chosen = drawn(share.combinations, share.tried)
    return [Candidate(name, number, _values(grid, index), seeds) for number, index in enumerate(chosen, 1)]


def combinations(grid: dict[str, tuple[Any, ...]]) -> int:
    """How many combinations a grid has."""
    return math.prod(len(values) for values in grid.values())


def _values(grid: dict[str, tuple[Any, ...]], index: int) -> tuple[tuple[str, Any], ...]:
    """The combination of that number, as ``itertools.product`` counts."""
    picked = []
    for key, values in reversed(grid.items()):
        index, place = divmod(index, len(values))
        picked.append((key, values[place]))
    return tuple(reversed(picked))


def validation_split(document: StudyDocument) -> float:
    """The share of the training split that candidates are judged on."""
    return document.tuning.validation_split or document.protocol.validation_split or VALIDATION_SPLIT


def trial_study(document: StudyDocument) -> StudyDocument:
    """The study of a study's candidates: an arm for each, trained with a validation split."""
    arms = {
        candidate.name: with_values(document.arms[name], candidate)
        for name, found in candidates(document).items()
        for candidate in found
    }
    protocol = {
        "epochs": document.tuning.epochs or document.protocol.epochs,
        "validation_split": validation_split(document),
    }
    return document.model_copy(
        update={
            "name": document.name + SUFFIX,
            "question": f"Which values do the arms of {document.name} get?",
            "protocol": document.protocol.model_copy(update=protocol),
            "comparison": ComparisonSettings(),
            "tuning": Tuning(),
            "arms": arms,
            "contrasts": (),
        }
    )


def spelled(values: Any) -> str:
    """A value as a study file writes it; several by their keys: ``learning_rate 0.1, dropout 0.2``."""
    if isinstance(values, Mapping):
        return ", ".join(f"{key} {spelled(value)}" for key, value in values.items())
    return str(values).lower() if isinstance(values, bool) else str(values)


def with_values(arm: Arm, candidate: Candidate) -> Arm:
    """The arm with a candidate's values, and without a place in a design."""
    return with_arguments(arm, candidate.by_key).model_copy(update={"levels": {}})


def is_trial(seeds: Seeds) -> bool:
    """Whether a run with these seeds belongs to a candidate."""
    return seeds.init >= MAX_SEED
