"""Arguments that Keras would ignore are refused, with what to write instead; those that it has are not."""

from __future__ import annotations

import inspect
from typing import Any

import keras
import pytest

from digits_jobs import SOFTMAX, arm, describe_job
from paribus.engine.arguments import known_arguments, unknown_arguments
from paribus.engine.engine import Engine
from paribus.errors import ModelError

RELICS: list[tuple[Any, Any, str]] = [
    ([{"Dense": {"units": 10, "input_dim": 64}}], "Adam", r"layer 1 \(Dense\): Dense has no argument 'input_dim'"),
    ([{"Dense": {"units": 10, "input_shape": [64]}}], "Adam", "the data says what the network reads; leave it out"),
    (
        [SOFTMAX],
        {"SGD": {"decay": 0.001}},
        r"optimizer \(SGD\): SGD has no argument 'decay': .* schedule, such as { InverseTimeDecay",
    ),
    ([SOFTMAX], {"Adam": {"lr": 0.1}}, "its name is learning_rate"),
    ([{"Dense": {"units": 3, "activaton": "relu"}}, SOFTMAX], "Adam", "did you mean activation"),
    ([{"Dense": {"units": 3, "kernel_initializer": {"RandomNormal": {"std": 1}}}}, SOFTMAX], "Adam", "mean stddev"),
]


@pytest.mark.parametrize(("layers", "optimizer", "said"), RELICS)
def test_what_would_be_ignored_is_refused(layers: Any, optimizer: Any, said: str, engine: Engine) -> None:
    with pytest.raises(ModelError, match=said):
        engine.describe(describe_job(arm(layers, optimizer)))


CLASSES = [
    cls
    for namespace in (keras.layers, keras.optimizers, keras.regularizers, keras.initializers, keras.constraints)
    for name, cls in vars(namespace).items()
    if isinstance(cls, type) and not name.startswith("_")
]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_argument_in_a_signature_is_known(cls: type) -> None:
    parameters = [
        p for p in inspect.signature(cls).parameters.values() if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    assert list(unknown_arguments(cls, dict.fromkeys((p.name for p in parameters), None))) == []


def test_what_all_layers_and_optimizers_have_is_known() -> None:
    for cls in (keras.layers.Dense, keras.layers.LSTM, keras.layers.BatchNormalization):
        assert {"name", "trainable", "dtype", "activity_regularizer"} <= set(known_arguments(cls))
    for optimizer in (keras.optimizers.SGD, keras.optimizers.AdamW):
        assert {"clipnorm", "use_ema", "weight_decay", "gradient_accumulation_steps"} <= set(known_arguments(optimizer))
