"""The history of judgements: looks that were taken, and statements that were declared primary after a look.

A store remembers judgements by the runs that were judged, across names of studies. Reports read this history and write
nothing; only ``paribus run`` adds to it (``docs/decisions/0081-looks-are-remembered.md``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from paribus.analysis.unplanned import error_of_looks
from paribus.analysis.wording import counted, listed
from paribus.outcome.outcome import Outcome
from paribus.store.base import Judgement, Store, StoredArm, anchor
from paribus.study.document import StudyDocument
from paribus.study.statements import Statement, declared_statements


@dataclass(frozen=True, slots=True)
class History:
    """The statements of a study with the shares that they may have now, and the looks that were taken.

    Attributes:
        statements: all contrasts and effects; those that were declared primary after they had been judged are not.
        looks: for each statement the numbers of seeds at which it was judged without a planned look, growing.
        notes: sentences about statements that were declared late.
    """

    statements: tuple[Statement, ...]
    looks: tuple[tuple[int, ...], ...]
    notes: tuple[str, ...]


def read_history(document: StudyDocument, arms: Sequence[StoredArm], store: Store) -> History:
    """Read the earlier judgements of a study's statements from the store.

    Args:
        document: the whole study.
        arms: its stored arms, with the fingerprints of their runs.
        store: remembers the judgements.
    """
    declared = declared_statements(document)
    anchors = [_make_anchor(statement, arms) for statement in declared]
    remembered = store.judgements([name for name in anchors if name is not None])
    by_anchor: dict[str, list[Judgement]] = {}
    for judgement in remembered:
        by_anchor.setdefault(judgement.anchor, []).append(judgement)
    earlier = [by_anchor.get(name or "", []) for name in anchors]
    statements, notes = _restore_first_shares(document, declared, earlier)
    looks = tuple(tuple(sorted({j.seeds for j in judged if j.look is None})) for judged in earlier)
    return History(statements, looks, notes)


def note_unplanned_looks(outcome: Outcome) -> tuple[str, ...]:
    """A sentence with the simulated error of several unplanned looks; nothing where there was one look."""
    looks = {statement.looks_taken for statement in outcome.judged}
    longest = max(looks, key=len, default=())
    if len(longest) < 2:
        return ()
    level = outcome.document.comparison.level
    if outcome.document.data.folds is not None:
        return (
            f"This study was judged several times, at {listed([str(runs) for runs in longest])} runs an arm: whoever "
            f"stops at an answer of their choice errs more often than in {100 * (1 - level):.3g} % of studies. By how "
            "much is not known for cross-validation.",
        )
    error = error_of_looks(longest, 1 - level)
    return (
        f"This study was judged at {listed([str(seeds) for seeds in longest])} seeds, without planned looks: whoever "
        "stops at a look of their choice calls a single statement wrongly better or worse with a chance of up to "
        f"{100 * error:.1f} %, not {100 * (1 - level):.3g} % (simulated). `--until-decided` plans its looks and keeps "
        "the promised error.",
    )


def list_judgements(outcome: Outcome, arms: Sequence[StoredArm]) -> tuple[Judgement, ...]:
    """List the judgements of an outcome that the store records: every statement with a comparison.

    Args:
        outcome: the outcome of a study.
        arms: its stored arms, with the fingerprints of their runs.
    """
    by_key = {statement.key: statement for statement in outcome.statements}
    judgements = []
    for judged in outcome.judged:
        comparison = judged.comparison
        statement = by_key[judged.key]
        name = _make_anchor(statement, arms)
        if comparison is None or comparison.p_value is None or name is None:
            continue
        look = comparison.look.number if comparison.look is not None else None
        judgements.append(Judgement(name, statement.metric, comparison.seeds, statement.primary, statement.share, look))
    return tuple(judgements)


def _make_anchor(statement: Statement, arms: Sequence[StoredArm]) -> str | None:
    """The name under which the store remembers a statement; None where one of its arms was never run."""
    first = {arm.name: arm.runs[0].fingerprint for arm in arms if arm.runs}
    if any(arm not in first for arm in statement.arms):
        return None
    return anchor(statement.metric, [(first[arm], weight) for arm, weight in statement.coefficients.items()])


def _restore_first_shares(
    document: StudyDocument, declared: Sequence[Statement], earlier: Sequence[Sequence[Judgement]]
) -> tuple[tuple[Statement, ...], tuple[str, ...]]:
    """Restore the flags and shares of the first judgement: a statement that was declared primary later is not."""
    late = {
        index: judged[0].seeds
        for index, (statement, judged) in enumerate(zip(declared, earlier, strict=True))
        if statement.primary and judged and not judged[0].primary
    }
    share = document.comparison.primary_share
    primaries = [index for index, statement in enumerate(declared) if statement.primary and index not in late]
    notes = []
    if late:
        names = listed([declared[index].name for index in late])
        notes.append(
            f"{names} {'was' if len(late) == 1 else 'were'} declared primary after "
            f"{counted(max(late.values()), 'seed')} had been judged: the shares of the error stay as they were. "
            "A study with another `first_seed` starts on seeds that have not been looked at."
        )
        statements = declared_statements(_without_primary(document, [declared[index] for index in late]))
    else:
        statements = tuple(declared)
    first_judgements = [judged[0] for index in primaries if (judged := earlier[index]) and judged[0].primary]
    if (
        first_judgements
        and statements[primaries[0]].share != first_judgements[0].share
        and len(primaries) < len(declared)
    ):
        share = first_judgements[0].share * len(primaries)
        if 0 < share < 1:
            notes.append(
                f"When the primary statements were first judged their share of the error was {share:g}, and it stays."
            )
            statements = declared_statements(document, share) if not late else statements
    return statements, tuple(notes)


def _without_primary(document: StudyDocument, late: Sequence[Statement]) -> StudyDocument:
    """The study with some of its statements no longer primary."""
    pairs = [statement.contrast for statement in late if statement.contrast is not None]
    effects = {" x ".join(statement.effect.factors) for statement in late if statement.effect is not None}
    contrasts = tuple(c.model_copy(update={"primary": c.primary and c not in pairs}) for c in document.contrasts)
    primary_effects = tuple(name for name in document.comparison.primary_effects if name not in effects)
    comparison = document.comparison.model_copy(update={"primary_effects": primary_effects})
    return document.model_copy(update={"contrasts": contrasts, "comparison": comparison})


def add_looks_taken(outcome: Outcome, history: History) -> Outcome:
    """Add to each statement the numbers of seeds at which it was judged without a planned look.

    Args:
        outcome: the outcome of a study.
        history: its history.
    """
    looks: Mapping[tuple[object, ...], tuple[int, ...]] = {
        statement.key: seed_counts for statement, seed_counts in zip(history.statements, history.looks, strict=True)
    }
    contrasts = tuple(replace(c, looks_taken=_add_look(looks[c.key], c.comparison)) for c in outcome.contrasts)
    effects = tuple(replace(e, looks_taken=_add_look(looks[e.key], e.comparison)) for e in outcome.effects)
    return replace(outcome, contrasts=contrasts, effects=effects)


def _add_look(seed_counts: tuple[int, ...], comparison: object) -> tuple[int, ...]:
    """The unplanned looks with this one, if it was not planned either."""
    look, seeds = getattr(comparison, "look", None), getattr(comparison, "seeds", 0)
    return seed_counts if look is not None or seeds < 2 else tuple(sorted({*seed_counts, seeds}))
