"""From scikit-learn estimators to arms of a study: their arguments, and not their fitted attributes."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from paribus.study.document import Arm
from paribus.study.mistakes import translate_mistakes


def is_estimator(model: Any) -> bool:
    """Whether this is a scikit-learn estimator, without importing scikit-learn: an estimator has imported it.

    Args:
        model: any object.
    """
    base: ModuleType | None = sys.modules.get("sklearn.base")
    return base is not None and isinstance(model, base.BaseEstimator)


def write_estimator_arm(model: Any) -> Arm:
    """An estimator as an arm: its class, and those of its arguments that are not scikit-learn's defaults.

    Args:
        model: the estimator, fitted or not.

    Raises:
        ValueError: it cannot be written down, or it has an argument that no arm may set, such as ``random_state``.
    """
    from paribus.estimators.canonical import written

    try:
        return Arm.model_validate({"estimator": written(model)})
    except ValidationError as error:
        raise ValueError("; ".join(mistake.message for mistake in translate_mistakes(error))) from error
