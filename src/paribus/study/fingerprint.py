"""Fingerprints of runs: the digest of recipe, training, data and its preparation, seeds, and the engine's version.

The names of study and arm do not count, nor the path of the data: equal runs of two studies are computed once
(``docs/decisions/0007-runs-are-named-by-fingerprints.md``).
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from dataclasses import asdict

from paribus.keras_config.names import is_binary_loss, is_hinge, takes_logits
from paribus.keras_config.sequences import has_sequences
from paribus.keras_config.windows import has_windows
from paribus.records import DataSpec, DataSummary, Recipe, Seeds, Training, canonical_json
from paribus.study.document import Arm

ENGINE = 1
"""Raised by one whenever the engine, by design, computes other bits for the same job."""

KERNELS = 2
"""Raised whenever, by design, it does so for networks with convolutions, pooling or transformed images only.

Decision 0058; 2 since sums, few filters and transformed images are computed otherwise (decisions 0110 to 0112).
"""

SEQUENCES = 1
"""Raised whenever, by design, it does so for networks with attention or recurrent layers only (decision 0142)."""


def run_fingerprint(recipe: Recipe, training: Training, spec: DataSpec, data: DataSummary, seeds: Seeds) -> str:
    """The sha256 (64 hexadecimal digits) that names a run.

    Of the data its content and its preparation count; the path and the way of reading it are in the content already.

    Args:
        recipe: the canonical form of the arm.
        training: how it is trained, with weights by class index (``study.plan.with_class_indices``).
        spec: how the data is prepared.
        data: has the fingerprint of the data's content.
        seeds: the seeds of the three streams; they do not count for an estimator that draws nothing at random.
    """
    # What is added later changes no older name.
    more = {"kernels": KERNELS} if has_windows(recipe) else {}
    more |= {"sequences": SEQUENCES} if has_sequences(recipe) else {}
    return _digest(
        {
            **more,
            "engine": ENGINE,
            "model": recipe.model,
            "optimizer": recipe.optimizer,
            "training": _training_fields(training, recipe) | _measurement_version(recipe, training, data),
            "data": data.fingerprint,
            "preparation": {
                "scale": None if spec.scale is None else float(spec.scale),
                "flatten": spec.flatten,
                "standardize": spec.standardize,
            },
            "seeds": asdict(seeds) if recipe.seeded else None,
        }
    )


def _training_fields(training: Training, recipe: Recipe) -> dict[str, object]:
    """The fields of a training that are set and used, so that a field added later changes no older fingerprint."""
    fields = asdict(training) | {"validation_split": float(training.validation_split)}
    if recipe.is_estimator:
        used = ("loss", "validation_split", "class_weight", "metrics", "positive", "validation", "metric_sources")
        return {key: fields[key] for key in used if fields[key] is not None}
    if training.early_stopping is not None:
        fields["early_stopping"] |= {"min_delta": float(training.early_stopping.min_delta)}
    return {key: value for key, value in fields.items() if value is not None}


def _measurement_version(recipe: Recipe, training: Training, data: DataSummary) -> dict[str, object]:
    """The version of the measurement where it changed, so that runs measured in the old way are not read as new ones.

    Metrics of two classes and of logits saw other forms of the answers (docs/decisions/0061); hinge losses decided at
    one half; the probabilities of several logits under a binary loss were those of a softmax.
    """
    loss = json.loads(training.loss)
    metrics_differ = training.metrics is not None and (data.classes == 2 or takes_logits(loss) or is_hinge(loss))
    answers_differ = not recipe.is_estimator and (is_hinge(loss) or (is_binary_loss(loss) and takes_logits(loss)))
    return {"measured": 2} if metrics_differ or answers_differ else {}


def recipe_key(arm: Arm, training: Training, data: DataSummary) -> str:
    """The key of an arm's canonical form: a digest of everything that the form depends on, computed without Keras.

    Args:
        arm: the arm as the study writes it.
        training: the protocol.
        data: the data, whose shape and classes the form depends on.

    Returns:
        A sha256, hexadecimal.
    """
    # A field enters the key only where it is set, so that keys stored before the field existed stay the same.
    more = {} if training.metrics is None else {"metrics": training.metrics}
    more |= {} if training.positive is None else {"positive": training.positive}
    more |= {} if arm.initial_weights is None else {"initial_weights": arm.initial_weights.as_record().sha256}
    more |= {} if training.metric_sources is None else {"metric_sources": training.metric_sources}
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
