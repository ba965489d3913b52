"""Uniting what several stores say was run, and what they say was judged: the same whatever their order (decision 0099).

Two entries of one name and kind are one study where they declare the same on the same data, from the same first seed
on, and where no arm has two canonical forms, or two runs for one seed. Then arms, runs and seeds are united.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

from pydantic import ValidationError

from paribus.data.sources import is_name
from paribus.errors import StoreError, UsageError
from paribus.records import StudyKind, canonical_json
from paribus.results.stored_study import read_document
from paribus.store.base import Judgement, StoredArm, StoredRun, StoredStudy
from paribus.study.document import StudyDocument
from paribus.study.identity import describe_identity, list_differences

_WHOLE = (StudyKind.STUDY, StudyKind.ABLATION)
_TRAINED = ("arms", "data", "protocol", "tuning")
"""The tables that candidates and noise runs depend on; they compare nothing."""


@dataclass(frozen=True, slots=True)
class StoreStudies:
    """The studies of a store that is named ``store``."""

    store: str
    studies: tuple[StoredStudy, ...]


@dataclass(frozen=True, slots=True)
class Renamed:
    """A study of a store that is stored under another name, as another one has its name."""

    store: str
    name: str
    new_name: str


@dataclass(frozen=True, slots=True)
class United:
    """The studies that are to be written, and which of them are renamed."""

    studies: tuple[StoredStudy, ...]
    renamed: tuple[Renamed, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A study of a store. ``family`` is what it shares with its candidates and noise runs, which go where it goes."""

    store: str
    study: StoredStudy
    document: StudyDocument
    in_target: bool

    @property
    def family(self) -> tuple[bool, str]:
        return self.study.kind is StudyKind.ABLATION, self.study.name


def unite_studies(target: StoreStudies, sources: Sequence[StoreStudies], *, rename: bool) -> United:
    """Unite the studies of stores.

    Args:
        target: what the store has that all are merged into.
        sources: what the others have.
        rename: whether a study whose name another one has is stored as ``NAME.doc-`` and six digits of its digest. The
            target's stays.

    Returns:
        The studies to be written into the target.

    Raises:
        UsageError: two studies of one name are not one study, and none may be renamed.
        StoreError: a study's document is not one.
    """
    own = [_read_entry(target.store, study, in_target=True) for study in target.studies]
    others = [_read_entry(source.store, study, in_target=False) for source in sources for study in source.studies]
    renamed: list[Renamed] = []
    if rename:
        others, renamed = _rename_conflicting(own, others)
    before = {(entry.study.name, entry.study.kind): entry.study for entry in own}
    united = []
    for key, entries in sorted(_group(others).items()):
        mine = [entry for entry in own if (entry.study.name, entry.study.kind) == key]
        for first, second in combinations([*mine, *entries], 2):
            if differences := _list_conflicts(first, second):
                raise _refuse(first, second, differences, rename=rename)
        study = _join([*mine, *entries])
        if study != before.get(key):
            united.append(study)
    return United(tuple(united), tuple(renamed))


def unite_judgements(known: Sequence[Judgement], others: Iterable[Sequence[Judgement]]) -> tuple[Judgement, ...]:
    """The judgements that are not known, in the order in which they are to be recorded.

    Stores do not say when. A study grows, so that a judgement on fewer seeds counts as the earlier one, and of two on
    as many seeds the one that was not declared as primary.
    """
    new = {judgement for judgements in others for judgement in judgements} - set(known)
    return tuple(sorted(new, key=lambda j: (j.seeds, j.primary, j.share, j.look or 0, j.metric, j.anchor)))


def _read_entry(store: str, study: StoredStudy, *, in_target: bool) -> _Entry:
    try:
        return _Entry(store, study, read_document(study), in_target)
    except ValidationError as error:
        raise StoreError(
            f"{store}: the document of study '{study.label}' breaks rules ({error.error_count()} of them), so that it "
            "cannot be compared; it may be that of a newer paribus: update it"
        ) from error


