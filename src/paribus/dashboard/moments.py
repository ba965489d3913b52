"""What may be displayed of a study that still grows: nothing that was measured after the last moment of judgement.

Whoever watches an interval change and stops when it suits them has taken a look that was not planned. The dashboard is
left open all day, so it shows test measures of no run beyond the last planned look; without planned looks the only
moment is when all requested seeds have ended
(``docs/decisions/0129-between-looks-the-dashboard-shows-no-test-measure.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from paribus.analysis.wording import counted
from paribus.outcome.outcome import Outcome
from paribus.records import RunResult
from paribus.results.assemble import count_complete
from paribus.results.stored_study import StoredResults
from paribus.study.document import StudyDocument
from paribus.study.statements import Statement, declared_statements


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an arm is.

    Attributes:
        complete: how many of its seeds have ended without a gap from the first.
        requested: how many seeds were asked for.
    """

    complete: int
    requested: int

    @property
    def is_whole(self) -> bool:
        """Whether all requested seeds have ended."""
        return self.complete == self.requested


@dataclass(frozen=True, slots=True)
class Moments:
    """The moments up to which a study may be displayed.

    Attributes:
        seeds: for each arm the number of its seeds, from the first, whose test measures may be displayed.
        waiting: the name of each statement that waits for a moment, and what it waits for.
        unjudged: the statements before their first moment. Their arms may be seen through other statements.
    """

    seeds: Mapping[str, int]
    waiting: Mapping[tuple[object, ...], tuple[str, str]]
    unjudged: frozenset[tuple[object, ...]] = frozenset()


def find_moments(document: StudyDocument, progress: Mapping[str, Progress]) -> Moments:
    """The moments that a study has passed.

    Args:
        document: the study.
        progress: how far each arm is that was run.

    Returns:
        For each arm the seeds that may be displayed, and the statements that wait.
    """
    statements = declared_statements(document)
    has_primary = any(statement.primary for statement in statements)
    seeds = dict.fromkeys(progress, 0)
    waiting: dict[tuple[object, ...], tuple[str, str]] = {}
    unjudged = []
    for statement in statements:
        if any(arm not in progress for arm in statement.arms):
            continue
        passed, next_moment = _last_moment(document, statement, progress, has_primary=has_primary)
        for arm in statement.arms:
            seeds[arm] = max(seeds[arm], min(passed, progress[arm].complete))
        if not passed:
            unjudged.append(statement.key)
        if next_moment:
            waiting[statement.key] = (statement.name, next_moment)
    named = {arm for statement in statements for arm in statement.arms}
    seeds |= {arm: _last_look(document, of) for arm, of in progress.items() if arm not in named}
    return Moments(seeds, waiting, frozenset(unjudged))


def limit_results(results: StoredResults, runs: Mapping[str, RunResult]) -> tuple[StoredResults, Moments]:
    """The stored results up to the last moment of each arm, and the moments.

    Args:
        results: all stored results of a study.
        runs: its runs by fingerprint, as far as they have ended.

    Returns:
        Results that have no later run, and the moments.
    """
    complete = count_complete(results.arms, runs)
    progress = {arm.name: Progress(complete[arm.name], len(arm.runs)) for arm in results.arms}
    moments = find_moments(results.document, progress)
    arms = tuple(replace(arm, runs=arm.runs[: moments.seeds[arm.name]]) for arm in results.arms)
    return replace(results, arms=arms), moments


def without_waiting(outcome: Outcome, moments: Moments) -> Outcome:
    """The outcome without the statements that were never judged; those judged at an earlier look stay."""
    keys = {statement.key for statement in outcome.statements if statement.key not in moments.unjudged}
    return replace(
        outcome,
        contrasts=tuple(contrast for contrast in outcome.contrasts if contrast.key in keys),
        effects=tuple(effect for effect in outcome.effects if effect.key in keys),
    )


def _last_look(document: StudyDocument, of: Progress) -> int:
    """The number of seeds at the last moment of an arm that no statement is about."""
    if document.comparison.looks:
        return max((look for look in document.comparison.looks if look <= of.complete), default=0)
    return of.requested if of.is_whole else 0


def _last_moment(
    document: StudyDocument, statement: Statement, progress: Mapping[str, Progress], *, has_primary: bool
) -> tuple[int, str]:
    """The number of seeds at the last moment of a statement (0 before the first), and what it waits for, if it does."""
    at = min(progress[arm].complete for arm in statement.arms)
    looks = document.comparison.looks
    if looks and (statement.primary or not has_primary):
        passed = max((look for look in looks if look <= at), default=0)
        waits = any(passed < progress[arm].requested for arm in statement.arms)
        following = next((look for look in looks if look > passed), None)
        if following is None or not waits:
            return passed, ""
        return passed, f"the next planned look is at {counted(following, 'seed')} of every arm; {at} have ended"
    if looks:
        needed = document.seeds
        return (
            (needed, "") if at >= needed else (0, f"it is judged once, at {counted(needed, 'seed')}; {at} have ended")
        )
    if all(progress[arm].is_whole for arm in statement.arms):
        return max(progress[arm].requested for arm in statement.arms), ""
    needed = max(progress[arm].requested for arm in statement.arms)
    return 0, f"it is judged when all {counted(needed, 'requested seed')} have ended; {at} have"
