"""Parity with Keras's ``fit`` for layers, optimizers, schedules, losses and options of training."""

from __future__ import annotations

import json
from typing import Any

import keras
import numpy as np
import pytest

import own_layers
from paribus.data import from_arrays, spool
from paribus.early_stopping import find_best_epoch
from paribus.engine.engine import Engine
from paribus.records import DataSpec, Seeds, TrainJob
from paribus.seeds import epoch_order
from paribus.study.document import Protocol
from paribus.study.fingerprint import run_fingerprint
from parity import BATCH, Case, check, drawn, examples, give_weights, keras_twin, written

pytestmark = pytest.mark.no_cover
"""Keras and JAX trace for minutes here, twice as long where coverage looks on; other tests pass the same lines."""


def layer(name: str, **arguments: object) -> dict[str, Any]:
    return {name: arguments}


def dense(units: int, activation: str = "relu", **more: object) -> dict[str, Any]:
    return layer("Dense", units=units, activation=activation, **more)


SOFTMAX = dense(4, "softmax")
IMAGE: dict[str, Any] = {"shape": (6, 6, 2), "batches": 6}
ROWS: dict[str, Any] = {"shape": (6, 5), "batches": 6}

LAYERS = {
    "conv2d": Case(
        [
            layer("Conv2D", filters=4, kernel_size=3, activation="relu"),
            layer("MaxPooling2D"),
            layer("Flatten"),
            SOFTMAX,
        ],
        **IMAGE,
    ),
    "conv2d-normalized": Case(
        [
            layer("Conv2D", filters=4, kernel_size=3, padding="same", use_bias=False),
            layer("BatchNormalization", momentum=0.9),
            layer("Activation", activation="relu"),
            layer("GlobalAveragePooling2D"),
            layer("LayerNormalization"),
            SOFTMAX,
        ],
        **IMAGE,
    ),
    "separable": Case(
        [
            layer("SeparableConv2D", filters=4, kernel_size=3),
            layer("UpSampling2D"),
            layer("GlobalMaxPooling2D"),
            SOFTMAX,
        ],
        **IMAGE,
    ),
    "transposed": Case(
        [
            layer("Conv2DTranspose", filters=3, kernel_size=2),
            layer("GroupNormalization", groups=1),
            layer("Flatten"),
            SOFTMAX,
        ],
        **IMAGE,
    ),
    "conv1d": Case(
        [layer("Conv1D", filters=4, kernel_size=2), layer("AveragePooling1D", pool_size=2), layer("Flatten"), SOFTMAX],
        **ROWS,
    ),
    "lstm": Case([layer("LSTM", units=5), SOFTMAX], **ROWS),
    "gru-both-ways": Case([layer("Bidirectional", layer=layer("GRU", units=3)), SOFTMAX], **ROWS),
    "embedding": Case(
        [layer("Embedding", input_dim=50, output_dim=4), layer("SimpleRNN", units=5), SOFTMAX],
        shape=(7,),
        batches=6,
        highest=49.0,
    ),
    "penalties-and-constraints": Case(
        [
            dense(
                6,
                kernel_regularizer=layer("L1L2", l1=0.001, l2=0.01),
                kernel_constraint=layer("MaxNorm", max_value=0.7),
            ),
            dense(6, "tanh", activity_regularizer="l2", bias_regularizer="l1", kernel_constraint="non_neg"),
            layer("ActivityRegularization", l1=0.001),
            SOFTMAX,
        ]
    ),
    "initializers": Case(
        [
            dense(6, kernel_initializer="he_normal", bias_initializer=layer("RandomUniform", minval=0.1)),
            dense(6, kernel_initializer="orthogonal"),
            layer("PReLU"),
            layer("UnitNormalization"),
            SOFTMAX,
        ]
    ),
    "spectral": Case(
        [layer("SpectralNormalization", layer=dense(5)), layer("RMSNormalization"), SOFTMAX], tolerance=2e-3
    ),
}

