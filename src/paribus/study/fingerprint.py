"""What makes two runs the same run: recipe, training, content of the data and its preparation, seeds, and the engine.

The names of study and arm do not count, nor where the data lies: equal runs of two studies are computed once.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from dataclasses import asdict

from paribus.keras_config.names import is_binary_loss, is_hinge, takes_logits
from paribus.keras_config.windows import has_windows
from paribus.records import DataSpec, DataSummary, Recipe, Seeds, Training, canonical_json
from paribus.study.document import Arm

ENGINE = 1
"""Raised whenever, by design, the engine computes other bits for the same job."""

KERNELS = 1
"""Raised whenever, by design, it does so for networks with convolutions or pooling only (decision 0058)."""


def run_fingerprint(recipe: Recipe, training: Training, spec: DataSpec, data: DataSummary, seeds: Seeds) -> str:
    """The sha256 (64 hexadecimal digits) that names a run.

    Of the data counts its content and how it is prepared; where it lies and how it is read is in the content already.
    """
    # What is added later changes no older name.
    more = {"kernels": KERNELS} if has_windows(recipe) else {}
    return _digest(
        {
            **more,
            "engine": ENGINE,
            "model": recipe.model,
            "optimizer": recipe.optimizer,
            "training": _given(training, recipe) | _measured_anew(recipe, training, data),
            "data": data.fingerprint,
            "preparation": {
                "scale": None if spec.scale is None else float(spec.scale),
                "flatten": spec.flatten,
                "standardize": spec.standardize,
            },
            "seeds": asdict(seeds) if recipe.seeded else None,
        }
    )


def _given(training: Training, recipe: Recipe) -> dict[str, object]:
    """What a training says, without what it does not use: what is added to trainings later names no old run anew."""
    said = asdict(training) | {"validation_split": float(training.validation_split)}
    if recipe.is_estimator:
        used = ("loss", "validation_split", "class_weight", "metrics", "positive", "validation")
        return {key: said[key] for key in used if said[key] is not None}
    if training.early_stopping is not None:
        said["early_stopping"] |= {"min_delta": float(training.early_stopping.min_delta)}
    return {key: value for key, value in said.items() if value is not None}


def _measured_anew(recipe: Recipe, training: Training, data: DataSummary) -> dict[str, object]:
    """What sets runs apart from those stored when the same training was measured in another way.

    Metrics of two classes and of logits saw other forms of the answers (docs/decisions/0061); hinge losses decided at
    one half; the probabilities of several logits under a binary loss were those of a softmax.
    """
    loss = json.loads(training.loss)
    metrics_differ = training.metrics is not None and (data.classes == 2 or takes_logits(loss) or is_hinge(loss))
    answers_differ = not recipe.is_estimator and (is_hinge(loss) or (is_binary_loss(loss) and takes_logits(loss)))
    return {"measured": 2} if metrics_differ or answers_differ else {}


def recipe_key(arm: Arm, training: Training, data: DataSummary) -> str:
    """Names an arm's canonical form before Keras has been asked for it: everything that the form depends on."""
    # What is added later changes no older key.
    more = {} if training.metrics is None else {"metrics": training.metrics}
    more |= {} if training.positive is None else {"positive": training.positive}
    if arm.estimator is not None:
        return _digest(
            {
                **more,
                "arm": arm.spec(),
                "weighted": training.class_weight is not None,
                "scikit-learn": importlib.metadata.version("scikit-learn"),
                "engine": ENGINE,
            }
        )
    return _digest(
        {
            **more,
            "arm": arm.spec(),
            "loss": training.loss,
            "input_shape": data.input_shape,
            "classes": data.classes,
            "keras": importlib.metadata.version("keras"),
            "engine": ENGINE,
        }
    )


def _digest(value: object) -> str:
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()
