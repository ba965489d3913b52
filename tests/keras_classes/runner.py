"""Trains one class here and with Keras, from the same weights on the same batches, and says what came out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import jax
import keras
import numpy as np
from pydantic import ValidationError

from keras_classes.layers import SOFTMAX, LayerCase, case_of
from keras_classes.names import begins_with, exported, first_name
from paribus.engine.losses import OutputKind
from paribus.engine.metrics import ProtocolMetric, ProtocolMetrics, measure_metrics, metric_objections
from paribus.engine.own_metrics import metric_class
from paribus.engine.rebuild import as_read, input_shape
from paribus.errors import ParibusError
from paribus.keras_config import names as keras_names
from parity import Case, check, drawn, examples, keras_twin, written

EQUAL, REFUSED, DIFFERENT = "equal", "refused", "different"
BATCHES = 5


@dataclass(frozen=True)
class Verdict:
    """What became of one class.

    Attributes:
        verdict: ``equal`` (to Keras's), ``refused`` (by name), or ``different``, which must not be.
        how: how it was compared, or what was said.
    """

    verdict: str
    how: str


def run(kind: str, name: str) -> Verdict:
    """Try one class of ``keras.losses``, say."""
    if (first := first_name(kind, name)) != name:
        return Verdict(EQUAL, f"the same class as {first}")
    try:
        how = _RUNNERS[kind](name)
    except (ParibusError, ValidationError, RefusedMetricError) as error:
        return Verdict(REFUSED, _first_mistake(error))
    except AssertionError as error:
        return Verdict(DIFFERENT, " ".join(str(error).split())[:300])
    return Verdict(EQUAL, how)


def run_all(
    kind: str, letters: str = "A-Z", done: Callable[[str, Verdict], None] = lambda *_: None
) -> dict[str, dict[str, str]]:
    """Every class of a kind whose name begins with one of these letters, by name, as JSON would have it."""
    found = {}
    for name in filter(partial(begins_with, letters), exported(kind)):
        verdict = run(kind, name)
        done(name, verdict)
        found[name] = asdict(verdict)
    return found


class RefusedMetricError(Exception):
    """A metric was refused."""


def _first_mistake(error: Exception) -> str:
    mistakes = getattr(error, "mistakes", None)
    if mistakes:
        return f"{mistakes[0].place}: {mistakes[0].message}".replace("arm 'arm', ", "")[:300]
    if isinstance(error, ValidationError):
        return str(error.errors()[0]["msg"])[:300]
    return " ".join(str(error).split())[:300]


def _trained(case: Case) -> str:
    check(case, epochs=1)
    return f"{case.batches} batches and a short one: losses, accuracy, weights, outputs"


LOSS_ARGUMENTS: Mapping[str, dict[str, Any]] = {"BinaryCrossentropy": {}, "Huber": {"delta": 0.4}}
BINARY = ("BinaryCrossentropy", "BinaryFocalCrossentropy", "Hinge", "SquaredHinge")


def _loss(name: str) -> str:
    loss = {name: dict(LOSS_ARGUMENTS.get(name, {}))}
    if name in BINARY:
        margins = name.endswith("Hinge")
        end = {"Dense": {"units": 1, "activation": "tanh" if margins else "sigmoid"}}
        accuracy: Any = keras.metrics.BinaryAccuracy("accuracy", threshold=0.0 if margins else 0.5)
        return _trained(Case([end], "SGD", loss, classes=2, batches=BATCHES, accuracy=accuracy))
    integers = name.startswith("Sparse") or name == "CategoricalGeneralizedCrossEntropy"
    accuracy = "sparse_categorical_accuracy" if integers else "categorical_accuracy"
    return _trained(Case([SOFTMAX], "SGD", loss, batches=BATCHES, accuracy=accuracy))


def _optimizer(name: str) -> str:
    return _trained(Case([{"Dense": {"units": 6, "activation": "relu"}}, SOFTMAX], {name: {}}, batches=BATCHES))


METRIC_ARGUMENTS: Mapping[str, dict[str, Any]] = {
    "OneHotIoU": {"num_classes": 4, "target_class_ids": [0, 2]},
    "OneHotMeanIoU": {"num_classes": 4},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "F1Score": {"average": "macro"},
    "FBetaScore": {"average": "weighted"},
    "TopKCategoricalAccuracy": {"k": 2},
    "SparseTopKCategoricalAccuracy": {"k": 2},
}


def _metric(name: str) -> str:
    """On the outputs of a network of four classes that Keras trained."""
    try:
        cls = keras_names.class_named(name)
    except ValueError as error:
        raise RefusedMetricError(str(error)) from error
    arguments = dict(METRIC_ARGUMENTS.get(cls, {}))
    metric = ProtocolMetric.of(cls, arguments, metric_class(cls, {}))
    asked = ProtocolMetrics((metric,), '{"categorical_crossentropy": {}}', OutputKind.PROBABILITIES, 4, None)
    if objections := metric_objections(asked, 4):
        raise RefusedMetricError(objections[0])
    case = Case([SOFTMAX], "SGD", batches=BATCHES)
    recipe, network = written(case)
    twin = keras_twin(recipe, network, drawn(network))
    x, labels = examples(case)
    one_hot = keras.utils.to_categorical(labels, 4)
    twin.fit(x, one_hot, batch_size=10, epochs=1, shuffle=False, verbose=0)
    outputs = np.asarray(twin.predict(x, verbose=0))
    plain = getattr(keras.metrics, name)(**arguments)
    plain.update_state(labels if name.startswith("Sparse") else one_hot, outputs)
    (found,) = measure_metrics(asked, outputs, labels).values()
    np.testing.assert_allclose(found, float(plain.result()), rtol=1e-5, atol=1e-6)
    return "on a trained network's outputs"


def _layer(name: str) -> str:
    case = case_of(name)
    network_case = Case(**_network(name, case), shape=case.shape, batches=BATCHES, highest=case.highest)
    if not case.random:
        return _trained(network_case)
    return _distributed(network_case, case.draws)


def _network(name: str, case: LayerCase) -> dict[str, Any]:
    if case.build is not None:
        keras.utils.clear_session(free_memory=False)
        return {"model": json.dumps(keras.saving.serialize_keras_object(case.build()))}
    layer: dict[str, Any] = {name: case.arguments}
    around = case.around(layer) if case.around is not None else layer
    return {"layers": [around, "Flatten", SOFTMAX]}


def _distributed(case: Case, draws: int) -> str:
    """What draws at random: means and deviations over many draws, within five standard errors; and it trains."""
    recipe, network = written(case)
    state = drawn(network)
    twin = keras_twin(recipe, network, state)
    x, _ = examples(case)
    reads = as_read(input_shape(network.model)[1:], case.shape)
    assert reads is not None
    x = x[:4].reshape(-1, *reads)

    def ours(keys: jax.Array) -> jax.Array:
        drawn_keys = iter(keys)
        others = [
            next(drawn_keys) if i in network.seed_states else value for i, value in enumerate(state.non_trainable)
        ]
        return network.call(state.trainable, others, x, training=True)[0]

    generators = len(network.seed_states)
    words = np.random.default_rng(0).integers(0, 2**32, (draws, generators, 1), dtype=np.uint32)
    keys = np.concatenate([words, np.zeros_like(words)], axis=-1)
    here = np.stack([np.asarray(jax.jit(ours)(each)) for each in keys])
    there = np.stack([np.asarray(twin(x, training=True)) for _ in range(draws)])
    assert np.ptp(here, axis=0).max() > 0, "nothing is drawn here"
    spread = np.sqrt((here.var(axis=0) + there.var(axis=0)) / draws) + 1e-4
    np.testing.assert_array_less(np.abs(here.mean(axis=0) - there.mean(axis=0)) / spread, 5.0, "means differ")
    ratio = (here.std(axis=0).mean() + 1e-4) / (there.std(axis=0).mean() + 1e-4)
    assert 0.6 < ratio < 1.7, f"deviations differ: {ratio}"
    answers = network.call(state.trainable, state.non_trainable, x, training=False)[0]
    np.testing.assert_allclose(answers, twin(x, training=False), atol=1e-5)
    return f"means and deviations over {draws} draws; outputs in inference mode"


_RUNNERS: Mapping[str, Callable[[str], str]] = {
    "losses": _loss,
    "metrics": _metric,
    "optimizers": _optimizer,
    "layers": _layer,
}
