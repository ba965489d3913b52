"""Selecting stored runs of a study for export and prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from paribus.errors import UnknownNameError, UsageError
from paribus.records import Folds, RunResult, Seeds, Status
from paribus.results.stored_study import StoredResults
from paribus.store.base import StoredArm


@dataclass(frozen=True, slots=True, eq=False)
class SelectedRun:
    """One stored run and the arm that it belongs to.

    Attributes:
        arm: the arm.
        run: the run.
        folds: the repetition and the fold that it was tested on; None with a fixed test split.
    """

    arm: StoredArm
    run: RunResult
    folds: Folds | None = None

    @property
    def name(self) -> str:
        """The name of its files: ``big-dropout-seed-0``, or ``big-dropout-repeat-0-fold-2-seed-7``."""
        return f"{self.arm.name}-{self.place}"

    @property
    def place(self) -> str:
        """Which of the arm's runs it is: ``seed-0``, or ``repeat-0-fold-2-seed-7``."""
        fold = "" if self.folds is None else f"repeat-{self.folds.repeat}-fold-{self.folds.fold}-"
        return f"{fold}seed-{self.run.seeds.seed}"


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


def select_runs(
    results: StoredResults,
    arms: Sequence[str] = (),
    seeds: Sequence[int] = (),
    *,
    repeat: int | None = None,
    fold: int | None = None,
) -> RunSelection:
    """Select runs by arm, seed, repetition and fold; all that are stored by default.

    Args:
        results: the stored study.
        arms: only these; all by default.
        seeds: only these; all by default.
        repeat: only this repetition of a cross-validation, from 0; all by default.
        fold: only this fold, from 0; all by default.

    Raises:
        UnknownNameError: there is no such arm, or it has no such seed; or no such repetition or fold.
        UsageError: none of them is stored; or the study has no folds.
    """
    divided = _check_place(results, repeat, fold)
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
    places = [
        (arm, place)
        for arm in selected_arms
        for place in arm.runs
        if (not seeds or place.seeds.seed in seeds) and _is_at(place.seeds, divided, repeat, fold)
    ]
    stored = results.store.runs([place.fingerprint for _, place in places])
    selected = tuple(
        SelectedRun(arm, run, _fold_of(run.seeds, divided)) for arm, p in places if (run := p.among(stored)) is not None
    )
    if not selected:
        raise UsageError(
            f"none of these runs of study '{results.document.name}' is stored; compute them first: "
            f"`paribus run {results.document.name}`"
        )
    missing = tuple((arm.name, p.seeds.seed) for arm, p in places if p.fingerprint not in stored)
    return RunSelection(results, selected, missing)


def _check_place(results: StoredResults, repeat: int | None, fold: int | None) -> Folds | None:
    """The folds of a study, if it has any; repetition and fold are checked."""
    divided = results.document.data.divided
    for name, value, count in (
        ("repeat", repeat, None if divided is None else divided.repeats),
        ("fold", fold, None if divided is None else divided.count),
    ):
        if value is None:
            continue
        if count is None:
            raise UsageError(
                f"{name} {value}: study '{results.document.name}' has no folds, but one test split; leave {name} out"
            )
        if not 0 <= value < count:
            raise UnknownNameError(f"{name} {value}: study '{results.document.name}' has {name} 0 to {count - 1}")
    return divided


def _fold_of(seeds: Seeds, divided: Folds | None) -> Folds | None:
    return None if divided is None or seeds.seed is None else divided.of_seed(seeds.seed)


def _is_at(seeds: Seeds, divided: Folds | None, repeat: int | None, fold: int | None) -> bool:
    place = _fold_of(seeds, divided)
    return place is None or (repeat in (None, place.repeat) and fold in (None, place.fold))
