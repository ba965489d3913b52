"""Descriptions of models that somebody hands you: none runs code, reads a file or takes the machine's memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import pytest

from digits_jobs import DIGITS, TWO_EPOCHS, describe_job
from paribus.engine.engine import Engine
from paribus.engine.untrusted import REFUSED, too_large
from paribus.errors import ModelError
from paribus.records import DescribeJob
from paribus.study.document import Arm

OUT = {"Dense": {"units": 10, "activation": "softmax"}}


def config(kind: str, module: str = "keras.layers", /, **arguments: Any) -> dict[str, Any]:
    return {"module": module, "class_name": kind, "config": arguments, "registered_name": None}


def model(*layers: dict[str, Any]) -> Arm:
    start = config("InputLayer", batch_shape=[None, 64], dtype="float32", name="i")
    whole = [start, *layers, config("Dense", units=10, activation="softmax")]
    return Arm(model=json.dumps(config("Sequential", "keras", name="s", layers=whole)))


def function(module: str, name: str) -> dict[str, Any]:
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def said(engine: Engine, arm: Arm) -> str:
    with pytest.raises(ModelError) as caught:
        engine.describe(DescribeJob("a", arm.spec(), DIGITS, TWO_EPOCHS))
    return str(caught.value)


BAD = {
    "a class of another module": (model(config("system", "os", command="touch pwned")), "Could not locate class"),
    "a process": (model(config("Popen", "subprocess", args=["touch", "pwned"])), "Could not locate class 'Popen'"),
    "a function of another module": (
        model(config("Dense", units=3, activation=function("os", "system"))),
        "Could not locate function 'system'",
    ),
    "a download": (
        model(config("Dense", units=3, kernel_initializer=function("keras.utils", "get_file"))),
        "Could not interpret initializer",
    ),
    "a pickled function": (
        model(config("Lambda", function={"class_name": "__lambda__", "config": {"code": "4wEAAAAA"}})),
        "Lambda runs code that a file brings along",
    ),
    "a layer inside another": (
        model(config("TimeDistributed", layer=config("Lambda", function="x"))),
        "Lambda runs code that a file brings along",
    ),
    "a file of words": (model(config("StringLookup", vocabulary="/etc/passwd")), "StringLookup reads files by their"),
    "a million brackets": (Arm(model="[" * 1_000_000), "nested too deeply"),
    "a thousand tables": (Arm(model='{"a":' * 5000 + "1" + "}" * 5000), "nested too deeply"),
    "a terabyte of weights": (model(config("Dense", units=10**12)), "75,000,000,000,010 parameters need 1.1 PiB"),
    "a terabyte of outputs": (
        model(config("RepeatVector", n=10**9), config("GlobalMaxPooling1D")),
        "(RepeatVector) answers a batch of 100 examples with 23.3 TiB",
    ),
    "as layers: more weights than fit": (Arm(layers=[{"Dense": {"units": 10**25}}, OUT]), "parameters need"),
}


@pytest.mark.parametrize(("arm", "says"), BAD.values(), ids=BAD)
def test_it_is_refused(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arm: Arm, says: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert says in said(engine, arm)
    assert list(tmp_path.iterdir()) == [], "nothing ran"


@pytest.mark.parametrize("name", REFUSED)
def test_layers_that_are_never_built(engine: Engine, name: str) -> None:
    for arm in (model(config(name)), Arm(layers=[name, OUT])):
        text = said(engine, arm)
        assert f"{name} {REFUSED[name]}" in text
        assert "hand the model over in Python" in text


def test_the_same_without_the_evil_is_taken(engine: Engine) -> None:
    assert engine.describe(describe_job(model(config("Dense", units=3)))).parameters == 64 * 3 + 3 + 3 * 10 + 10
    vector = model(config("RepeatVector", n=10), config("GlobalMaxPooling1D"))
    assert engine.describe(describe_job(vector)).parameters == 650


def test_what_fits_depends_on_the_machine() -> None:
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, name="wide")])
    needs = (4 * 8 + 8) * 4 * 4
    assert too_large(network, 10, needs) is None
    assert "40 parameters need 0.6 KiB to train, and this machine has 0.6 KiB" in str(too_large(network, 1, needs - 1))
    assert too_large(network, 20, needs) is None
    assert "layer 'wide' (Dense) answers a batch of 21 examples with 0.7 KiB" in str(too_large(network, 21, needs))
    assert too_large(network, 10) is None, "this machine has that much"
