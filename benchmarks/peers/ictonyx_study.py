"""ictonyx: many seeds of a Keras model, on TensorFlow as its documentation has it. It trains two seeds at least.

It evaluates a validation set after each epoch and has no option not to: here it gets 100 examples.
"""

from __future__ import annotations

import itertools
import time

import ictonyx
import keras
import keras_fit
from contender import EVALUATION_BATCH, Task, Trained, TrainingOptions, contend


def train(task: Task, options: TrainingOptions) -> Trained:
    started = time.perf_counter()
    y_train, y_test = task.one_hot()
    models: list[keras.Model] = []
    fits: list[list[float]] = []

    class Clocked(keras.Sequential):
        """A Sequential that notes when its epochs end: ictonyx hands no callbacks on."""

        def fit(self, *positional: object, **keywords: object) -> object:
            begun = time.perf_counter()
            clock = keras_fit.Clock()
            history = super().fit(*positional, **{**keywords, "callbacks": [clock]})
            fits.append([begun, *clock.ends])
            return history

    def build(_: object) -> ictonyx.KerasModelWrapper:
        model = Clocked(keras_fit.network(task).layers)
        model.build((None, task.x_train.shape[1]))
        model.compile(keras_fit.optimizer(task.optimizer), "categorical_crossentropy", metrics=["accuracy"])
        models.append(model)
        return ictonyx.KerasModelWrapper(model)

    results = ictonyx.variability_study(
        model=build,
        data=(task.x_train, y_train),
        runs=2,
        epochs=options.epochs,
        batch_size=task.batch_size,
        seed=0,
        verbose=False,
        stratify=False,
        X_test=task.x_test,
        y_test=y_test,
        validation_data=(task.x_test[:100], y_test[:100]),
    )
    done = time.perf_counter()
    _, test = models[-1].evaluate(task.x_test, y_test, batch_size=EVALUATION_BATCH, verbose=0)
    _, in_training = models[-1].evaluate(task.x_train, y_train, batch_size=EVALUATION_BATCH, verbose=0)
    evaluated = time.perf_counter() - done
    assert results.n_runs == len(fits) == 2
    ends = fits[-1]
    epochs = [end - start for start, end in itertools.pairwise(ends)]
    # Per run: what is neither fit nor the evaluation of the test split, which ictonyx does itself already.
    beside = (done - started - sum(each[-1] - each[0] for each in fits)) / 2 + evaluated
    return Trained(epochs, beside, None, float(in_training), float(test))


if __name__ == "__main__":
    contend(train)
