"""Rules of studies whose data is divided into folds: what cannot go together with them is refused by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from paribus.errors import UsageError
from paribus.records import DataSummary

if TYPE_CHECKING:
    from paribus.study.document import StudyDocument

Place = tuple[str | int, ...]

SCOPES = ("new data, new training sets", "these training sets")
"""The scopes that only cross-validation has."""

MAX_FOLDED_SEED = 2**31 - 1


def find_fold_mistakes(document: Any) -> Iterator[tuple[Place, str]]:
    """Find what contradicts the folds of a study, or their absence.

    Args:
        document: a study as its TOML is parsed, or its checked document.

    Yields:
        Pairs of a place and a message with its remedy.
    """
    data, comparison = _get(document, "data"), _get(document, "comparison")
    folds, scope = _get(data, "folds"), _get(comparison, "scope") or "new data"
    if not isinstance(folds, int):
        if scope in SCOPES:
            yield (
                ("comparison", "scope"),
                f'"{scope}" is a scope of cross-validation; give [data] folds, such as folds = 5, or choose "new data" '
                'or "this test set"',
            )
        return
    repeats, seeds = _number(data, "repeats", 1), _number(document, "seeds", 5)
    if scope == "this test set":
        yield (
            ("comparison", "scope"),
            f'"{scope}" with folds: every example is a test example of one fold, so claims are about "{SCOPES[0]}" or '
            f'"{SCOPES[1]}"',
        )
    if scope == SCOPES[1] and repeats > 1:
        yield (
            ("comparison", "scope"),
            f'"{scope}" with repeats = {repeats}: it is about one partition; leave `repeats` out and give more seeds',
        )
    if scope == SCOPES[1] and seeds < 2:
        yield (
            ("comparison", "scope"),
            f'"{scope}" with seeds = {seeds}: one seed in each fold does not show how much scores vary with the seed; '
            "write 2 seeds or more",
        )
    if (_number(document, "first_seed", 0) + seeds) * folds * repeats > MAX_FOLDED_SEED:
        yield ("seeds",), f"{seeds} seeds in each of {folds * repeats} folds: more seeds than there are; take fewer"
    yield from _find_unsupported(document, comparison)


def refuse_folds(document: StudyDocument, what: str, instead: str) -> None:
    """Refuse a study with folds where something does not support them.

    Args:
        document: the study.
        what: what does not, and why.
        instead: what to do instead.

    Raises:
        UsageError: it has folds.
    """
    if document.data.folds is not None:
        raise UsageError(
            f"study '{document.name}' has folds, which are not supported by {what}; {instead}, or give a study with a "
            "fixed test split (leave `folds` out)"
        )


def check_fold_metrics(document: StudyDocument, data: DataSummary) -> None:
    """Check that every fold has examples of every class, where the study adds metrics: AUC, for one, needs them.

    Args:
        document: the study.
        data: the summary of its data, with the folds.

    Raises:
        UsageError: a fold lacks a class.
    """
    lacking = [place for place, fold in enumerate(data.folds) if fold.test_classes < data.classes]
    if document.protocol.metrics and lacking:
        repeat, fold = divmod(lacking[0], document.data.folds or 1)
        raise UsageError(
            f"study '{document.name}': fold {fold} of repetition {repeat} has test examples of "
            f"{data.folds[lacking[0]].test_classes} of the {data.classes} classes, and metrics such as AUC are not "
            "defined there; take fewer folds, or leave `metrics` out"
        )


def _find_unsupported(document: Any, comparison: Any) -> Iterator[tuple[Place, str]]:
    if _get(comparison, "looks"):
        yield (
            ("comparison", "looks"),
            "planned looks with folds: the training parts of repetitions share most of their examples, so that "
            "errors over looks are not known for cross-validation; leave `looks` out and give `repeats`, which "
            "`paribus plan` counts",
        )
    arms = _get(document, "arms")
    for name, arm in arms.items() if isinstance(arms, Mapping) else ():
        if _get(arm, "grid"):
            yield (
                ("arms", str(name), "grid"),
                "tuning with folds: values would have to be selected again in each fold, which is not supported; write "
                "the values into the arms, or tune on other data",
            )
    contrasts = _get(document, "contrasts")
    for index, contrast in enumerate(contrasts if isinstance(contrasts, list | tuple) else ()):
        metric = _get(contrast, "metric") or "test_accuracy"
        if isinstance(metric, str) and not metric.startswith("test_"):
            yield (
                ("contrasts", index, "metric"),
                f"'{metric}' with folds: the training parts of the folds share most of their examples, so that no "
                "interval of it holds; compare a metric of the test parts, such as test_accuracy",
            )


def _number(table: Any, key: str, default: int) -> int:
    value = _get(table, key)
    return value if isinstance(value, int) else default


def _get(table: Any, key: str) -> Any:
    """A value of a table of TOML or of a model; None where it is missing."""
    return table.get(key) if isinstance(table, Mapping) else getattr(table, key, None)
