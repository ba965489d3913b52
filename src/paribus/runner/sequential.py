"""``--until-decided``: a study that grows look by look until every declared statement is decided."""

from __future__ import annotations

from paribus.analysis.comparison import Verdict
from paribus.analysis.looks import plan_looks
from paribus.backends.base import Backend
from paribus.data import summarize
from paribus.display.base import Display
from paribus.errors import UsageError
from paribus.outcome.outcome import Outcome
from paribus.results.assemble import assemble_outcome
from paribus.runner.jobs import stored_arms, stored_document
from paribus.runner.run import run_study
from paribus.store.base import Store
from paribus.study.document import StudyDocument


def with_looks(document: StudyDocument, max_seeds: int) -> StudyDocument:
    """The study with its looks planned: those it declares itself, else a few evenly spaced ones up to ``max_seeds``.

    The looks are part of the study as it is kept, so that a later report spends the same error.

    Raises:
        UsageError: ``max_seeds`` below 2, or below the first look that the study declares.
    """
    looks = document.comparison.looks or plan_looks(max_seeds).seeds
    planned = tuple(look for look in looks if look <= max_seeds) if document.comparison.looks else looks
    if not planned:
        raise UsageError(
            f"--max-seeds {max_seeds}: the study's first look is at {looks[0]} seeds; allow at least those"
        )
    return _looking(document, looks)


def run_until_decided(
    document: StudyDocument, whole: StudyDocument, store: Store, backend: Backend, display: Display, max_seeds: int
) -> Outcome:
    """Run look after look, at most to ``max_seeds``; stop at the first look where nothing is undecided.

    Looks that were planned when the study was first run stay: planning others after looking spends more error.

    Raises:
        UsageError: ``max_seeds`` lies beyond the last look that was planned, or before the first.
    """
    looks = _planned_before(whole, store) or document.comparison.looks
    if not looks[0] <= max_seeds:
        raise UsageError(
            f"--max-seeds {max_seeds}: the first planned look is at {looks[0]} seeds; allow at least those"
        )
    if max_seeds > looks[-1]:
        raise UsageError(
            f"--max-seeds {max_seeds}: looks at {', '.join(map(str, looks))} seeds were planned when this study was "
            f"first run, and stay; allow at most {looks[-1]}, or run it under another name or in another store"
        )
    document, whole = _looking(document, looks), _looking(whole, looks)
    data = summarize(document.data.spec())
    outcome: Outcome | None = None
    for seeds in (look for look in document.comparison.looks if look <= max_seeds):
        grown = document.model_copy(update={"seeds": seeds})
        planned = run_study(grown, store, backend, display, whole=whole)
        outcome = assemble_outcome(grown, data, stored_arms(planned), store)
        if is_decided(outcome):
            break
    assert outcome is not None, "with_looks leaves at least one look"
    return outcome


def _looking(document: StudyDocument, looks: tuple[int, ...]) -> StudyDocument:
    return document.model_copy(update={"comparison": document.comparison.model_copy(update={"looks": looks})})


def _planned_before(document: StudyDocument, store: Store) -> tuple[int, ...]:
    """The looks with which the same study is kept, if it is."""
    found = store.study(document.name)
    if found is None:
        return ()
    kept = StudyDocument.model_validate_json(found.document)
    same = stored_document(_looking(kept, ())) == stored_document(_looking(document, ()))
    return kept.comparison.looks if same else ()


def is_decided(outcome: Outcome) -> bool:
    """Whether every contrast and effect has a verdict other than undecided."""
    found = [contrast.comparison for contrast in outcome.contrasts] + [effect.comparison for effect in outcome.effects]
    return all(c is not None and c.verdict is not Verdict.UNDECIDED for c in found)
