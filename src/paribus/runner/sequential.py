"""``--until-decided``: a study that grows look by look until every declared statement is decided.

See ``docs/decisions/0012-planned-looks.md`` and ``docs/decisions/0081-looks-are-remembered.md``.
"""

from __future__ import annotations

from collections.abc import Sequence

from paribus.analysis.looks import plan_looks
from paribus.backends.base import Backend
from paribus.display.base import Display
from paribus.errors import UsageError
from paribus.outcome.outcome import Outcome
from paribus.results.stored_study import read_document
from paribus.results.verdicts import has_verdict
from paribus.runner.run import run_study
from paribus.store.base import Store
from paribus.study.document import StudyDocument
from paribus.study.fold_rules import refuse_folds
from paribus.study.identity import is_same_study
from paribus.study.statements import declared_statements

MAX_SEEDS = 30
"""The largest number of seeds that is planned by default."""


def with_looks(document: StudyDocument, max_seeds: int | None = None) -> StudyDocument:
    """Plan the looks of a study: those it declares itself, else a few evenly spaced ones up to ``max_seeds``.

    The looks are stored with the study, so that a later report spends the same error.

    Args:
        document: the study.
        max_seeds: the largest number of seeds an arm; 30 by default.

    Raises:
        UsageError: ``max_seeds`` below 2, or below the first look that the study declares; or a study with folds.
    """
    refuse_folds(
        document,
        "--until-decided: the training parts of repetitions share most of their examples, so that errors over looks "
        "are not known for cross-validation",
        "plan the repetitions beforehand with `paribus plan` and give `repeats`",
    )
    looks = document.comparison.looks or plan_looks(max_seeds or MAX_SEEDS).seeds
    if max_seeds is not None and looks[0] > max_seeds:
        raise UsageError(
            f"--max-seeds {max_seeds}: the study's first look is at {looks[0]} seeds; allow at least those"
        )
    return _with_looks(document, looks)


def run_until_decided(
    study: StudyDocument,
    store: Store,
    backend: Backend,
    display: Display,
    max_seeds: int | None = None,
    *,
    stored_as: str | None = None,
    arms: Sequence[str] = (),
) -> Outcome:
    """Run look after look; stop where every primary statement is decided (all of them, where none is primary).

    Looks that were planned when the study was first run stay: planning others after looking spends more error.

    Args:
        study: as for :func:`paribus.runner.run.run_study`; so are the others.
        store: holds the runs.
        backend: computes the missing ones.
        display: shows the progress.
        max_seeds: the largest number of seeds an arm; by default the last planned look.
        stored_as: the name under which the runs are stored.
        arms: only these are run.

    Returns:
        The outcome at the look at which it stopped.

    Raises:
        UsageError: ``max_seeds`` is beyond the last look that was planned, or before the first.
        ModelError, DataError, StoreError, BackendError: as ``run_study``.
    """
    name = stored_as or study.name
    looks = _read_stored_looks(study, name, store) or study.comparison.looks
    most = looks[-1] if max_seeds is None else max_seeds
    if not looks[0] <= most:
        raise UsageError(
            f"--max-seeds {max_seeds}: the first planned look is at {looks[0]} seeds; allow at least those"
        )
    if most > looks[-1]:
        raise UsageError(
            f"--max-seeds {max_seeds}: looks at {', '.join(map(str, looks))} seeds were planned when this study was "
            f"first run, and stay; allow at most {looks[-1]}, or run it under another name or in another store"
        )
    planned = _with_looks(study, looks)
    passed = [look for look in looks if look <= most]
    if any(statement.primary for statement in declared_statements(study)):
        return _grow_undecided(planned, passed, store, backend, display, stored_as, arms)
    outcome: Outcome | None = None
    for seeds in passed:
        grown = planned.model_copy(update={"seeds": seeds})
        outcome = run_study(grown, store, backend, display, stored_as=stored_as, arms=arms)
        if is_decided(outcome):
            break
    assert outcome is not None, "the first look is within max_seeds"
    return outcome


def _grow_undecided(
    study: StudyDocument,
    looks: Sequence[int],
    store: Store,
    backend: Backend,
    display: Display,
    stored_as: str | None,
    arms: Sequence[str],
) -> Outcome:
    """Run every arm with the study's own seeds; then the arms of undecided primary statements, look by look."""
    outcome = run_study(study, store, backend, display, stored_as=stored_as, arms=arms)
    for seeds in looks:
        growing = undecided_arms(outcome)
        growing = [arm for arm in growing if not arms or arm in arms]
        if not growing:
            break
        outcome = run_study(study, store, backend, display, stored_as=stored_as, arms=growing, seeds=seeds)
    return outcome


def undecided_arms(outcome: Outcome) -> list[str]:
    """List the arms of the primary statements without a verdict, in the study's order."""
    judged = {item.key: item for item in outcome.judged}
    waiting = {
        arm
        for statement in outcome.statements
        if statement.primary and not has_verdict(judged.get(statement.key))
        for arm in statement.arms
    }
    return [arm for arm in outcome.document.arms if arm in waiting]


def _with_looks(document: StudyDocument, looks: tuple[int, ...]) -> StudyDocument:
    return document.model_copy(update={"comparison": document.comparison.model_copy(update={"looks": looks})})


def _read_stored_looks(study: StudyDocument, name: str, store: Store) -> tuple[int, ...]:
    """The looks with which the same study is stored, if it is."""
    stored = store.study(name)
    if stored is None:
        return ()
    document = read_document(stored)
    return document.comparison.looks if is_same_study(document, study) else ()


def is_decided(outcome: Outcome) -> bool:
    """Whether every primary statement has a verdict other than undecided; every statement, where none is primary."""
    if any(statement.primary for statement in outcome.statements):
        return not undecided_arms(outcome)
    return all(has_verdict(item) for item in outcome.judged)
