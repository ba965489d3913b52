"""From an arm as a study writes it to its canonical form; scikit-learn judges, and each mistake has its place."""

from __future__ import annotations

import difflib
import inspect
import json
from collections.abc import Iterator
from typing import Any

from sklearn.base import BaseEstimator, is_classifier
from sklearn.utils.validation import has_fit_parameter

from paribus.errors import Mistake, ModelError
from paribus.estimators.canonical import argument, recipe_text
from paribus.estimators.classes import close_to, find
from paribus.estimators.size import too_large
from paribus.records import DescribeJob, Recipe

_REMEDIES = {
    "SGDClassifier": 'give it loss = "log_loss" or "modified_huber"',
    "VotingClassifier": 'give it voting = "soft"',
    "StackingClassifier": 'name its last step, such as final_estimator = "LogisticRegression"',
}
"""How a classifier that gives no probabilities can; all others are wrapped in one that adds them."""

_ENSEMBLE = "{ CalibratedClassifierCV = { ensemble = false, estimator = "


def describe(job: DescribeJob) -> Recipe:
    """Build an arm's estimator without fitting it, and write down its canonical form.

    Args:
        job: the arm as the study writes it, with its protocol.

    Raises:
        ModelError: scikit-learn refuses the estimator or an argument, or it cannot be trained under the protocol; the
            error lists every mistake.
    """
    place = f"arm '{job.arm}', estimator"
    written = json.loads(job.spec)["estimator"]
    wrong = list(_mistakes(written))
    if not wrong:
        ((name, arguments),) = written.items()
        estimator = argument("", {name: arguments})
        wrong = list(_objections(estimator, weighted=job.training.class_weight is not None))
    if wrong:
        raise ModelError(f"arm '{job.arm}'", [Mistake(place, text) for text in wrong])
    return Recipe(recipe_text(estimator), "", 0, ())


def _mistakes(written: dict[str, dict[str, Any]]) -> Iterator[str]:
    """What is wrong with a class, its arguments, and the estimators inside it."""
    ((name, arguments),) = written.items()
    cls = find(name)
    if cls is None:
        yield f"scikit-learn has no classifier '{name}' that a study may name{close_to(name)}"
        return
    known = [parameter for parameter in cls._get_param_names() if parameter not in {"random_state", "n_jobs", "memory"}]
    unknown = [key for key in arguments if key not in known]
    for key in unknown:
        lower = {parameter.lower(): parameter for parameter in known}
        close = difflib.get_close_matches(key.lower(), lower, n=1)
        hint = f"did you mean {lower[close[0]]}? " if close else ""
        yield f"{name} has no argument '{key}'; {hint}it has {', '.join(known) or 'none'}"
    inside = [problem for value in arguments.values() for problem in _inside(value)]
    yield from inside
    if not inside:
        yield from _refused(cls, {key: value for key, value in arguments.items() if key not in unknown})


def _inside(value: Any) -> Iterator[str]:
    """What is wrong with estimators inside an argument."""
    if isinstance(value, dict) and len(value) == 1 and isinstance(next(iter(value.values())), dict):
        name = next(iter(value))
        if find(name) is not None or name[:1].isupper():
            yield from _mistakes(value)
    elif isinstance(value, list):
        for item in value:
            yield from _inside(item)


def _refused(cls: type[BaseEstimator], arguments: dict[str, Any]) -> Iterator[str]:
    """What scikit-learn's own check of values says, one argument after the other: it ends at the first by itself."""
    values = {}
    for name, value in arguments.items():
        try:
            values[name] = argument(name, value)
        except ValueError:
            yield f"{cls.__name__}, {name}: {value!r}; classes are numbered 0, 1, 2 ... in the order of their names"
    try:
        usual = cls(**values).get_params(deep=False)
    except TypeError as error:
        yield f"{cls.__name__}: {str(error).split('() ', 1)[-1]}; give it"
        return
    for name in values:
        default = {key: value for key, value in _defaults(cls).items() if key != name}
        try:
            cls(**{**usual, **default})._validate_params()
        except ValueError as error:
            yield str(error)


def _defaults(cls: type[BaseEstimator]) -> dict[str, Any]:
    """The arguments that have a default."""
    parameters = inspect.signature(cls.__init__).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty and p.name != "self"}


def _objections(estimator: Any, *, weighted: bool) -> Iterator[str]:
    """Why an estimator that scikit-learn accepts cannot be an arm."""
    name = type(estimator).__name__
    try:
        classifies = is_classifier(estimator)
    except AttributeError:  # scikit-learn 1.9 asks the estimator inside, and there is none
        yield f'{name} needs an estimator inside it; give it one, such as estimator = "LogisticRegression"'
        return
    if not classifies:
        yield f"{name} is not a classifier; name one, such as LogisticRegression"
        return
    if not hasattr(estimator, "predict_proba"):
        remedy = _REMEDIES.get(name, f'put it inside one that adds them: {_ENSEMBLE}"{name}" }} }}')
        yield f"{name} gives no probabilities of classes, by which losses are measured; {remedy}"
    if (large := too_large(estimator)) is not None:
        yield large
    if weighted:
        if not has_fit_parameter(estimator, "sample_weight"):
            yield f"{name} cannot weigh examples, and the protocol has class_weight; leave one of them out"
        elif estimator.get_params(deep=False).get("class_weight") is not None:
            yield f"class_weight of {name}: the protocol has class_weight for all arms; leave one of them out"
