"""The same training by paribus from a live model, and by Keras's own ``fit`` of that model, from the same weights.

Keras gets the user's own model and compile arguments, never what paribus made of them: what is lost on the way from a
live model to a run shows as a difference.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

import paribus as pb
from in_process import InProcess
from paribus import seeds
from paribus.engine import dropout
from paribus.engine.engine import Engine
from paribus.engine.network import Network
from paribus.records import Ended, Event, Job, RunResult, TrainJob
from parity import draw_program

EPOCHS, BATCH, TRAINED, TESTED = 2, 10, 63, 30

Arrays = tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]


@dataclass(frozen=True)
class NetworkCase:
    """A network as somebody has it, and what comes of it.

    Attributes:
        what: in words.
        build: makes it, compiled or not.
        data: the examples that it reads, a key of ``DATA``.
        options: of ``pb.Study``, for what the model is not compiled with.
        says: where it is refused, a part of the reason; else it is trained as Keras trains it.
        notes: a part of the note that the answer has.
        accuracy: Keras's metric for the share of right answers, where "accuracy" does not say that.
        boundary: above which a single output answers class 1.
        tolerance: of losses, relative.
    """

    what: str
    build: Callable[[], keras.Model]
    data: str = "flat"
    options: Mapping[str, Any] = field(default_factory=dict)
    says: str = ""
    notes: str = ""
    accuracy: Callable[[], Any] = lambda: "accuracy"
    boundary: float = 0.5
    tolerance: float = 3e-4


class Recorder(InProcess):
    """Keeps every run that was trained, with its job."""

    def __init__(self) -> None:
        super().__init__(Engine())
        self.runs: list[tuple[TrainJob, RunResult]] = []

    def run(self, jobs: Sequence[Job]) -> Generator[Event]:
        for event in super().run(jobs):
            if isinstance(event, Ended):
                self.runs.append((event.job, event.result))
            yield event


def _patterns(shape: tuple[int, ...], classes: int) -> Arrays:
    """Noisy copies of one pattern a class."""
    generator = np.random.default_rng(3)
    labels = generator.integers(0, classes, TRAINED + TESTED)
    x = generator.uniform(0, 1, (classes, *shape))[labels] + generator.normal(0, 0.1, (TRAINED + TESTED, *shape))
    x = x.astype(np.float32)
    return x[:TRAINED], labels[:TRAINED], x[TRAINED:], labels[TRAINED:]


def _tokens(classes: int) -> Arrays:
    """Words 1 to 19 of a class's own, and 0 where a text is shorter than nine words."""
    generator = np.random.default_rng(3)
    labels = generator.integers(0, classes, TRAINED + TESTED)
    x = generator.integers(1, 20, (TRAINED + TESTED, 9)) // (labels[:, None] + 1) + 1
    x = np.where(np.arange(9) < generator.integers(3, 10, (TRAINED + TESTED, 1)), x, 0).astype(np.int32)
    return x[:TRAINED], labels[:TRAINED], x[TRAINED:], labels[TRAINED:]


DATA: dict[str, Callable[[], Arrays]] = {
    "flat": lambda: _patterns((12,), 4),
    "two classes": lambda: _patterns((12,), 2),
    "rows": lambda: _patterns((6, 5), 4),
    "pictures": lambda: _patterns((8, 8, 1), 4),
    "colours": lambda: _patterns((8, 8, 3), 4),
    "films": lambda: _patterns((3, 5, 5, 1), 4),
    "tokens": lambda: _tokens(4),
}


def study_of(case: NetworkCase) -> pb.Study:
    """The study that somebody would make of the model.

    Raises:
        ParibusError: it is refused as it is given.
    """
    options = {"seeds": 1, "epochs": EPOCHS, "batch_size": BATCH, **case.options}
    return pb.Study({"a": case.build()}, DATA[case.data](), **options)


def train_here(case: NetworkCase) -> tuple[TrainJob, RunResult, tuple[str, ...]]:
    """One run, and the notes of the answer.

    Raises:
        ParibusError: it is refused.
    """
    recorder = Recorder()
    results = study_of(case).run(backend=recorder, progress=False)
    ((job, result),) = recorder.runs
    return job, result, results.outcome.notes


