"""What every store promises, and the values that only stores and their callers know."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Self

from paribus.errors import StoreError
from paribus.records import (
    DataSummary,
    Predictions,
    Recipe,
    RunResult,
    Seeds,
    Status,
    StudyKind,
    canonical_json,
    label_study,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_RANK = {Status.FAILED: 0, Status.DIVERGED: 1, Status.FINISHED: 2}


@dataclass(frozen=True, slots=True)
class StoredRun:
    """The run that an arm has for these seeds. It may not be stored (yet): a study is stored before its runs."""

    seeds: Seeds
    fingerprint: str

    def among(self, runs: Mapping[str, RunResult]) -> RunResult | None:
        """The run, if it is there, with these seeds: one that depends on no seed counts for all seeds of an arm."""
        run = runs.get(self.fingerprint)
        return run if run is None or run.seeds == self.seeds else replace(run, seeds=self.seeds)


@dataclass(frozen=True, slots=True)
class StoredArm:
    """An arm as it was run: its name, its canonical form and its runs, sorted by seeds."""

    name: str
    recipe: Recipe
    runs: tuple[StoredRun, ...]


@dataclass(frozen=True, slots=True)
class StoredStudy:
    """What was run under a name, so that it can be listed and reported after its TOML file has moved.

    A store has at most one study of a name and a kind. Arms are in the order in which they were first saved; the
    document knows the order that its writer chose.

    Attributes:
        name: its name; of candidates and noise runs the name of the study that they belong to.
        document: the study's JSON text, as its writer wrote it.
        arms: what was run, or begun.
        data: its data.
        kind: what its runs are for.
        seeds: how many seeds were asked for, at most so far; None where this is not known (format 2 and older).
        first_seed: the first of those seeds; those below it do not count.
    """

    name: str
    document: str
    arms: tuple[StoredArm, ...]
    data: DataSummary | None = None
    kind: StudyKind = StudyKind.STUDY
    seeds: int | None = None
    first_seed: int = 0

    @property
    def label(self) -> str:
        """What the user sees and types (``records.label_study``)."""
        return label_study(self.name, self.kind)


@dataclass(frozen=True, slots=True)
class Judgement:
    """That a statement was judged: on how many seeds, and with which share of the error.

    A store remembers judgements across names of studies, so that a renamed copy of a study has been looked at too. It
    does not say when: only in which order.

    Attributes:
        anchor: which statement, see ``anchor``: 64 hexadecimal digits.
        metric: what was compared, such as ``test_accuracy``.
        seeds: how many seeds were judged, from the first one on.
        primary: whether the statement was declared as primary at that time.
        share: its share of the error at that time, in (0, 1].
        look: the number of the planned look, from 1; None if none was planned.
    """

    anchor: str
    metric: str
    seeds: int
    primary: bool
    share: float
    look: int | None = None


def anchor(metric: str, terms: Sequence[tuple[str, float]]) -> str:
    """The name of a statement, whatever its study and its arms are called: a sha256, hexadecimal.

    Args:
        metric: what is compared.
        terms: for each arm of the statement the fingerprint of its run at the first seed, and its coefficient: (1, -1)
            for a contrast of two arms, others for an effect. The order does not matter, nor does the sign of the whole:
            b minus a is the question that a minus b is.

    It is the sha256 of the canonical JSON of [metric, fingerprints sorted, their coefficients], where the sign is the
    one that makes the first coefficient positive.
    """
    # Adding 0.0 makes a zero positive.
    ordered = max(sorted((name, sign * value + 0.0) for name, value in terms) for sign in (1.0, -1.0))
    text = canonical_json([metric, [name for name, _ in ordered], [value for _, value in ordered]])
    return hashlib.sha256(text.encode()).hexdigest()


class Store(ABC):
    """The store of ended runs.

    Every store keeps these promises:

    - **Whole or not at all.** When ``record`` returns, the runs with their predictions and weights are stored, as
      safely as the store can keep anything. When it raises, or the process is killed inside it, a later reader finds
      each run whole or nothing of it. The same holds for ``save_recipe``, ``save_study`` and ``record_judgements``.
    - **Nothing finished is lost.** A finished run is never overwritten: recording its fingerprint again changes
      nothing, whatever the second result says. A diverged run gives way to a later diverged or finished one, a failed
      run to any later one; a failure never replaces a run that has scores.
    - **What goes in comes out**: nan, infinities and None stay apart, in scores and in curves; floats keep their bits.
    - **Threads** may share a store; calls are carried out one after the other. A process forked from the owner may
      not use it. Records handed in or out belong to both sides: neither writes into their arrays.

    A fingerprint is 64 lower-case hexadecimal digits; seeds are in [-2**63, 2**63). All methods raise ``StoreError``
    where these rules are broken, where the store was closed, and where its medium fails.
    """

    @abstractmethod
    def record(self, *results: RunResult) -> None:
        """Store ended runs, by the rules above. Several are committed together, which takes hardly longer than one.

        Args:
            *results: runs with their weights and predictions, as far as they have any.
        """

    @abstractmethod
    def runs(self, fingerprints: Sequence[str]) -> dict[str, RunResult]:
        """Stored runs by fingerprint, in the order of the question, without their predictions and weights.

        Args:
            fingerprints: the names of runs; those that are not stored are left out.
        """

    @abstractmethod
    def predictions(self, fingerprint: str) -> Predictions:
        """The answers of a run's network on the test split.

        Args:
            fingerprint: the name of the run.

        Raises:
            StoreDamagedError: they differ from what was written, or are missing.
            StoreError: there is no such run, or it was recorded without predictions.
        """

    @abstractmethod
    def weights(self, fingerprint: str) -> dict[str, NDArray[np.generic]]:
        """The run's final weights by path, sorted by path.

        Args:
            fingerprint: the name of the run.

        Raises:
            StoreDamagedError: they differ from what was written, or are missing.
            StoreError: there is no such run, or it was recorded without weights.
        """

    @abstractmethod
    def recipe(self, key: str) -> Recipe | None:
        """The canonical form that was saved under a key, or None.

        Args:
            key: any text; see ``paribus.study.fingerprint.recipe_key``.
        """

    @abstractmethod
    def save_recipe(self, key: str, recipe: Recipe) -> None:
        """Store a canonical form under a key; a second one under the same key replaces the first.

        Args:
            key: any text.
            recipe: the canonical form.
        """

    @abstractmethod
    def save_study(
        self,
        name: str,
        document: str,
        arms: Sequence[StoredArm],
        data: DataSummary | None = None,
        *,
        kind: StudyKind = StudyKind.STUDY,
        seeds: int | None = None,
        first_seed: int = 0,
    ) -> None:
        """Store what is run under a name and a kind; :func:`extended` says how it joins what was stored before.

        Args:
            name: the name of the study, without the suffix of its kind.
            document: the study's JSON text.
            arms: its arms, with the fingerprint of the run for each of their seeds.
            data: the summary of its data.
            kind: the purpose of the runs.
            seeds: how many seeds are asked for; None where that is not known.
            first_seed: the first of them.

        Raises:
            StoreError: a fingerprint, a seed or a number of seeds is not what a store can hold.
        """

    @abstractmethod
    def rename_study(self, name: str, new_name: str, kind: StudyKind = StudyKind.STUDY) -> None:
        """Store a study under another name, in place of whatever was there; without such a study nothing happens.

        Args:
            name: its name.
            new_name: its new name.
            kind: the purpose of its runs.
        """

    @abstractmethod
    def study(self, name: str, kind: StudyKind = StudyKind.STUDY) -> StoredStudy | None:
        """The stored study of a name and a kind, or None."""

    @abstractmethod
    def studies(self) -> tuple[StoredStudy, ...]:
        """All stored studies, of every kind, sorted by name and kind."""

    @abstractmethod
    def record_judgements(self, judgements: Sequence[Judgement]) -> None:
        """Remember judgements, in this order after those that are stored. One that is stored already adds nothing.

        Args:
            judgements: the statements with their numbers of seeds and shares.

        Raises:
            StoreError: a number, a share or an anchor is not one.
        """

    @abstractmethod
    def judgements(self, anchors: Sequence[str]) -> tuple[Judgement, ...]:
        """The judgements of some statements, in the order in which they were first recorded.

        Args:
            anchors: the names of the statements, see :func:`anchor`.
        """

    @abstractmethod
    def close(self) -> None:
        """Release what the store holds. Closing twice is allowed; any other use after closing raises StoreError."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def labelled_study(store: Store, label: str) -> StoredStudy | None:
    """The stored study with the name that the user sees (``StoredStudy.label``), or None.

    A study comes before an ablation of its name, and both before what another study's candidates are called.

    Args:
        store: the store.
        label: such as ``digits`` or ``digits.tuning``.
    """
    plain = (store.study(label, kind) for kind in (StudyKind.STUDY, StudyKind.ABLATION))
    parts = (
        store.study(label.removesuffix(f".{kind}"), kind)
        for kind in (StudyKind.TUNING, StudyKind.NOISE)
        if label.endswith(f".{kind}")
    )
    return next((study for study in (*plain, *parts) if study is not None), None)


