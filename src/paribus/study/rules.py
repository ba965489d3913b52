"""Rules between the tables of a study, such as that a contrast names arms of the study.

Tables come as TOML has them, or as models of ``paribus.study.document``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any, cast

from pydantic_core import InitErrorDetails, PydanticCustomError

from paribus.keras_config import names as keras_names
from paribus.keras_config.names import is_log_loss, spelled_out
from paribus.records import MEASURES
from paribus.study.fold_rules import find_fold_mistakes
from paribus.study.learning_rates import find_rate_mistakes


def find_contradictions(document: Any) -> Iterator[InitErrorDetails]:
    """Find tables of a study that contradict each other. Tables that are invalid in themselves are skipped.

    Args:
        document: a study as its TOML is parsed, or its checked document.
    """
    arms, contrasts = _get(document, "arms"), _get(document, "contrasts")
    loss = spelled_out(_get(_get(document, "protocol"), "loss"))
    readable = isinstance(loss, Mapping) and all(isinstance(arguments, Mapping) for arguments in loss.values())
    has_log_loss = is_log_loss(cast("Mapping[str, Any]", loss)) if readable else True
    if not isinstance(arms, Mapping):
        return
    yield from (make_mistake(place, message) for place, message in find_rate_mistakes(document))
    yield from (make_mistake(place, message) for place, message in find_fold_mistakes(document))
    known = ", ".join(map(str, arms))
    measured = (*MEASURES, *_list_added_measures(_get(document, "protocol")))
    declared: list[tuple[frozenset[str], object]] = []
    for index, contrast in enumerate(contrasts if isinstance(contrasts, list | tuple) else ()):
        sides = [name for name in (_get(contrast, "a"), _get(contrast, "b")) if isinstance(name, str)]
        for name in sides:
            if name not in arms:
                yield make_mistake(("contrasts", index), f"unknown arm '{name}'; the arms are {known}")
        metric = _get(contrast, "metric") or "test_accuracy"
        if isinstance(metric, str) and metric not in measured:
            message = f"'{metric}' is not measured; one of {', '.join(measured)} is expected"
            yield make_mistake(("contrasts", index, "metric"), message)
        if len(sides) == 2 and (frozenset(sides), metric) in declared:
            message = f"'{sides[0]}' against '{sides[1]}' on {metric} is declared twice; keep one"
            yield make_mistake(("contrasts", index), message)
        declared.append((frozenset(sides), metric))
        estimators = [name for name in sides if _get(arms.get(name), "estimator") is not None]
        measure = MEASURES.get(str(metric))
        if estimators and measure is not None and measure.from_fit:
            message = (
                f"{metric} of '{estimators[0]}': it is what fit prints of networks, and a scikit-learn estimator has "
                "none; compare test_accuracy or train_accuracy"
            )
            yield make_mistake(("contrasts", index), message)
        elif estimators and measure is not None and measure.is_loss and not has_log_loss:
            message = (
                f"{metric} of '{estimators[0]}': a scikit-learn estimator is measured by its log loss alone, and the "
                'protocol has another; compare test_accuracy, or let the loss be "categorical_crossentropy"'
            )
            yield make_mistake(("contrasts", index), message)
    if _get(_get(document, "comparison"), "factorial") is True:
        levels = [_get(arm, "levels") for arm in arms.values()]
        designs = {frozenset(arm_levels) if isinstance(arm_levels, Mapping) else frozenset() for arm_levels in levels}
        if len(designs) != 1 or not next(iter(designs)):
            message = "true, but not every arm has `levels` of the same factors; give them to every arm"
            yield make_mistake(("comparison", "factorial"), message)
    yield from _find_effect_mistakes(document, arms)


def _find_effect_mistakes(document: Any, arms: Mapping[Any, Any]) -> Iterator[InitErrorDetails]:
    """Find primary effects that the study does not have."""
    comparison = _get(document, "comparison")
    names = _get(comparison, "primary_effects")
    if not isinstance(names, list | tuple) or not names:
        return
    place = ("comparison", "primary_effects")
    if _get(comparison, "factorial") is not True:
        yield make_mistake(place, "a study has effects where it is factorial; give it [factors], or `factorial = true`")
        return
    levels = next(iter(arms.values()), None)
    factors = [str(factor) for factor in _get(levels, "levels") or {}]
    known = [*factors, *(f"{first} x {second}" for first, second in combinations(factors, 2))]
    for name in names:
        if name not in known:
            yield make_mistake(place, f"'{name}' is not an effect of this study; its effects are {', '.join(known)}")


def _list_added_measures(protocol: Any) -> Iterator[str]:
    """List the measures of the metrics that a protocol adds: ``test_auc``, ``train_auc``. Invalid ones are left out."""
    metrics = _get(protocol, "metrics")
    for metric in metrics if isinstance(metrics, list | tuple) else ():
        for name, arguments in spelled_out(metric).items() if isinstance(metric, str | dict) else ():
            options = arguments if isinstance(arguments, dict) else {}
            try:
                metric_name = keras_names.name_of(keras_names.class_named(str(name)), options)
            except ValueError:
                continue
            yield from (f"{split}_{metric_name}" for split in keras_names.SPLITS)


def _get(table: Any, key: str) -> Any:
    """A value of a table of TOML or of a model; None where it is missing."""
    return table.get(key) if isinstance(table, Mapping) else getattr(table, key, None)


def make_mistake(
    place: tuple[str | int, ...], message: str, kind: str = "contradiction", value: object = None
) -> InitErrorDetails:
    """A mistake with its place, in the form that pydantic raises.

    Args:
        place: the keys that lead to it, such as ``("contrasts", 0)``.
        message: what is wrong, and the remedy.
        kind: the type of the error, one word.
        value: the value that breaks the rule.
    """
    return InitErrorDetails(type=PydanticCustomError(kind, "{message}", {"message": message}), loc=place, input=value)