def check_equal(case: NetworkCase) -> None:
    """Train both ways; compare what ``fit`` and ``evaluate`` say, every weight, and every answer."""
    job, result, notes = train_here(case)
    assert case.notes in " ".join(notes) if case.notes else not [note for note in notes if note.startswith("a: ")]
    assert result.scores is not None
    assert result.predictions is not None
    x, labels, x_test, test_labels = DATA[case.data]()
    model = _compiled(case)
    network = Network.rebuild(job.recipe, job.training)
    # Builds it, and comes first: Keras's recurrent layers draw masks even where they use none.
    outputs, classes = model(x[:2], training=False).shape[-1], int(labels.max()) + 1
    _give_first_weights(model, network, job)
    y, y_test = (_targets(model, outputs, each, classes) for each in (labels, test_labels))
    # Keras makes the weights of examples of a `class_weight` so, and takes none beside a generator.
    by_class = case.options.get("class_weight")
    weights = None if by_class is None else np.array([by_class[label] for label in labels], np.float32)
    history = model.fit(
        _batches(job, x, y, weights),
        steps_per_epoch=-(-len(x) // BATCH),
        epochs=EPOCHS,
        shuffle=False,
        verbose=0,
    ).history
    # "acc" where the user's metric has a name of its own.
    (accuracies,) = [values for name, values in history.items() if name != "loss"]
    np.testing.assert_allclose(result.curve.fit_loss, history["loss"], rtol=case.tolerance)
    np.testing.assert_allclose(result.curve.fit_accuracy, accuracies, atol=1e-6)
    _compare_weights(case, model, network, result)
    test_loss, test_accuracy = model.evaluate(x_test, y_test, batch_size=len(x_test), verbose=0)
    model(x_test, training=False)
    penalties = float(sum(model.losses))
    share = len(x_test) if model.loss == "sum" or getattr(model.loss, "reduction", "") == "sum" else 1
    np.testing.assert_allclose(result.scores.test_loss, (test_loss - penalties) / share, rtol=10 * case.tolerance)
    np.testing.assert_allclose(result.scores.test_accuracy, test_accuracy, atol=1e-6)
    outputs = np.asarray(model.predict(x_test, verbose=0), np.float32)
    answers = outputs.argmax(axis=1) if outputs.shape[1] > 1 else outputs[:, 0] > case.boundary
    np.testing.assert_array_equal(result.predictions.predicted, answers)


def _compiled(case: NetworkCase) -> keras.Model:
    """The user's model with the user's optimizer and loss, or those of the study."""
    model = case.build()
    optimizer = model.optimizer if model.compiled else case.options.get("optimizer", "adam")
    loss = model.loss if model.compiled else case.options.get("loss", "categorical_crossentropy")
    model.compile(optimizer, loss, metrics=[case.accuracy()])
    return model


def _give_first_weights(model: keras.Model, network: Network, job: TrainJob) -> None:
    """Assign the weights and the states of generators that the run began with, variable by variable in order."""
    keys = seeds.init_key(job.seeds), seeds.dropout_keys(job.seeds, len(network.seed_states))
    state = draw_program(network)(*keys)
    variables = [*model.trainable_variables, *model.non_trainable_variables]
    for variable, value in zip(variables, [*state.trainable, *state.non_trainable], strict=True):
        variable.assign(np.asarray(value))
    for layer in _layers_of_config(model):
        # Its masks have the law of Keras's and other bits, which `tests/engine/test_dropout.py` holds it to.
        if type(layer) is keras.layers.Dropout:
            layer.__class__ = dropout.Dropout


def _layers_of_config(model: Any) -> Iterator[Any]:
    """The layers that a config names: of stacks and functional models, and in wrappers."""
    if isinstance(model, keras.Sequential) or getattr(model, "operations", None):
        for layer in model.layers:
            yield from _layers_of_config(layer)
    elif isinstance(model, keras.layers.Wrapper):
        yield from _layers_of_config(model.layer)
    else:
        yield model


def _targets(model: keras.Model, outputs: int, labels: NDArray[Any], classes: int) -> NDArray[Any]:
    """Labels in the form that a user of this loss hands over."""
    loss = keras.losses.get(model.loss)
    name = str(getattr(loss, "__name__", type(loss).__name__)).lower()
    if name.startswith("sparse") or name.replace("_", "") == "categoricalgeneralizedcrossentropy":
        return labels
    if outputs == 1:
        return labels[:, None].astype(np.float32)
    return np.asarray(keras.utils.to_categorical(labels, classes))


def _batches(
    job: TrainJob, x: NDArray[Any], y: NDArray[Any], weights: NDArray[Any] | None
) -> Iterator[tuple[NDArray[Any], ...]]:
    """Every epoch in the order of the run, with a short last batch."""
    for epoch in range(EPOCHS):
        order = seeds.epoch_order(job.seeds, epoch, len(x))
        for start in range(0, len(x), BATCH):
            rows = order[start : start + BATCH]
            yield (x[rows], y[rows]) if weights is None else (x[rows], y[rows], weights[rows])


def _compare_weights(case: NetworkCase, model: keras.Model, network: Network, result: RunResult) -> None:
    """Every weight at the end, in the order of the variables."""
    assert result.weights is not None
    others = [v for i, v in enumerate(network.model.non_trainable_variables) if i not in network.seed_states]
    paths = [v.path for v in (*network.model.trainable_variables, *others)]
    theirs = [
        *model.trainable_variables,
        *(v for v in model.non_trainable_variables if v.name != "seed_generator_state"),
    ]
    for path, variable in zip(paths, theirs, strict=True):
        expected = np.asarray(variable)
        scale = np.abs(expected).max(initial=0.0) + 1e-3
        np.testing.assert_allclose(result.weights[path], expected, atol=20 * case.tolerance * scale, err_msg=path)
