"""Importing Keras and JAX without what no run needs: all of it can be used afterwards, by Keras too."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from paribus.engine.imports import ABSENT, LATER, _later
from processes import run_python

LIGHT = """
import json, os, sys
os.chdir({folder!r})
from paribus.engine import environment
environment.prepare()
from paribus.backends.job_runner import JobRunner
JobRunner().warm_up()
print(json.dumps([name for name in {names} if name in sys.modules]))
"""

AFTERWARDS = """
import keras, matplotlib.pyplot, pandas, sklearn.datasets
print(keras.backend.backend(), sklearn.datasets.load_digits().data.shape)
import numpy as np
from jax.experimental.sparse.linalg import spsolve
two = np.array([2.0, 2.0], np.float32)
print(spsolve(two, np.array([0, 1]), np.array([0, 1, 2]), two))
from jax.experimental.pallas.ops.tpu.splash_attention import splash_attention_mask
from keras.src.backend.jax import nn
print(nn.splash_attention_mask.CausalMask is splash_attention_mask.CausalMask, nn.splash_attention_kernel.SegmentIds)
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.summary()
from keras.src.saving import saving_lib
print(saving_lib.is_memory_sufficient(model))
for file in ("model.keras", "model.h5"):
    model.save(file)
    same = keras.models.load_model(file).get_weights()
    print(file, all(map(np.array_equal, same, model.get_weights())))
keras.callbacks.RemoteMonitor("http://127.0.0.1:1").set_model(model)
import h5py, requests, rich.table, scipy.sparse.linalg
print(h5py.File, requests.get, rich.table.Table, scipy.sparse.linalg.spsolve)
print([name for name in {names} if name in sys.modules and type(sys.modules[name]).__name__ != "module"])
"""


def test_what_no_run_needs_is_not_imported(tmp_path: Path) -> None:
    names = [*ABSENT, *LATER]
    done = run_python("-c", LIGHT.format(names=names, folder=str(tmp_path)))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_what_no_run_needs_can_be_used_afterwards(tmp_path: Path) -> None:
    done = run_python("-c", (LIGHT + AFTERWARDS).format(names=[*LATER], folder=str(tmp_path)))
    assert done.returncode == 0, done.stderr
    out = done.stdout.splitlines()
    assert out[1] == "jax (1797, 64)"
    assert out[2] == "[1. 1.]"
    assert out[3].startswith("True <class 'jax.experimental.pallas")
    assert 'Model: "sequential"' in done.stdout
    assert {"True", "model.keras True", "model.h5 True"} <= {*out}
    assert out[-1] == "[]"


def test_a_module_that_is_used_at_once_is_imported_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "parent_of_a_test").mkdir()
    (tmp_path / "parent_of_a_test" / "__init__.py").write_text("here = 1\n")
    (tmp_path / "parent_of_a_test" / "child.py").write_text("there = 2\n")
    monkeypatch.syspath_prepend(tmp_path)
    names = ("parent_of_a_test", "parent_of_a_test.child", "not_installed_anywhere")
    with _later(names):
        with pytest.raises(ModuleNotFoundError):
            import not_installed_anywhere  # type: ignore[import-not-found]  # noqa: F401
        from parent_of_a_test import child  # type: ignore[import-not-found]

        assert not isinstance(vars(sys.modules["parent_of_a_test"]).get("here"), int)
        from parent_of_a_test import here

        assert (here, child.there) == (1, 2)
        assert sys.modules["parent_of_a_test"].here == 1
    assert all(sys.modules[name].__file__ for name in names[:2])
    with pytest.raises(AttributeError, match=r"'parent_of_a_test\.child' has no attribute 'no_such_name'"):
        _ = child.no_such_name