def _group(entries: Iterable[_Entry]) -> dict[tuple[str, StudyKind], list[_Entry]]:
    groups: dict[tuple[str, StudyKind], list[_Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.study.name, entry.study.kind].append(entry)
    return groups


def _rename_conflicting(own: Sequence[_Entry], others: Sequence[_Entry]) -> tuple[list[_Entry], list[Renamed]]:
    """Rename what conflicts with the target, and whatever conflicts with another one that does not.

    A study is renamed with its candidates and its noise runs.
    """
    by_family: dict[tuple[bool, str], dict[str, list[_Entry]]] = defaultdict(lambda: defaultdict(list))
    for entry in others:
        by_family[entry.family][entry.store].append(entry)
    entries: list[_Entry] = []
    renamed: list[Renamed] = []
    for family, by_store in by_family.items():
        mine = [entry for entry in own if entry.family == family]
        leaving = {store for store, of in by_store.items() if _conflict(mine, of)}
        staying = [store for store in by_store if store not in leaving]
        for first, second in combinations(staying, 2):
            if _conflict(by_store[first], by_store[second]):
                leaving |= {first, second}
        for store, of in by_store.items():
            name = f"{family[1]}.doc-{_digest(of)}" if store in leaving else family[1]
            entries += [replace(entry, study=replace(entry.study, name=name)) for entry in of]
            renamed += [Renamed(store, family[1], name)] * (store in leaving)
    return entries, renamed


def _conflict(some: Iterable[_Entry], others: Sequence[_Entry]) -> bool:
    return any(a.study.kind is b.study.kind and bool(_list_conflicts(a, b)) for a in some for b in others)


def _list_conflicts(first: _Entry, second: _Entry) -> list[str]:
    """Why two entries of one name and kind are not one study; empty where they are."""
    # Where they declare other things, their arms have other runs for that reason.
    return list(_declared_conflicts(first, second)) or list(_computed_conflicts(first.study, second.study))


def _declared_conflicts(first: _Entry, second: _Entry) -> Iterator[str]:
    a, b = first.study, second.study
    whole = a.kind in _WHOLE
    for difference in list_differences(first.document, second.document):
        if whole or difference.partition(":")[0].partition(".")[0] in _TRAINED:
            yield difference
    if whole and a.first_seed != b.first_seed:
        yield f"first_seed: {a.first_seed}, now {b.first_seed}"
    looks = first.document.comparison.looks, second.document.comparison.looks
    if whole and all(looks) and looks[0] != looks[1]:
        yield f"comparison.looks: {list(looks[0])}, now {list(looks[1])}"
    if a.data != b.data:
        yield f"its data: {_name_data(a)}, now {_name_data(b)}"


def _computed_conflicts(first: StoredStudy, second: StoredStudy) -> Iterator[str]:
    known = {arm.name: arm for arm in first.arms}
    for arm in second.arms:
        if arm.name in known:
            yield from _arm_conflicts(known[arm.name], arm)


def _arm_conflicts(first: StoredArm, second: StoredArm) -> Iterator[str]:
    if first.recipe != second.recipe:
        yield f"arm '{first.name}' has another canonical form: tuned to other values, or described by another Keras"
        return
    known = {run.seeds: run.fingerprint for run in first.runs}
    if any(known.get(run.seeds, run.fingerprint) != run.fingerprint for run in second.runs):
        yield f"arm '{first.name}' has other runs for the same seeds: computed by another version of the engine"


def _name_data(study: StoredStudy) -> str:
    return "unknown" if study.data is None else f"{study.data.name}, sha256 {study.data.fingerprint[:12]}"


def _refuse(first: _Entry, second: _Entry, differences: Sequence[str], *, rename: bool) -> UsageError:
    remedy = (
        "their documents do not differ, so that no new name is made; merge one of them into another store"
        if rename
        else "--rename stores such studies beside each other, or merge one of them into another store"
    )
    return UsageError(
        f"study '{second.study.label}' of {second.store} is not the one of {first.store} ({'; '.join(differences)}): "
        f"nothing was merged; {remedy}"
    )


def _join(entries: Sequence[_Entry]) -> StoredStudy:
    """One study of entries that do not conflict. The target's document stays, else one whose data is here."""
    base = min(entries, key=lambda entry: (not entry.in_target, not _finds_data(entry.document), entry.study.document))
    document, text = base.document, base.study.document
    looks = next((entry.document.comparison.looks for entry in entries if entry.document.comparison.looks), ())
    if base.study.kind in _WHOLE and looks != document.comparison.looks:
        comparison = document.comparison.model_copy(update={"looks": looks})
        document = document.model_copy(update={"comparison": comparison})
        text = document.model_dump_json(exclude={"seeds", "first_seed"})
    arms: dict[str, dict[object, StoredRun]] = defaultdict(dict)
    recipes = {}
    for entry in entries:
        for arm in entry.study.arms:
            recipes[arm.name] = arm.recipe
            arms[arm.name] |= {run.seeds: run for run in arm.runs}
    # In the study's order, as they would be had one machine run it.
    order = {name: number for number, name in enumerate(document.arms)}
    names = sorted(arms, key=lambda name: (order.get(name, len(order)), name))
    joined = (StoredArm(n, recipes[n], tuple(sorted(arms[n].values(), key=lambda run: run.seeds))) for n in names)
    seeds = [entry.study.seeds for entry in entries if entry.study.seeds is not None]
    return replace(base.study, document=text, arms=tuple(joined), seeds=max(seeds, default=None))


def _finds_data(document: StudyDocument) -> bool:
    data = document.data
    try:
        if data.partition is not None and not Path(data.partition).expanduser().exists():
            return False
        return is_name(data.source) or Path(data.source).expanduser().exists()
    except (OSError, ValueError, RuntimeError):
        return False  # no name that a file could have


def _digest(entries: Sequence[_Entry]) -> str:
    """Six digits of what makes a study another one; a study's rather than its candidates'."""
    entry = min(entries, key=lambda entry: (entry.study.kind not in _WHOLE, entry.study.kind))
    study = entry.study
    value: Mapping[str, object] = {
        "identity": describe_identity(entry.document),
        "data": None if study.data is None else study.data.fingerprint,
        "first_seed": study.first_seed,
        "looks": list(entry.document.comparison.looks),
        "recipes": {arm.name: [arm.recipe.model, arm.recipe.optimizer] for arm in study.arms},
    }
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:6]
