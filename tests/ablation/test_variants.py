"""A model taken apart by its config: each variant is a network that Keras builds, and differs by what it says."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from paribus.ablation import Variant, read_model_file, variants
from paribus.errors import DataError, UsageError
from paribus.keras_config.graph import head, layers

ADAM: dict[str, dict[str, Any]] = {"Adam": {}}
Dense, Dropout = keras.layers.Dense, keras.layers.Dropout


def config(model: keras.Model) -> dict[str, Any]:
    """As JSON has it, without what Keras keeps of building and compiling."""
    return bare(json.loads(json.dumps(keras.saving.serialize_keras_object(model))))


def bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items() if key not in {"build_config", "compile_config"}}
    return [bare(item) for item in value] if isinstance(value, list) else value


def taken_apart(model: keras.Model, optimizer: dict[str, dict[str, Any]] = ADAM) -> dict[str, Variant]:
    return {variant.name: variant for variant in variants(config(model), optimizer)}


def built(variant: Variant) -> keras.Model:
    model = keras.saving.deserialize_keras_object(variant.model)
    assert model(np.zeros((2, *model.inputs[0].shape[1:]))).shape[0] == 2
    return model


def kinds(model: keras.Model) -> list[str]:
    left_out = (keras.Model, keras.layers.InputLayer)
    return [type(layer).__name__ for layer in model._flatten_layers() if not isinstance(layer, left_out)]


def regularized() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((8,)),
            Dense(16, "relu", kernel_regularizer="l2", bias_regularizer="l2"),
            keras.layers.BatchNormalization(),
            Dropout(0.2),
            Dense(16, "relu", kernel_regularizer="l1", kernel_constraint=keras.constraints.MaxNorm(2)),
            Dropout(0.2),
            keras.layers.LayerNormalization(),
            keras.layers.ActivityRegularization(0.1),
            Dense(4, "tanh"),
            Dense(3),
            keras.layers.Activation("softmax"),
        ]
    )


def test_every_part_is_tried_and_every_variant_can_be_built() -> None:
    found = taken_apart(regularized())
    assert list(found) == [
        *("no-dropout", "no-batch-normalization", "no-layer-normalization", "no-activity-penalty", "no-l2", "no-l1"),
        *("no-constraints", "tanh-for-relu", "one-block-fewer", "half-width", "double-width", "sgd-for-adam"),
    ]
    texts = {json.dumps(variant.model) for variant in found.values()}
    assert len(texts) == len(found)
    for variant in found.values():
        assert built(variant).output_shape == (None, 3)
        assert variant.change
        assert variant.part


def test_what_is_left_out_is_gone_and_nothing_else() -> None:
    model, found = regularized(), taken_apart(regularized())
    assert "Dropout" not in kinds(built(found["no-dropout"]))
    assert len(kinds(built(found["no-dropout"]))) == len(kinds(model)) - 2
    assert found["no-dropout"].change == "without 2 Dropout layers"
    left = built(found["no-l2"])
    assert [layer.kernel_regularizer is not None for layer in left.layers if isinstance(layer, Dense)] == [
        *(False, True, False, False)
    ]
    assert (found["no-l2"].part, found["no-l2"].change) == ("L2 penalty", "without 2 L2 penalties")
    assert all(
        layer.kernel_constraint is None for layer in built(found["no-constraints"]).layers if isinstance(layer, Dense)
    )
    assert "BatchNormalization" not in kinds(built(found["no-batch-normalization"]))
    assert "LayerNormalization" in kinds(built(found["no-batch-normalization"]))


def test_the_answer_keeps_its_width_and_activation() -> None:
    found = taken_apart(regularized())
    widths = [layer.units for layer in built(found["half-width"]).layers if isinstance(layer, Dense)]
    assert widths == [8, 8, 2, 3]
    assert [layer.units for layer in built(found["double-width"]).layers if isinstance(layer, Dense)] == [32, 32, 8, 3]
    swapped = built(found["tanh-for-relu"])
    assert [layer.activation.__name__ for layer in swapped.layers if isinstance(layer, Dense)] == [
        *("tanh", "tanh", "tanh", "linear")
    ]
    assert swapped.layers[-1].activation.__name__ == "softmax"


def test_one_block_fewer_takes_what_only_serves_it() -> None:
    found = taken_apart(regularized())["one-block-fewer"]
    # No two hidden layers are equal here: the last hidden one goes.
    assert found.change == "without hidden layer 3 of 3, Dense(4)"
    model = keras.Sequential([keras.Input((8,)), *[Dense(6, "relu") for _ in range(3)], Dense(5, "relu"), Dense(3)])
    assert taken_apart(model)["one-block-fewer"].change == "without hidden layer 3 of 4, Dense(6)"
    # The last of the three would take the dropout along; the one before it changes one thing only.
    spotted = [*[Dense(6, "relu") for _ in range(3)], Dropout(0.1), Dense(6, "relu"), Dropout(0.1)]
    model = keras.Sequential([keras.Input((8,)), *spotted, Dense(3)])
    assert taken_apart(model)["one-block-fewer"].change == "without hidden layer 2 of 4, Dense(6)"
    conv = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(6, 2),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            Dropout(0.1),
            keras.layers.Flatten(),
            Dense(3, "softmax"),
        ]
    )
    assert taken_apart(conv)["one-block-fewer"].change == (
        "without hidden layer 2 of 2, Conv2D(6) with its BatchNormalization and ReLU and Dropout"
    )
    fewer = built(taken_apart(conv)["one-block-fewer"])
    assert kinds(fewer) == ["Conv2D", "MaxPooling2D", "Flatten", "Dense"]
    assert kinds(built(taken_apart(conv)["tanh-for-relu"]))[4:6] == ["Activation", "Dropout"]


def test_recurrent_and_wrapped_layers() -> None:
    model = keras.Sequential(
        [
            keras.Input((5, 4)),
            keras.layers.Bidirectional(
                keras.layers.LSTM(6, dropout=0.1, recurrent_dropout=0.2, kernel_regularizer="l2")
            ),
            keras.layers.SpectralNormalization(Dense(8, "gelu")),
            Dense(3, "softmax"),
        ]
    )
    found = taken_apart(model)
    assert found["no-dropout"].change == "without the dropout inside 2 layers"
    for layer in built(found["no-dropout"])._flatten_layers():
        assert getattr(layer, "dropout", 0) == 0
        assert getattr(layer, "recurrent_dropout", 0) == 0
    half = built(found["half-width"])
    assert (half.layers[0].forward_layer.units, half.layers[0].backward_layer.units) == (3, 3)
    assert half.layers[1].layer.units == 4
    left = built(found["no-spectral-normalization"])
    assert [type(layer).__name__ for layer in left.layers] == ["Bidirectional", "Dense", "Dense"]
    assert found["no-l2"].change == "without 2 L2 penalties"
    assert "relu-for-gelu" in found


def residual() -> keras.Model:
    x = keras.Input((8,))
    y = Dense(8, "relu", name="in")(x)
    z = Dropout(0.5)(Dense(8, "relu")(y))
    z = keras.layers.BatchNormalization()(z)
    y = keras.layers.Add()([y, z])
    inner = keras.Sequential([keras.Input((8,)), Dense(5, "relu"), Dropout(0.1)])
    return keras.Model(x, Dense(3, "softmax")(inner(y)))


def test_functional_models_are_wired_anew() -> None:
    found = taken_apart(residual())
    left = built(found["no-dropout"])
    assert "Dropout" not in kinds(left)
    assert found["no-dropout"].change == "without 2 Dropout layers"
    add = next(layer for layer in left.layers if isinstance(layer, keras.layers.Add))
    before = [tensor._keras_history[0].name for tensor in add.input]
    assert before[0] == "in"
    assert before[1].startswith("batch_normalization")
    half = built(found["half-width"])
    assert half.get_layer("in").units == 4
    assert half.layers[-1].units == 3
    # The second of two equal hidden layers goes, with what serves it; the sum is fed by what fed it.
    assert found["one-block-fewer"].change == (
        "without hidden layer 2 of 3, Dense(8) with its Dropout and BatchNormalization"
    )
    fewer = built(found["one-block-fewer"])
    assert [type(layer).__name__ for layer in fewer.layers] == ["InputLayer", "Dense", "Add", "Sequential", "Dense"]


def test_a_removed_layer_changes_no_other_answer() -> None:
    """Without dropout a network answers as it does in inference mode, weight for weight."""
    model = residual()
    left = built(taken_apart(model)["no-dropout"])
    left.set_weights(model.get_weights())
    x = np.random.default_rng(0).normal(size=(4, 8))
    np.testing.assert_allclose(np.asarray(left(x, training=False)), np.asarray(model(x, training=False)), rtol=1e-6)


def test_the_first_and_the_last_layer_of_a_functional_model() -> None:
    x = keras.Input((8,))
    model = keras.Model(x, Dropout(0.2)(Dense(3)(Dropout(0.1)(x))))
    left = built(taken_apart(model)["no-dropout"])
    assert kinds(left) == ["Dense"]
    assert left.output_shape == (None, 3)


def test_a_layer_that_is_used_twice() -> None:
    x = keras.Input((8,))
    drop = Dropout(0.2)
    y = drop(Dense(4, "relu", name="second")(drop(Dense(6, name="first")(x))))
    left = built(taken_apart(keras.Model(x, Dense(3)(y)))["no-dropout"])
    assert [layer.name for layer in left.layers][1:3] == ["first", "second"]
    assert left.get_layer("second").input._keras_history[0].name == "first"


@pytest.mark.parametrize(
    ("optimizer", "names"),
    [
        ({"Adam": {}}, ["sgd-for-adam"]),
        ({"SGD": {"learning_rate": 0.1, "weight_decay": 0.01}}, ["no-weight-decay", "adam-for-sgd"]),
        ({"AdamW": {"learning_rate": 0.1}}, ["no-weight-decay", "sgd-for-adamw"]),
    ],
)
def test_another_optimizer(optimizer: dict[str, dict[str, Any]], names: list[str]) -> None:
    model = keras.Sequential([keras.Input((8,)), Dense(3)])
    found = taken_apart(model, optimizer)
    assert list(found) == names
    if "SGD" in optimizer:
        assert found["no-weight-decay"].optimizer == {"SGD": {"learning_rate": 0.1}}
    if "AdamW" in optimizer:
        assert found["no-weight-decay"].optimizer == {"Adam": {"learning_rate": 0.1}}


def test_a_model_with_a_call_of_its_own_has_only_its_optimizer() -> None:
    own = {"class_name": "Own", "module": "mine", "registered_name": "mine>Own", "config": {"units": 3}}
    assert [variant.name for variant in variants(own, ADAM)] == ["sgd-for-adam"]


def test_the_model_itself_is_not_changed() -> None:
    model = config(regularized())
    before = json.dumps(model)
    variants(model, ADAM)
    assert json.dumps(model) == before
    assert len(head(model)) == 2
    assert len(list(layers(model))) == 10


def archive(path: Path, content: bytes, name: str = "config.json", method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as made:
        made.writestr(name, content)
    return path


def test_a_model_file_gives_its_config_and_nothing_else(tmp_path: Path) -> None:
    model = regularized()
    model.compile("adam", "mse")
    model.save(tmp_path / "m.keras")
    found = read_model_file(tmp_path / "m.keras")
    assert found["class_name"] == "Sequential"
    assert found["compile_config"]["loss"] == "mse"


FILES: dict[str, tuple[Any, type[Exception], str]] = {
    "missing": (lambda path: path, UsageError, "there is no such file"),
    "old": (lambda path: path.with_suffix(".h5"), UsageError, "save the model again as .keras"),
    "text": (lambda path: (path.write_text("not a zip"), path)[1], DataError, "not a .keras file"),
    "empty": (lambda path: (path.write_bytes(b""), path)[1], DataError, "not a .keras file"),
    "another": (lambda path: archive(path, b"{}", "other.json"), DataError, "no config.json in it"),
    "no-json": (lambda path: archive(path, b"{'a': 1}"), DataError, "not JSON"),
    "deep": (lambda path: archive(path, b"[" * 200_000), DataError, "not JSON"),
    "a-list": (lambda path: archive(path, b"[1, 2]"), DataError, "describes no Keras model"),
    "no-config": (lambda path: archive(path, b'{"class_name": "Sequential"}'), DataError, "describes no Keras model"),
    "a-bomb": (lambda path: archive(path, b" " * (40 << 20)), DataError, "no network needs that many"),
    "truncated": (
        lambda path: (archive(path, b"{}" * 9999), path.write_bytes(path.read_bytes()[:-30]), path)[2],
        DataError,
        "not a .keras file",
    ),
    "a-folder": (lambda path: (path.mkdir(), path)[1], DataError, "cannot be read"),
}


@pytest.mark.parametrize("case", FILES)
def test_files_that_are_no_models(case: str, tmp_path: Path) -> None:
    make, error, said = FILES[case]
    with pytest.raises(error, match=said):
        read_model_file(make(tmp_path / "m.keras"))
