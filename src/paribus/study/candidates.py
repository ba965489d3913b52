"""The candidates of each tuned arm, and the budget of trainings that they share.

Every tuned arm gets the same number of trainings, under the same protocol. An arm with fewer combinations trains each
of them on more seeds; one with more than the budget allows tries a sample of them, which is the same every time
(``docs/decisions/0037-equal-budgets.md``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from paribus.records import Seeds
from paribus.seeds import draw_sample
from paribus.study.document import MAX_SEED, Arm, ComparisonSettings, StudyDocument, Tuning
from paribus.study.grid import with_arguments

SUFFIX = ".tuning"
"""Ends the name of the study of candidates: the candidates of ``digits`` are the arms of ``digits.tuning``."""

VALIDATION_SPLIT = 0.1
"""The share of the training split that candidates are judged on where neither tuning nor protocol has one."""


@dataclass(frozen=True, slots=True)
class ArmBudget:
    """How an arm spends its budget: ``candidates`` of its ``combinations``, each trained with ``seed_count`` seeds."""

    combinations: int
    candidates: int
    seed_count: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One combination of an arm's grid.

    Attributes:
        arm: the arm.
        number: its place among the arm's candidates, from 1.
        values: a value for every key of the grid.
        seeds: the seeds that it is trained with; the study's own runs never have them.
    """

    arm: str
    number: int
    values: tuple[tuple[str, Any], ...]
    seeds: tuple[Seeds, ...]

    @property
    def name(self) -> str:
        """Its name as an arm of the study of candidates: ``big.3``."""
        return f"{self.arm}.{self.number}"

    @property
    def by_key(self) -> dict[str, Any]:
        """The values by the keys of the grid."""
        return dict(self.values)

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of the grid."""
        return tuple(key for key, _ in self.values)


def divide_budget(combinations: int, budget: int, least_seeds: int) -> ArmBudget:
    """Divide a budget of trainings among an arm's combinations, so that each candidate gets ``least_seeds`` or more.

    Args:
        combinations: how many the arm's grid has.
        budget: the number of trainings an arm.
        least_seeds: the smallest number of seeds a candidate.
    """
    candidates = min(combinations, max(1, budget // least_seeds))
    return ArmBudget(combinations, candidates, budget // candidates)


def list_candidates(document: StudyDocument) -> dict[str, tuple[Candidate, ...]]:
    """The candidates of every tuned arm by the arm's name, in the order of its grid: the last key varies fastest.

    Args:
        document: the study, whose budget is filled in.
    """
    return {
        name: tuple(_list_candidates_of_arm(name, arm, document)) for name, arm in document.arms.items() if arm.grid
    }


def _list_candidates_of_arm(arm_name: str, arm: Arm, document: StudyDocument) -> list[Candidate]:
    assert arm.grid is not None
    assert document.tuning.budget is not None, "StudyDocument fills it in"
    grid = arm.grid
    budget = divide_budget(count_combinations(grid), document.tuning.budget, document.tuning.seeds)
    # No study can ask for these seeds, so that the runs that are judged are fresh (decision 0038).
    seeds = tuple(Seeds.of(MAX_SEED + index) for index in range(budget.seed_count))
    indices = draw_sample(budget.combinations, budget.candidates)
    return [Candidate(arm_name, number, _combination_at(grid, index), seeds) for number, index in enumerate(indices, 1)]


def count_combinations(grid: dict[str, tuple[Any, ...]]) -> int:
    """How many combinations a grid has."""
    return math.prod(len(values) for values in grid.values())


def _combination_at(grid: dict[str, tuple[Any, ...]], index: int) -> tuple[tuple[str, Any], ...]:
    """The combination with this index in the order of ``itertools.product``."""
    combination = []
    for key, values in reversed(grid.items()):
        index, place = divmod(index, len(values))
        combination.append((key, values[place]))
    return tuple(reversed(combination))


def choose_validation_split(document: StudyDocument) -> float:
    """The share of the training split that candidates are judged on."""
    return document.tuning.validation_split or document.protocol.validation_split or VALIDATION_SPLIT


def candidate_study(document: StudyDocument) -> StudyDocument:
    """The study whose arms are the candidates of a study, trained with a validation split.

    Args:
        document: a study with at least one tuned arm.
    """
    arms = {
        candidate.name: with_values(document.arms[name], candidate)
        for name, candidates in list_candidates(document).items()
        for candidate in candidates
    }
    split = choose_validation_split(document)
    trained = document.model_copy(update={"arms": arms}).with_epochs(document.tuning.epochs or document.protocol.epochs)
    return trained.model_copy(
        update={
            "name": document.name + SUFFIX,
            "question": f"Which values do the arms of {document.name} get?",
            "protocol": trained.protocol.model_copy(update={"validation_split": split}),
            "comparison": ComparisonSettings(),
            "tuning": Tuning(),
            "contrasts": (),
        }
    )


def format_values(values: Any) -> str:
    """A value in the notation of a study file; a mapping with its keys: ``learning_rate 0.1, dropout 0.2``."""
    if isinstance(values, Mapping):
        return ", ".join(f"{key} {format_values(value)}" for key, value in values.items())
    return str(values).lower() if isinstance(values, bool) else str(values)


def with_values(arm: Arm, candidate: Candidate) -> Arm:
    """The arm with a candidate's values, and without levels of a factorial design."""
    return with_arguments(arm, candidate.by_key).model_copy(update={"levels": {}})