OPTIMIZERS = {
    "nadam": "Nadam",
    "adafactor": "Adafactor",
    "adamax": "Adamax",
    "adagrad": layer("Adagrad", learning_rate=0.1),
    "adadelta": layer("Adadelta", learning_rate=1.0),
    "ftrl": layer("Ftrl", learning_rate=0.1),
    "lion": layer("Lion", learning_rate=0.001),
    "lamb": "Lamb",
    "rmsprop": layer("RMSprop", centered=True, momentum=0.5),
    "schedule-free": layer("ScheduleFreeAdamW", warmup_steps=5),
    "amsgrad-decayed": layer("AdamW", amsgrad=True, weight_decay=0.1),
    "nesterov-clipped": layer("SGD", learning_rate=0.1, momentum=0.9, nesterov=True, clipnorm=0.5, weight_decay=0.01),
    "averaged": layer("SGD", learning_rate=0.1, use_ema=True, ema_momentum=0.9),
    "averaged-often": layer("Adam", use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=5),
    "accumulated": layer("Adam", learning_rate=0.01, gradient_accumulation_steps=3),
    "cosine": layer(
        "SGD",
        learning_rate=layer(
            "CosineDecay", initial_learning_rate=0.0, decay_steps=20, warmup_target=0.2, warmup_steps=6, alpha=0.1
        ),
    ),
    "steps": layer(
        "Adam", learning_rate=layer("PiecewiseConstantDecay", boundaries=[5, 15], values=[0.1, 0.01, 0.001])
    ),
}

LINEAR = dense(4, "linear")
LOSSES = {
    "smoothed": Case([dense(6), SOFTMAX], loss=layer("CategoricalCrossentropy", label_smoothing=0.1)),
    "logits": Case([dense(6), LINEAR], loss=layer("CategoricalCrossentropy", from_logits=True)),
    "sparse-logits": Case([dense(6), LINEAR], loss=layer("SparseCategoricalCrossentropy", from_logits=True)),
    "focal": Case([dense(6), SOFTMAX], loss="categorical_focal_crossentropy"),
    "binary-of-each": Case(
        [dense(6), dense(4, "sigmoid")], loss="binary_crossentropy", accuracy="categorical_accuracy"
    ),
    "huber": Case([dense(6), SOFTMAX], loss=layer("Huber", delta=0.3)),
    "divergence": Case([dense(6), SOFTMAX], loss="kl_divergence"),
    "hinge": Case([dense(6), LINEAR], loss="categorical_hinge"),
    "summed": Case([dense(6), SOFTMAX], "SGD", layer("CategoricalCrossentropy", reduction="sum")),
    "two-classes": Case([dense(6), dense(1, "sigmoid")], loss="binary_crossentropy", classes=2),
    "two-classes-hinge": Case(
        [dense(6), dense(1, "tanh")],
        loss="hinge",
        classes=2,
        accuracy=keras.metrics.BinaryAccuracy("accuracy", threshold=0.0),
    ),
    "two-classes-squared-hinge": Case(
        [dense(6), dense(1, "linear")],
        loss="squared_hinge",
        classes=2,
        accuracy=keras.metrics.BinaryAccuracy("accuracy", threshold=0.0),
    ),
    # Keras's "accuracy" would hold logits against 0.5.
    "two-classes-logits": Case(
        [dense(6), dense(1, "linear")],
        loss=layer("BinaryCrossentropy", from_logits=True),
        classes=2,
        accuracy=keras.metrics.BinaryAccuracy("accuracy", threshold=0.0),
    ),
    "two-classes-squared": Case([dense(6), dense(1, "sigmoid")], loss="mean_squared_error", classes=2),
}


def as_text(model: keras.Model) -> str:
    return json.dumps(keras.saving.serialize_keras_object(model))


def attention() -> str:
    x = keras.Input((6, 5))
    y = keras.layers.MultiHeadAttention(2, 3)(x, x)
    y = keras.layers.Add()([x, y])
    y = keras.layers.GlobalAveragePooling1D()(keras.layers.LayerNormalization()(y))
    return as_text(keras.Model(x, keras.layers.Dense(4, "softmax")(y)))


def shared() -> str:
    """A layer that is used twice."""
    x = keras.Input((12,))
    twice = keras.layers.Dense(12, "tanh")
    return as_text(keras.Model(x, keras.layers.Dense(4, "softmax")(twice(twice(x)))))


def nested() -> str:
    inner = keras.Sequential([keras.Input((12,)), keras.layers.Dense(5, "relu"), keras.layers.BatchNormalization()])
    return as_text(keras.Sequential([keras.Input((12,)), inner, keras.layers.Dense(4, "softmax")]))


def own() -> str:
    model = keras.Sequential([keras.Input((12,)), own_layers.Scaled(5), keras.layers.Dense(4, own_layers.squared)])
    return as_text(model)


MODELS = {
    "attention": Case(model=attention(), **ROWS),
    "shared": Case(model=shared()),
    "nested": Case(model=nested()),
    "own": Case(model=own(), loss="mean_squared_error", tolerance=1e-3),
}


