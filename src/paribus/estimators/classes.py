"""Which of scikit-learn's classes a study may name: classifiers, and what they may contain (steps, base estimators).

Left out is ``sklearn.model_selection``: a search inside an arm would choose with another budget than other arms have.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterator
from typing import Any

from sklearn.base import BaseEstimator

PACKAGES = (
    "linear_model",
    "ensemble",
    "neural_network",
    "svm",
    "neighbors",
    "naive_bayes",
    "tree",
    "discriminant_analysis",
    "dummy",
    "gaussian_process",
    "semi_supervised",
    "calibration",
    "multiclass",
    "pipeline",
    "preprocessing",
    "decomposition",
    "feature_selection",
    "kernel_approximation",
    "random_projection",
)
"""Where classes are looked for, in this order: ``sklearn.utils.all_estimators`` would import all of scikit-learn."""


def find(name: str) -> Any:
    """The estimator class of that name, or None."""
    if not name.isidentifier() or name.startswith("_"):
        return None
    for package in PACKAGES:
        candidate: Any = getattr(importlib.import_module(f"sklearn.{package}"), name, None)
        if _is_estimator(candidate):
            return candidate
    return None


def close_to(name: str) -> str:
    """``; did you mean LogisticRegression?``, or nothing."""
    known = {name.lower(): name for name in _names()}
    close = difflib.get_close_matches(name.lower(), known, n=1)
    return f"; did you mean {known[close[0]]}?" if close else ""


def is_public(cls: type) -> bool:
    """Whether a class is one that ``find`` finds by its name, and not somebody's own of the same name."""
    return find(cls.__name__) is cls


def _names() -> Iterator[str]:
    for package in PACKAGES:
        module = importlib.import_module(f"sklearn.{package}")
        yield from (name for name in dir(module) if _is_estimator(getattr(module, name)))


def _is_estimator(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, BaseEstimator) and value.__module__.startswith("sklearn.")
