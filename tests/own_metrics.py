"""Metrics of a user's own, in a module as workers need it."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="tests")
class ExpectedCost(keras.metrics.Metric):
    """The mean cost of the answered class: ``weight`` a wrong one, nothing a right one. Less is better."""

    def __init__(self, weight: float = 1.0, name: str = "cost", **kwargs: Any) -> None:
        super().__init__(name=name, **kwargs)
        self.weight = weight
        self._direction = "down"
        self.total = self.add_variable((), "zeros", name="total")
        self.count = self.add_variable((), "zeros", name="count")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        wrong = ops.not_equal(ops.argmax(y_true, -1), ops.argmax(y_pred, -1))
        self.total.assign_add(self.weight * ops.sum(ops.cast(wrong, "float32")))
        self.count.assign_add(ops.cast(ops.shape(y_pred)[0], "float32"))

    def result(self) -> Any:
        return self.total / self.count

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weight": self.weight}


@keras.saving.register_keras_serializable(package="tests")
class CoarseAUC(keras.metrics.AUC):
    """Extends a metric of Keras."""

    def __init__(self, name: str = "coarse_auc", **kwargs: Any) -> None:
        super().__init__(num_thresholds=20, name=name)


@keras.saving.register_keras_serializable(package="tests")
class Mass(keras.metrics.Metric):
    """The mean of the first output, as it is, whatever that means."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._direction = "up"
        self.mean = keras.metrics.Mean()

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.mean.update_state(y_pred[:, 0])

    def result(self) -> Any:
        return self.mean.result()


@keras.saving.register_keras_serializable(package="tests")
class WithoutDirection(Mass):
    """Does not say what is better."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._direction = None


@keras.saving.register_keras_serializable(package="tests")
class Unsaved(Mass):
    """Its config does not hold its argument."""

    def __init__(self, weight: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.weight = weight


@keras.saving.register_keras_serializable(package="tests")
class SeveralNumbers(Mass):
    """Says a mapping."""

    def result(self) -> Any:
        return {"a": self.mean.result(), "b": 1.0}


@keras.saving.register_keras_serializable(package="tests")
class Raising(Mass):
    """Cannot read what it is shown."""

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        raise KeyError("fraud")


class Unregistered(Mass):
    """Nobody can find it by its name."""
