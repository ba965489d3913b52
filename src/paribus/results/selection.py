"""Selecting stored runs of a study for export and prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paribus.errors import UnknownNameError, UsageError
from paribus.records import RunResult, Status
from paribus.results.stored_study import StoredResults
from paribus.store.base import StoredArm


@dataclass(frozen=True, slots=True, eq=False)
class SelectedRun:
    """One stored run and the arm that it belongs to."""

    arm: StoredArm
    run: RunResult

    @property
    def name(self) -> str:
        """The name of its files: ``big-dropout-seed-0``."""
        return f"{self.arm.name}-seed-{self.run.seeds.seed}"


@dataclass(frozen=True, slots=True, eq=False)
class RunSelection:
    """The requested runs, by arm in the study's order, and by seed.

    Attributes:
        results: the study that they belong to.
        runs: those that have ended, with any status.
        missing: arm and seed of those that are not stored.
    """

    results: StoredResults
    runs: tuple[SelectedRun, ...]
    missing: tuple[tuple[str, int | None], ...]

    @property
    def finished(self) -> tuple[SelectedRun, ...]:
        """The finished runs: neither diverged nor failed."""
        return tuple(selected for selected in self.runs if selected.run.status is Status.FINISHED)

    @property
    def networks(self) -> tuple[SelectedRun, ...]:
        """The finished runs that are networks, and no scikit-learn estimators."""
        return tuple(selected for selected in self.finished if not selected.arm.recipe.is_estimator)

    @property
    def estimators(self) -> dict[str, str]:
        """Arms that are scikit-learn estimators, with their classes."""
        return {
            selected.arm.name: selected.arm.recipe.kind for selected in self.runs if selected.arm.recipe.is_estimator
        }

    @property
    def unfinished(self) -> tuple[SelectedRun, ...]:
        """The runs that diverged or failed."""
        return tuple(selected for selected in self.runs if selected.run.status is not Status.FINISHED)


def select_runs(results: StoredResults, arms: Sequence[str] = (), seeds: Sequence[int] = ()) -> RunSelection:
    """Select runs by arm and seed; all that are stored by default.

    Args:
        results: the stored study.
        arms: only these; all by default.
        seeds: only these; all by default.

    Raises:
        UnknownNameError: there is no such arm, or it has no such seed.
        UsageError: none of them is stored.
    """
    by_name = {name: results.arm(name) for name in arms} or {arm.name: arm for arm in results.arms}
    order = [name for name in results.document.arms if name in by_name]
    selected_arms = [by_name[name] for name in order]
    for seed in seeds:
        for arm in selected_arms:
            known = [run.seeds.seed for run in arm.runs]
            if seed not in known:
                raise UnknownNameError(
                    f"arm '{arm.name}' has no seed {seed}; it has {', '.join(map(str, known)) or 'none'}"
                )
    places = [(arm, place) for arm in selected_arms for place in arm.runs if not seeds or place.seeds.seed in seeds]
    stored = results.store.runs([place.fingerprint for _, place in places])
    selected = tuple(SelectedRun(arm, run) for arm, p in places if (run := p.among(stored)) is not None)
    if not selected:
        raise UsageError(
            f"none of these runs of study '{results.document.name}' is stored; compute them first: "
            f"`paribus run {results.document.name}`"
        )
    missing = tuple((arm.name, p.seeds.seed) for arm, p in places if p.fingerprint not in stored)
    return RunSelection(results, selected, missing)