def extended(old: StoredStudy | None, new: StoredStudy) -> StoredStudy:
    """Join what was stored under a study's name with what is now run under it.

    The same data: the study is extended, and its document is the new one. An arm of the same recipe keeps its earlier
    seeds beside the new ones; arms that are not mentioned stay. Whether two documents are the same study is for the
    caller to say, who moves another one aside first (``rename_study``). Other data: it is another study, and replaces
    the first. An arm with another recipe, or with another fingerprint for a seed it already had, replaces the arm, so
    that one arm never has runs of two different networks. Replacing deletes no run, only its place in the study.

    Of the numbers of seeds that were asked for, from the same first seed on, the larger one stays.

    Args:
        old: what is stored; None for nothing.
        new: what is run now.
    """
    if old is None or old.data != new.data:
        return replace(new, arms=tuple(_in_order(arm, ()) for arm in new.arms))
    arms = {arm.name: arm for arm in old.arms}
    for arm in new.arms:
        before = arms.get(arm.name)
        arms[arm.name] = _in_order(arm, before.runs if before is not None and _agree(before, arm) else ())
    asked = [count for count in (old.seeds, new.seeds) if count is not None]
    seeds = max(asked, default=None) if old.first_seed == new.first_seed else new.seeds
    return replace(new, arms=tuple(arms.values()), seeds=seeds)


def _agree(old: StoredArm, new: StoredArm) -> bool:
    known = {run.seeds: run.fingerprint for run in old.runs}
    return old.recipe == new.recipe and all(known.get(r.seeds, r.fingerprint) == r.fingerprint for r in new.runs)


def _in_order(arm: StoredArm, earlier: Sequence[StoredRun]) -> StoredArm:
    by_seeds = {run.seeds: run for run in (*earlier, *arm.runs)}
    return replace(arm, runs=tuple(by_seeds[seeds] for seeds in sorted(by_seeds)))


def gives_way(old: Status, new: Status) -> bool:
    """Whether a stored run is replaced by a later result.

    Args:
        old: the status of the stored run.
        new: the status of the result.
    """
    return old is not Status.FINISHED and _RANK[new] >= _RANK[old]


def no_run(fingerprint: str) -> StoreError:
    """The error for a run that is not there."""
    return StoreError(f"no run {fingerprint[:12]} in this store: compute it with `paribus run`")


def without(fingerprint: str, status: Status, what: str) -> StoreError:
    """The error for a run that was recorded without its predictions or weights."""
    return StoreError(f"run {fingerprint[:12]} ({status}) was recorded without {what}: there are none to read")
