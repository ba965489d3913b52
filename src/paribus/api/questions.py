"""The questions ``compare``, ``check`` and ``plan``, with their answers as text and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeVar

from paribus.analysis import (
    CheckAnswer,
    ContrastScores,
    JudgedContrast,
    Schedule,
    SeedScores,
    check_not_worse,
    check_sentence,
    compare_family,
    contrast_sentence,
    plan_seeds,
)
from paribus.analysis.fold_planning import plan_repeats
from paribus.analysis.metrics import Metric
from paribus.api.contrast import turn_contrast
from paribus.errors import UsageError
from paribus.errors.control_characters import show_control_characters
from paribus.report.json import contrast_fields
from paribus.report.numbers import with_minus
from paribus.results.verdicts import Scores
from paribus.study.design import Design
from paribus.study.statements import Statement, declared_statements

EXIT_CODES = {CheckAnswer.HOLDS: 0, CheckAnswer.FAILS: 3, CheckAnswer.UNDECIDED: 4}


class QuestionScores(Scores, Protocol):
    """The scores that a question is answered from."""

    def has(self, arm: str, metric: str) -> bool:
        """Whether an arm has values of a metric, both by name."""


S = TypeVar("S", bound=QuestionScores)


class Source(Protocol[S]):
    """What a question is asked about: the stored results of a study, or predictions from elsewhere."""

    @property
    def design(self) -> Design:
        """Names, contrasts, and how they are judged."""

    def scores(self) -> S:
        """Scores by arm and metric."""

    def judge_pair(
        self, scores: S, a: str, b: str, metric: str, margin: float | None = None
    ) -> tuple[Statement, JudgedContrast | None] | None:
        """A declared contrast, judged together with all others.

        Args:
            scores: what :meth:`scores` returned.
            a: the first arm.
            b: the second arm; the order in which it was declared may be the other one.
            metric: the name of the metric.
            margin: replaces the declared margin, in units of the metric; None leaves it.

        Returns:
            The statement and its judgement, None where no look was taken yet; None where the contrast was not declared.
        """

    def remarks(self, scores: S, *arms: str) -> tuple[str, ...]:
        """Notes for any answer about these arms, one sentence each.

        Args:
            scores: what :meth:`scores` returned.
            *arms: the names of the arms.
        """

    def require_arm(self, name: str) -> str:
        """Check the name of an arm, and return it.

        Raises:
            UnknownNameError: there is no such arm.
        """


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """One answer as text and as JSON; its ``repr`` is the text.

    Attributes:
        text: the sentences that the command line prints.
        json: the document of ``--json``.
        exit_code: that of the command line.
    """

    text: str
    json: Any
    exit_code: int = 0

    def __repr__(self) -> str:
        return show_control_characters(self.text)


def compare(results: Source[S], a: str, b: str, metric: str, margin: float | None) -> Answer:
    """Compare two arms: as the study judges the contrast where it is declared, by itself where it is not.

    Args:
        results: the stored study, or predictions from elsewhere.
        a: the first arm.
        b: the second arm; the difference is a - b.
        metric: the name of the metric.
        margin: differences below it count as equivalent, in units of the metric; None for the study's.

    Returns:
        The sentence with its notes. ``json`` says in ``declared`` whether the study declares the contrast.

    Raises:
        UnknownNameError: there is no such arm or metric.
        UsageError: the arms are one, an estimator lacks the metric, the metric has no interval with folds, or the first
            planned look is not reached.
        StoreError: predictions are damaged.
    """
    scores = results.scores()
    measured = scores.metric(metric)
    rows = _read_pair(results, scores, a, b, measured)
    declared = results.judge_pair(scores, a, b, metric, margin)
    notes = list(results.remarks(scores, a, b))
    if declared is None:
        comparison = results.design.comparison
        alone = ContrastScores(*rows, measured, margin or comparison.margin)
        (contrast,) = compare_family(
            [alone], level=comparison.level, scope=results.design.scope, groups=scores.groups, folds=scores.folds
        )
        notes = [
            "The study does not declare this contrast: read it as exploratory, selected after looking at the results.",
            *notes,
        ]
    elif declared[1] is None:
        looks = results.design.comparison.looks
        raise UsageError(
            f"{a} against {b}: nothing is judged yet, the first planned look is at {looks[0]} seeds an arm; "
            "`paribus run --until-decided` takes the looks"
        )
    else:
        contrast = turn_contrast(declared[1], a)
    text = "\n".join((with_minus(contrast_sentence(contrast)), *notes))
    return Answer(text, {**contrast_fields(contrast), "declared": declared is not None, "notes": notes})


def check(results: Source[S], new: str, old: str, metric: str, margin: float) -> Answer:
    """Check non-inferiority: is ``new`` not worse than ``old`` by the margin or more?

    One-sided, at the contrast's share of the error in the study where the study declares it.

    Args:
        results: the stored study, or predictions from elsewhere.
        new: the arm that must not be worse.
        old: the arm that it is compared with.
        metric: the name of the metric.
        margin: the loss that would be too much, in units of the metric: 0.01 is 1 point of an accuracy.

    Returns:
        The sentence; ``exit_code`` is 0 where it holds, 3 where it does not, 4 where it is undecided.

    Raises:
        UnknownNameError: there is no such arm or metric.
        UsageError: the margin cannot be meant; or as :func:`compare`.
        StoreError: predictions are damaged.
    """
    scores = results.scores()
    measured = scores.metric(metric)
    rows = _read_pair(results, scores, new, old, measured)
    comparison = results.design.comparison
    level, seeds = _choose_level(results, scores, new, old, metric)
    if seeds is not None:
        rows = (rows[0].only(seeds), rows[1].only(seeds))
    answer = check_not_worse(
        *rows, measured, margin, level=level, scope=results.design.scope, groups=scores.groups, folds=scores.folds
    )
    document = {
        "study": results.design.name,
        "new": new,
        "old": old,
        "metric": metric,
        "margin": margin,
        "answer": str(answer.answer),
        "difference": answer.comparison.difference,
        "worst": answer.worst,
        "p_value": answer.p_value,
        "level": comparison.level,
        "scope": str(answer.comparison.scope),
        "seeds": answer.comparison.seeds,
        "sentence": check_sentence(answer),
        "notes": list(results.remarks(scores, new, old)),
    }
    text = "\n".join((with_minus(check_sentence(answer)), *results.remarks(scores, new, old)))
    return Answer(text, document, EXIT_CODES[answer.answer])


def plan(results: Source[S], detect: float, power: float) -> Answer:
    """Plan the number of seeds that would detect a difference, for every declared contrast.

    Args:
        results: the stored study, or predictions from elsewhere: the pilot runs.
        detect: the difference to detect, in units of the metric of each contrast.
        power: the chance of detecting it, in (0, 1).

    Returns:
        A paragraph for each contrast; ``json`` has their numbers.

    Raises:
        UsageError: no contrast is declared, fewer than 2 seeds are stored for both arms, or ``detect`` or ``power``
            cannot be meant.
        StoreError: predictions are damaged.
    """
    declared = results.design.declared_contrasts()
    if not declared:
        raise UsageError(
            f"study '{results.design.name}' declares no contrast, so that there is nothing to plan for; declare one in "
            "[[contrasts]]"
        )
    scores, comparison = results.scores(), results.design.comparison
    statements = {statement.key: statement for statement in declared_statements(results.design)}
    some_primary = any(statement.primary for statement in statements.values())
    texts, documents = [], []
    for contrast in declared:
        statement = statements[contrast.a, contrast.b, contrast.metric]
        # Where some statements are primary, only those are looked at again (decision records 0050 and 0055).
        grows = bool(comparison.looks) and (statement.primary or not some_primary)
        metric = scores.metric(contrast.metric)
        pair = _read_pair(results, scores, contrast.a, contrast.b, metric)
        (judged,) = compare_family(
            [ContrastScores(*pair, metric, contrast.margin or comparison.margin)],
            scope=results.design.scope,
            groups=scores.groups,
            folds=scores.folds,
        )
        if scores.folds is not None:
            if judged.comparison is None:
                raise UsageError(
                    f"{contrast.a} against {contrast.b}: no pass over all folds is stored for both; `paribus run` "
                    "computes what is missing"
                )
            repeat_plan = plan_repeats(
                judged.comparison, detect, metric, power=power, level=comparison.level, share=statement.share
            )
            texts.append(f"{contrast.a} against {contrast.b}: {repeat_plan.statement}")
            plan_fields = _to_json(asdict(repeat_plan))
            documents.append({"a": contrast.a, "b": contrast.b, "metric": contrast.metric, **plan_fields})
            continue
        stored = _require_two_seeds(judged)
        seed_plan = plan_seeds(
            stored,
            detect,
            metric,
            power=power,
            level=comparison.level,
            contrasts=len(statements),
            weight=statement.share,
            schedule=Schedule(comparison.looks) if grows and comparison.looks else None,
        )
        texts.append(f"{contrast.a} against {contrast.b}: {with_minus(seed_plan.statement)}")
        documents.append({"a": contrast.a, "b": contrast.b, "metric": contrast.metric, **_to_json(asdict(seed_plan))})
    return Answer("\n\n".join(texts), {"study": results.design.name, "plans": documents})


def _choose_level(results: Source[S], scores: S, new: str, old: str, metric: str) -> tuple[float, range | None]:
    """Choose the level of the one-sided test, and the seeds of the planned look; None for all seeds."""
    document = results.design
    declared = results.judge_pair(scores, new, old, metric)
    if declared is None:
        return document.comparison.level, None
    statement, contrast = declared
    look = contrast.comparison.look if contrast is not None and contrast.comparison is not None else None
    if look is None:
        return 1 - (1 - document.comparison.level) * statement.share, None
    return 1 - look.alpha_equivalence, range(document.first_seed, document.first_seed + look.seeds)


def _read_pair(results: Source[S], scores: S, a: str, b: str, metric: Metric) -> tuple[SeedScores, SeedScores]:
    if a == b:
        raise UsageError(f"'{a}' is compared with itself; name two arms")
    if scores.folds is not None and not metric.name.startswith("test_"):
        raise UsageError(
            f"{metric.name} with folds: the training parts of the folds share most of their examples, so that no "
            "interval of it holds; compare a metric of the test parts, such as test_accuracy"
        )
    for arm in (a, b):
        if not scores.has(arm, metric.name):
            raise UsageError(
                f"{metric.name} of '{arm}': a scikit-learn estimator has none here (fit prints nothing of it, and of "
                "losses it has its log loss alone); compare test_accuracy"
            )
    return scores.scores(results.require_arm(a), metric.name), scores.scores(results.require_arm(b), metric.name)


def _require_two_seeds(judged: JudgedContrast) -> Any:
    if judged.comparison is None or judged.comparison.components is None:
        raise UsageError(
            f"{judged.a} against {judged.b}: fewer than 2 seeds are stored for both, and a plan needs 2 or more to "
            "estimate how much seeds vary (3 or more are better); run them first"
        )
    return judged.comparison


def _to_json(value: Any) -> Any:
    """Enumerations as their texts, tuples as lists."""
    if isinstance(value, dict):
        return {key: _to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_to_json(item) for item in value]
    return str(value) if isinstance(value, str) else value
