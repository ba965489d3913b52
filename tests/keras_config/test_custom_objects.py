"""Own classes: which a network needs, where they are defined, and that nothing is imported because a file says so."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import pytest

import own_layers
import paribus as pb
from paribus.backends import worker
from paribus.errors import UsageError
from paribus.keras_config import custom_objects
from paribus.keras_config.custom_objects import Imports

MODULE = """
import keras

@keras.saving.register_keras_serializable(package={package!r})
class Shifted(keras.layers.Layer):
    def call(self, x):
        return x + {shift}
"""


def config(*layers: keras.layers.Layer) -> dict[str, Any]:
    model = keras.Sequential([keras.Input((4,)), *layers])
    found: dict[str, Any] = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    return found


def own() -> dict[str, Any]:
    return config(own_layers.Scaled(3), keras.layers.Dense(3, own_layers.squared))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A package with a module that defines a layer."""
    folder = tmp_path / "somewhere" / "my_package"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "layers.py").write_text(MODULE.format(package=tmp_path.name, shift=1))
    monkeypatch.syspath_prepend(str(folder.parent))
    for name in ("my_package", "my_package.layers"):
        sys.modules.pop(name, None)
    return importlib.import_module("my_package.layers")


def test_classes_and_functions_that_a_network_needs() -> None:
    assert custom_objects.registered_names(own()) == ("tests>Scaled", "tests>squared")
    assert custom_objects.registered_names(config(keras.layers.Dense(3))) == ()
    assert custom_objects.module_of("tests>Scaled") == "own_layers"


def test_what_workers_import(package: ModuleType) -> None:
    texts = [json.dumps(own()), json.dumps(config(package.Shifted())), json.dumps(config())]
    folders = {str(Path(own_layers.__file__).parent), str(Path(package.__file__ or "").parents[1])}
    found = custom_objects.imports_for(texts)
    assert found.modules == ("my_package.layers", "own_layers")
    assert set(found.folders) == folders


def test_a_name_that_nobody_registered_here_imports_nothing() -> None:
    foreign = {"class_name": "Evil", "module": "antigravity", "registered_name": "antigravity>Evil", "config": {}}
    assert custom_objects.imports_for([json.dumps({"config": {"layers": [foreign]}})]) == Imports()
    assert "antigravity" not in sys.modules


def test_scripts_and_modules_without_a_file_are_not_importable() -> None:
    assert custom_objects.importable("own_layers")
    assert not custom_objects.importable("__main__")
    assert not custom_objects.importable("sys")
    assert not custom_objects.importable("no_such_module")


def test_a_changed_source_is_another_recipe(package: ModuleType) -> None:
    before = pb.Study({"a": keras.Sequential([keras.Input((64,)), package.Shifted()])}, "digits").document
    path = Path(package.__file__ or "")
    path.write_text(path.read_text().replace("x + 1", "x + 2"))
    after = pb.Study({"a": keras.Sequential([keras.Input((64,)), package.Shifted()])}, "digits").document
    assert before.arms["a"].spec() != after.arms["a"].spec()
    digests = [json.loads(str(study.arms["a"].model))[custom_objects.SOURCES] for study in (before, after)]
    assert list(digests[0]) == list(digests[1])
    assert len({*digests[0].values(), *digests[1].values()}) == 2


def test_a_worker_says_what_it_cannot_import(tmp_path: Path) -> None:
    (tmp_path / "broken_layers.py").write_text("raise RuntimeError('only with a display')")
    path = list(sys.path)
    try:
        error = worker._import(Imports(("broken_layers",), (str(tmp_path),)))
    finally:
        sys.path[:] = path
    assert isinstance(error, UsageError)
    assert "module 'broken_layers' defines classes" in str(error)
    assert "RuntimeError: only with a display" in str(error)


def test_a_workers_folders_come_last(package: ModuleType, tmp_path: Path) -> None:
    """So that a file named like a library's stands before none."""
    folder = str(tmp_path / "somewhere")
    del sys.modules["my_package.layers"], sys.modules["my_package"]
    path = list(sys.path)
    try:
        sys.path.remove(folder)
        assert worker._import(Imports(("my_package.layers",), (folder,))) is None
        assert sys.path[-1] == folder
        assert folder not in sys.path[:-1]
    finally:
        sys.path[:] = path
    assert "my_package.layers" in sys.modules