def convnet() -> str:
    """keras.io's "simple MNIST convnet", its dropout switched off so that steps can be compared."""
    layers = [
        keras.layers.Conv2D(32, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Conv2D(64, 3, activation="relu"),
        keras.layers.MaxPooling2D(2),
        keras.layers.Flatten(),
        keras.layers.Dropout(0.0),
        keras.layers.Dense(10, activation="softmax"),
    ]
    return as_text(keras.Sequential([keras.Input((28, 28, 1)), *layers]))


IMAGES: dict[str, Any] = {"shape": (28, 28), "classes": 10, "batches": 4}
OF_MNIST = {
    "convnet": Case(model=convnet(), **IMAGES, tolerance=1e-3),
    "normalized": Case(
        [
            layer("Flatten"),
            dense(64),
            layer("BatchNormalization"),
            dense(64),
            layer("BatchNormalization"),
            dense(10, "softmax"),
        ],
        **IMAGES,
        tolerance=1e-3,
    ),
    "rows": Case([layer("LSTM", units=32), dense(10, "softmax")], **IMAGES, tolerance=1e-3),
}

WEIGHTED = {
    "weighted": Case([dense(6), SOFTMAX], class_weights=(1.0, 3.0, 0.0, 0.5)),
    "weighted-sparse": Case(
        [dense(6), LINEAR],
        loss=layer("SparseCategoricalCrossentropy", from_logits=True),
        class_weights=(1.0, 3.0, 2.0, 0.5),
    ),
    "weighted-two-classes": Case(
        [dense(6), dense(1, "sigmoid")], loss="binary_crossentropy", classes=2, class_weights=(1.0, 4.0)
    ),
}

PLAIN = [dense(6), SOFTMAX]

SAMPLE = frozenset(
    {
        "conv2d-normalized",
        *("nesterov-clipped", "averaged-often", "cosine"),
        *("sparse-logits", "binary-of-each", "two-classes-hinge"),
        *("own", "weighted-two-classes"),
    }
)
"""Tried here, beside those of ``tests/api/test_network_cases.py``; ``make proof`` tries all."""


def cases(table: dict[str, Any]) -> list[Any]:
    return [pytest.param(name, marks=pytest.mark.slow if name in SAMPLE else pytest.mark.proof) for name in table]


def test_the_sample_is_of_what_there_is() -> None:
    assert {*LAYERS, *OPTIMIZERS, *LOSSES, *MODELS, *OF_MNIST, *WEIGHTED} > SAMPLE


def test_weighted_classes() -> None:
    check(WEIGHTED["weighted"])


@pytest.mark.parametrize("name", cases({name: case for name, case in WEIGHTED.items() if name != "weighted"}))
def test_weighted_classes_with_other_losses(name: str) -> None:
    check(WEIGHTED[name])


@pytest.mark.parametrize("name", cases(LAYERS))
def test_layers(name: str) -> None:
    check(LAYERS[name])


@pytest.mark.parametrize("name", cases(OPTIMIZERS))
def test_optimizers(name: str) -> None:
    check(Case(PLAIN, OPTIMIZERS[name]))


@pytest.mark.parametrize("name", cases(LOSSES))
def test_losses(name: str) -> None:
    check(LOSSES[name])


@pytest.mark.parametrize("name", cases(MODELS))
def test_models(name: str) -> None:
    check(MODELS[name])


@pytest.mark.parametrize("name", cases(OF_MNIST))
def test_networks_for_images_of_mnists_size(name: str) -> None:
    check(OF_MNIST[name])


def test_every_random_weight_depends_on_the_seed_alone() -> None:
    """Also those that a class draws with an initializer that nobody holds."""
    recipe, network = written(MODELS["own"])
    first, again, other = drawn(network), drawn(written(MODELS["own"])[1]), drawn(network, 8)
    names = [path for path in network.named_weights(first) if not path.endswith("bias")]
    assert any(path.endswith("factor") for path in names)
    values = [
        {path: np.asarray(v) for path, v in network.named_weights(state).items()} for state in (first, again, other)
    ]
    for path in names:
        np.testing.assert_array_equal(values[0][path], values[1][path])
        assert (values[0][path] != values[2][path]).mean() > 0.9, path
    assert recipe.parameters == sum(v.size for v in values[0].values())


def spooled(case: Case, tmp_path: Any) -> tuple[DataSpec, Any]:
    """The examples of a case as a data set on disk."""
    x, labels = examples(case, rest=80)
    dataset = from_arrays(x[:160], labels[:160], x[160:], labels[160:], name="patterns")
    return spool(dataset, tmp_path / "data"), dataset


def test_early_stopping_keeps_what_kerass_callback_keeps(tmp_path: Any) -> None:
    """The callback is driven epoch by epoch, in the order in which the engine visits the examples."""
    case = Case([dense(16), SOFTMAX], layer("Adam", learning_rate=0.03), batches=12)
    data, dataset = spooled(case, tmp_path)
    stopping = {"patience": 2, "monitor": "val_loss"}
    protocol = {"epochs": 40, "batch_size": BATCH, "validation_split": 0.25, "early_stopping": stopping}
    training = Protocol.model_validate(protocol).training()
    recipe, network = written(case)
    one = Seeds.of(7)
    job = TrainJob(run_fingerprint(recipe, training, data, dataset.summary(), one), "a", one, recipe, training, data)
    result = Engine().run(job)

    twin = keras_twin(recipe, network, drawn(network))
    callback = keras.callbacks.EarlyStopping(**stopping, restore_best_weights=True)
    callback.set_model(twin)
    callback.on_train_begin()
    x, y = dataset.x_train, keras.utils.to_categorical(dataset.y_train, 4)
    fit_losses = []
    for epoch in range(40):
        order = epoch_order(one, epoch, 120)
        history = twin.fit(x[order], y[order], batch_size=BATCH, shuffle=False, verbose=0).history
        fit_losses.append(history["loss"][0])
        val_loss, _ = twin.evaluate(x[120:], y[120:], verbose=0)
        callback.on_epoch_end(epoch, {"val_loss": val_loss})
        if twin.stop_training:
            break
    callback.on_train_end()

    kept = find_best_epoch(training.early_stopping, result.curve)
    assert (len(result.curve.fit_loss), kept) == (epoch + 1, callback.best_epoch + 1)
    assert kept < len(result.curve.fit_loss) < 40
    assert result.scores is not None
    assert result.scores.fit_loss == pytest.approx(fit_losses[kept - 1], rel=1e-3)
    outputs = twin.predict(dataset.x_test, verbose=0)
    assert result.scores.test_accuracy == pytest.approx(np.mean(outputs.argmax(axis=1) == dataset.y_test), abs=0.01)
    assert result.weights is not None
    for variable in twin.trainable_variables:
        np.testing.assert_allclose(result.weights[variable.path], np.asarray(variable), rtol=1e-2, atol=1e-3)


def test_the_kept_weights_are_those_of_a_run_that_ends_there(tmp_path: Any) -> None:
    """To the last bit: early stopping changes what is kept, and no step on the way."""
    case = Case([dense(16), SOFTMAX], layer("Adam", learning_rate=0.03))
    data, dataset = spooled(case, tmp_path)
    recipe, _ = written(case)
    engine, one = Engine(), Seeds.of(3)

    def run(**more: Any) -> Any:
        training = Protocol.model_validate({"batch_size": BATCH, "validation_split": 0.25, **more}).training()
        job = TrainJob(
            run_fingerprint(recipe, training, data, dataset.summary(), one), "a", one, recipe, training, data
        )
        return engine.run(job), training

    stopped, training = run(epochs=40, early_stopping={"patience": 1})
    whole, _ = run(epochs=find_best_epoch(training.early_stopping, stopped.curve))
    assert stopped.weights_digest == whole.weights_digest
    assert stopped.scores == whole.scores
    assert stopped.curve.fit_loss[: len(whole.curve.fit_loss)] == whole.curve.fit_loss


def test_balanced_classes_weigh_by_what_is_trained_on(tmp_path: Any) -> None:
    """Equal, to the last bit, to the weights that scikit-learn would compute on the training split."""
    from sklearn.utils.class_weight import compute_class_weight

    case = Case(PLAIN)
    data, dataset = spooled(case, tmp_path)
    weights = compute_class_weight("balanced", classes=np.arange(4), y=dataset.y_train[:120])
    recipe, _ = written(case)
    engine, one = Engine(), Seeds.of(3)
    digests = set()
    for chosen in ("balanced", {str(i): float(w) for i, w in enumerate(weights)}, None):
        protocol = {"batch_size": BATCH, "validation_split": 0.25, "epochs": 1, "class_weight": chosen}
        training = Protocol.model_validate(protocol).training()
        job = TrainJob(
            run_fingerprint(recipe, training, data, dataset.summary(), one), "a", one, recipe, training, data
        )
        digests.add(engine.run(job).weights_digest)
    assert len(digests) == 2


def test_the_twin_is_the_same_network() -> None:
    """The checks above would be worth little if both sides lacked the same weight."""
    recipe, network = written(LAYERS["conv2d-normalized"])
    twin = keras_twin(recipe, network, drawn(network))
    assert twin.count_params() == recipe.parameters
    give_weights(twin, network, drawn(network, 9))
