"""Every public name shows how it is used, and what it shows is true. Training happens in this process."""

from __future__ import annotations

import doctest
import inspect
from pathlib import Path

import keras
import numpy as np
import pytest

import paribus as pb
from in_process import InProcess
from paribus.backends import choose
from paribus.engine.engine import Engine

NAMES = [name for name in pb.__all__ if name != "__version__"]


def network(units: int) -> keras.Model:
    hidden = keras.layers.Dense(units, activation="relu")
    return keras.Sequential([keras.Input((64,)), hidden, keras.layers.Dense(10, activation="softmax")])


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_true(name: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(choose, "LocalBackend", lambda *_, **__: InProcess(engine))
    made = pb.Study({"large": network(32), "small": network(2)}, "digits", epochs=5)
    names = {"pb": pb, "np": np, "keras": keras, "study": made, "network": network, "folder": tmp_path}
    text = inspect.getdoc(getattr(pb, name)) or ""
    test = doctest.DocTestParser().get_doctest(text, names, f"paribus.{name}", None, None)
    assert test.examples, f"paribus.{name} shows no example"
    told: list[str] = []
    doctest.DocTestRunner().run(test, out=told.append)
    assert not told, "".join(told)
