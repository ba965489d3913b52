"""Small networks as people have them: each trained as plain Keras trains it, or refused with its reason.

``docs/network-cases.md`` is written from these.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

import own_networks as own
from plain_keras import DATA, NetworkCase

L, R, S = keras.layers, keras.regularizers, keras.optimizers.schedules
Optimizers = keras.optimizers
Build = Callable[[], keras.Model]
SHAPES = {
    "flat": (12,),
    "two classes": (12,),
    "rows": (6, 5),
    "pictures": (8, 8, 1),
    "colours": (8, 8, 3),
    "films": (3, 5, 5, 1),
    "tokens": (9,),
}


def softmax() -> Any:
    return L.Dense(4, activation="softmax")


def stack(*layers: Callable[[], Any], data: str = "flat", end: Callable[[], Any] | None = softmax) -> Build:
    """A Sequential, whose layers are made each time."""

    def build() -> keras.Model:
        made = [make() for make in (*layers, *([end] if end else []))]
        return keras.Sequential([keras.Input(SHAPES[data]), *made])

    return build


def graph(call: Callable[[Any], Any], data: str = "flat") -> Build:
    """A functional model."""

    def build() -> keras.Model:
        inputs = keras.Input(SHAPES[data])
        return keras.Model(inputs, call(inputs))

    return build


def compiled(build: Build, *arguments: Any, **named: Any) -> Build:
    """The same, compiled; arguments that are functions make theirs."""

    def make() -> keras.Model:
        model = build()
        model.compile(*(a() if callable(a) else a for a in arguments), **named)
        return model

    return make


def dense(units: int = 6, activation: Any = "relu", **more: Any) -> Callable[[], Any]:
    return lambda: L.Dense(units, activation=activation, **more)


def optimized(make: Callable[[], Any]) -> Build:
    return compiled(stack(dense()), make, "categorical_crossentropy")


def changed(build: Build, change: Callable[[keras.Model], Any]) -> Build:
    """A model after somebody did something to it."""

    def make() -> keras.Model:
        model = build()
        change(model)
        return model

    return make


def case(what: str, build: Build, data: str = "flat", **more: Any) -> NetworkCase:
    return NetworkCase(what, build, data, **more)


def a_tenth() -> float:
    return 0.1


def by_sign() -> Any:
    return keras.metrics.BinaryAccuracy("by_sign", threshold=0.0)


def with_input_shape() -> keras.Model:
    with warnings.catch_warnings():
        # Keras asks for an Input instead.
        warnings.simplefilter("ignore")
        return keras.Sequential([L.Dense(6, activation="relu", input_shape=(12,)), softmax()])


def siamese(x: Any) -> Any:
    twin = L.Dense(5, activation="tanh")
    left, right = twin(x[:, :6]), twin(x[:, 6:])
    return softmax()(L.Concatenate()([left, right, left * right]))


def inner() -> keras.Model:
    return keras.Sequential([keras.Input((12,)), L.Dense(12, activation="relu"), L.BatchNormalization()])


def rowwise() -> keras.Model:
    return keras.Sequential([keras.Input((5,)), L.Dense(4, activation="relu"), L.Dense(3)])


def two_deep() -> keras.Model:
    middle = keras.Sequential([keras.Input((12,)), inner(), L.Dense(5, activation="tanh")])
    return keras.Sequential([keras.Input((12,)), middle, softmax()])


def twice(x: Any) -> Any:
    block = inner()
    return softmax()(block(block(x)))


def new_head() -> keras.Model:
    base = stack(dense(8), dense(7))()
    return keras.Model(base.inputs, softmax()(base.layers[-2].output))


def shared_inner() -> keras.Model:
    shared, inputs = L.Dense(5), keras.Input((6, 5))
    x = L.TimeDistributed(shared)(L.TimeDistributed(shared)(inputs))
    return keras.Model(inputs, softmax()(L.Flatten()(x)))


def transformer(x: Any) -> Any:
    attended = L.MultiHeadAttention(2, 3, dropout=0.1)(x, x)
    x = L.LayerNormalization()(L.Add()([x, L.Dropout(0.1)(attended)]))
    return softmax()(L.GlobalAveragePooling1D()(x))


def of_tokens(*layers: Callable[[], Any], **embedding: Any) -> Build:
    def build() -> keras.Model:
        first = [keras.Input((9,), dtype="int32"), L.Embedding(22, 4, **embedding)]
        return keras.Sequential([*first, *(make() for make in layers), softmax()])

    return build


def with_global_policy(name: str, build: Build) -> Build:
    def make() -> keras.Model:
        before = keras.mixed_precision.dtype_policy()
        keras.mixed_precision.set_dtype_policy(name)
        try:
            return build()
        finally:
            keras.mixed_precision.set_dtype_policy(before)

    return make


def several_inputs() -> keras.Model:
    one, two = keras.Input((12,)), keras.Input((3,))
    return keras.Model([one, two], softmax()(L.Concatenate()([one, two])))


def adapted() -> keras.Model:
    layer = L.Normalization()
    layer.adapt(DATA["flat"]()[0])
    return keras.Sequential([keras.Input((12,)), layer, softmax()])


def pretrained() -> keras.Model:
    model = stack(dense(8, use_bias=False), end=lambda: L.Dense(4, activation="softmax", use_bias=False))()
    model.set_weights([np.full(w.shape, 0.1) for w in model.get_weights()])
    return model


def set_later() -> keras.Model:
    layer = own.SetLater()
    layer.strength = 3.0
    return keras.Sequential([keras.Input((12,)), layer, softmax()])


def changed_rate() -> keras.Model:
    """A dropout rate that somebody changed after building: its config says it too."""
    model = stack(dense(9), lambda: L.Dropout(0.5))()
    model.layers[1].rate = 0.2
    return model


def fresh_after_training() -> keras.Model:
    model = compiled(stack(dense()), lambda: Optimizers.SGD(0.1), "categorical_crossentropy")()
    x, labels, *_ = DATA["flat"]()
    model.fit(x, keras.utils.to_categorical(labels, 4), epochs=1, verbose=0)
    return keras.models.clone_model(model)


def without_decay() -> keras.Model:
    optimizer = Optimizers.AdamW()
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return compiled(stack(dense()), lambda: optimizer, "categorical_crossentropy")()


BATCHED = 10

SHAPED = [
    case("Sequential with an Input", stack(dense(8), dense(5, "tanh"))),
    case("Sequential without an Input", lambda: keras.Sequential([L.Dense(6, activation="relu"), softmax()])),
    case("Sequential with `input_shape` in its first layer", with_input_shape),
    case("Sequential that flattens rows", stack(L.Flatten, dense(), data="rows"), "rows"),
    case(
        "functional, two branches concatenated",
        graph(lambda x: softmax()(L.Concatenate()([L.Dense(5, "tanh")(x), L.Dense(3, "relu")(x)]))),
    ),
    case(
        "functional, a residual connection",
        graph(lambda x: softmax()(L.Add()([x, L.Dense(12, "relu")(L.LayerNormalization()(x))]))),
    ),
    case("functional, operators and slices between layers", graph(lambda x: softmax()(ops.relu(x * 2 - 1)[:, 2:]))),
    case("functional, a layer called twice", graph(lambda x: softmax()((lambda d: d(d(x)))(L.Dense(12, "tanh"))))),
    case("functional, one encoder for both halves of the input", graph(siamese)),
    case("a model inside a model", graph(lambda x: softmax()(inner()(x)))),
    case("models three deep", two_deep),
    case("a model called twice inside another", graph(twice)),
    case("a new head on another model's layers, weights fresh", new_head),
    case("two inputs", several_inputs, says="several inputs"),
    case("two outputs", graph(lambda x: [softmax()(x), L.Dense(1)(x)]), says="several outputs"),
    case("an input with a batch size", lambda: keras.Sequential([keras.Input((12,), batch_size=BATCHED), softmax()])),
    case("a constant matrix in the graph", graph(lambda x: softmax()(ops.matmul(x, np.eye(12, 5, dtype="float32"))))),
    case(
        "TimeDistributed of a model",
        lambda: keras.Sequential([keras.Input((6, 5)), L.TimeDistributed(rowwise()), L.Flatten(), softmax()]),
        "rows",
    ),
    case("a model that reads another shape", stack(dense(), data="rows"), says="the data has examples of shape (12,)"),
    case("cloned after it was trained", fresh_after_training),
]
SEQUENCES = [
    case("TimeDistributed", stack(lambda: L.TimeDistributed(L.Dense(4)), L.Flatten, data="rows"), "rows"),
    case("two TimeDistributed share one layer", shared_inner, "rows", says="is shared by"),
    case("LSTM", stack(lambda: L.LSTM(5), data="rows"), "rows"),
    case(
        "stacked Bidirectional LSTM and GRU",
        stack(
            lambda: L.Bidirectional(L.LSTM(3, return_sequences=True)),
            lambda: L.Bidirectional(L.GRU(3), merge_mode="sum"),
            data="rows",
        ),
        "rows",
        tolerance=1e-3,
    ),
    case(
        "LSTM with dropout and recurrent dropout",
        stack(lambda: L.LSTM(4, dropout=0.3, recurrent_dropout=0.2), data="rows"),
        "rows",
    ),
    case(
        "a stateful LSTM",
        lambda: keras.Sequential([keras.Input((6, 5), batch_size=BATCHED), L.LSTM(4, stateful=True), softmax()]),
        "rows",
        says="is stateful",
    ),
    case("RNN with a cell of one's own", stack(lambda: L.RNN(own.MinimalCell(4)), data="rows"), "rows"),
    case(
        "causal dilated Conv1D",
        stack(lambda: L.Conv1D(4, 2, padding="causal", dilation_rate=2), L.Flatten, data="rows"),
        "rows",
    ),
    case("Masking and GRU", stack(lambda: L.Masking(0.0), lambda: L.GRU(4), data="rows"), "rows"),
    case("Embedding with mask_zero, and LSTM", of_tokens(lambda: L.LSTM(4), mask_zero=True), "tokens"),
    case(
        "Embedding with mask_zero, and an average over words",
        of_tokens(L.GlobalAveragePooling1D, mask_zero=True),
        "tokens",
    ),
    case("Embedding with mask_zero, flattened", of_tokens(L.Flatten, mask_zero=True), "tokens"),
    case("Embedding without a mask, flattened", of_tokens(L.Flatten), "tokens"),
    case("a block of a transformer", graph(transformer, "rows"), "rows", tolerance=1e-3),
    case(
        "attention that looks back alone",
        graph(lambda x: softmax()(L.Flatten()(L.MultiHeadAttention(2, 3)(x, x, use_causal_mask=True))), "rows"),
        "rows",
        tolerance=1e-3,
    ),
    case("words counted by CategoryEncoding", stack(lambda: L.CategoryEncoding(22, "count"), data="tokens"), "tokens"),
]

PICTURES = [
    case(
        "a convolutional network",
        stack(lambda: L.Conv2D(4, 3, activation="relu"), L.MaxPooling2D, L.Flatten, data="pictures"),
        "pictures",
    ),
    case(
        "convolution, BatchNormalization, global pooling",
        stack(
            lambda: L.Conv2D(4, 3, use_bias=False),
            lambda: L.BatchNormalization(momentum=0.8),
            L.ReLU,
            L.GlobalAveragePooling2D,
            data="pictures",
        ),
        "pictures",
        tolerance=1e-3,
    ),
    case(
        "separable and depthwise convolutions",
        stack(
            lambda: L.SeparableConv2D(4, 3, activation="relu"),
            lambda: L.DepthwiseConv2D(2),
            L.GlobalMaxPooling2D,
            data="colours",
        ),
        "colours",
    ),
    case(
        "flips and shifts while training",
        stack(lambda: L.RandomFlip("horizontal"), lambda: L.RandomTranslation(0.2, 0.2), L.Flatten, data="pictures"),
        "pictures",
    ),
    case("Rescaling inside", stack(lambda: L.Rescaling(2.0, offset=-1.0), L.Flatten, data="pictures"), "pictures"),
    case("ConvLSTM2D of films", stack(lambda: L.ConvLSTM2D(2, 3), L.Flatten, data="films"), "films"),
    case(
        "transposed convolution and cropping",
        stack(lambda: L.Conv2DTranspose(2, 3), lambda: L.Cropping2D(2), L.Flatten, data="pictures"),
        "pictures",
    ),
]

NORMALIZED = [
    case("BatchNormalization", stack(dense(), lambda: L.BatchNormalization(momentum=0.8))),
    case("BatchNormalization without scale and centre", stack(lambda: L.BatchNormalization(center=False, scale=False))),
    case("LayerNormalization", stack(dense(), L.LayerNormalization)),
    case(
        "GroupNormalization and UnitNormalization", stack(dense(), lambda: L.GroupNormalization(2), L.UnitNormalization)
    ),
    case(
        "SpectralNormalization",
        stack(lambda: L.SpectralNormalization(L.Dense(6)), L.RMSNormalization),
        tolerance=2e-3,
    ),
    case("Normalization with mean and variance", stack(lambda: L.Normalization(mean=0.5, variance=0.1), dense())),
    case("Normalization that was adapted", adapted, says="adapt"),
    case("Dropout", stack(dense(9), lambda: L.Dropout(0.4))),
    case(
        "Dropout with a noise shape",
        stack(lambda: L.Dropout(0.4, noise_shape=(None, 1, 5)), L.Flatten, data="rows"),
        "rows",
    ),
    case("Dropout with a seed of its own", stack(dense(9), lambda: L.Dropout(0.4, seed=5))),
    case("a dropout rate that was changed later", changed_rate),
    case(
        "Dropout called with training=True, which Keras overrules in inference mode",
        graph(lambda x: softmax()(L.Dropout(0.4)(x, training=True))),
    ),
    case(
        "BatchNormalization called with training=True, likewise",
        graph(lambda x: softmax()(L.BatchNormalization()(x, training=True))),
    ),
    case("Monte-Carlo dropout of one's own", stack(dense(9), lambda: own.StaysOn(0.3)), says="in inference mode"),
    case("noise of one's own without `training`", stack(own.AlwaysNoisy, dense()), says="in inference mode"),
    case(
        "Discretization with boundaries",
        stack(lambda: L.Discretization([0.2, 0.5, 0.8], output_mode="one_hot"), L.Flatten),
    ),
    case("SpatialDropout1D", stack(lambda: L.SpatialDropout1D(0.3), L.Flatten, data="rows"), "rows"),
    case(
        "AlphaDropout behind selu and lecun_normal",
        stack(dense(6, "selu", kernel_initializer="lecun_normal"), lambda: L.AlphaDropout(0.2)),
    ),
    case(
        "GaussianNoise and GaussianDropout",
        stack(lambda: L.GaussianNoise(0.2), dense(), lambda: L.GaussianDropout(0.3)),
    ),
]

PENALIZED = [
    case("weight decay by L2", stack(dense(kernel_regularizer="l2", bias_regularizer=R.L1(0.01)))),
    case("L1 and L2 together", stack(dense(kernel_regularizer=R.L1L2(0.001, 0.01)))),
    case("OrthogonalRegularizer", stack(dense(kernel_regularizer=R.OrthogonalRegularizer(0.05)))),
    case("an activity regularizer", stack(dense(activity_regularizer=R.L1(0.01)))),
    case("ActivityRegularization", stack(dense(), lambda: L.ActivityRegularization(l1=0.01))),
    case(
        "constraints",
        stack(dense(kernel_constraint="max_norm", bias_constraint="non_neg"), dense(kernel_constraint="unit_norm")),
    ),
    case(
        "a regularizer that was set on a built layer",
        changed(stack(dense()), lambda m: setattr(m.layers[0], "kernel_regularizer", R.L2(0.5))),
        says="kernel_regularizer",
    ),
    case(
        "an activation that was set on a built layer",
        changed(stack(dense()), lambda m: setattr(m.layers[0], "activation", keras.activations.tanh)),
    ),
    case(
        "a regularizer without get_config",
        stack(dense(kernel_regularizer=own.WithoutConfigRegularizer(0.1))),
        says="WithoutConfigRegularizer",
    ),
    case(
        "an initializer whose config forgets an argument",
        stack(dense(kernel_initializer=own.ForgetfulInitializer(0.1))),
        says="ForgetfulInitializer",
    ),
    case(
        "a regularizer and a constraint of one's own",
        stack(dense(kernel_regularizer=own.Decorrelated(), kernel_constraint=own.Rounded())),
    ),
    case("a layer that adds a loss", stack(dense(), own.Sparse)),
]

OWN = [
    case("a subclassed network with `training`", own.WithTraining),
    case("a subclassed network without `training`", own.WithoutTraining),
    case("a subclassed network with a list of layers", own.Listed),
    case("a subclassed network that uses one layer three times", own.Tied),
    case("a subclassed network that makes its layers in `build`", own.LateLayers),
    case(
        "a subclassed network inside a Sequential", lambda: keras.Sequential([keras.Input((12,)), own.WithTraining()])
    ),
    case("a subclassed network without get_config", lambda: own.WithoutConfig(5), says="get_config"),
    case("a subclassed network with a train_step", own.TrainsItself, says="train_step of its own"),
    case("a subclassed network with a test_step", own.TestsItself, says="test_step of its own"),
    case("a layer of one's own", stack(lambda: own.ResidualBlock(12))),
    case("a transformer block of one's own", stack(own.Attending, L.Flatten, data="rows"), "rows", tolerance=1e-3),
    case("a layer of one's own with a seed for NumPy", stack(lambda: own.RandomFeatures(7, seed=3))),
    case("a layer of one's own with noise and a seed of Keras", stack(lambda: own.Noisy(0.3, seed=3), dense())),
    case("a layer of one's own with a running mean", stack(own.RunningMean, dense())),
    case(
        "a layer without get_config",
        stack(lambda: own.LayerWithoutConfig(2.0)),
        says="cannot be made again from its config",
    ),
    case("a layer whose get_config forgets an argument", stack(lambda: own.LayerThatForgets(3.0)), says="factor"),
    case("a layer with an attribute that was set later", set_later, says="strength"),
    case("a layer that is not registered", stack(own.Unregistered), says="not registered with Keras"),
    case("an activation of one's own, registered", stack(dense(6, own.swish_of_twice))),
    case("an initializer of one's own", stack(dense(bias_initializer=own.SmallWeights(0.2)))),
    case("a Lambda", stack(lambda: L.Lambda(lambda x: 2 * x)), says="is a Lambda"),
    case("a lambda for an activation", stack(dense(6, lambda x: x * x)), says="has a lambda as its activation"),
]

ENDS = [
    case(
        "logits and from_logits",
        compiled(
            stack(dense(), end=dense(4, "linear")),
            "adam",
            lambda: keras.losses.CategoricalCrossentropy(from_logits=True),
        ),
    ),
    case(
        "logits under a sparse loss",
        compiled(
            stack(dense(), end=dense(4, "linear")),
            "adam",
            lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        ),
    ),
    case(
        "softmax and from_logits",
        compiled(stack(dense()), "adam", lambda: keras.losses.CategoricalCrossentropy(from_logits=True)),
        notes="its last activation is softmax",
    ),
    case(
        "a linear end without from_logits",
        stack(dense(), end=dense(4, "linear")),
        notes="its last activation is linear",
    ),
    case(
        "one sigmoid unit",
        stack(dense(), end=dense(1, "sigmoid")),
        "two classes",
        options={"loss": "binary_crossentropy"},
    ),
    case(
        "one unit of logits",
        stack(dense(), end=dense(1, "linear")),
        "two classes",
        options={"loss": keras.losses.BinaryCrossentropy(from_logits=True)},
        accuracy=by_sign,
        boundary=0.0,
    ),
    case(
        "two softmax units",
        stack(dense(), end=dense(2, "softmax")),
        "two classes",
        options={"loss": "sparse_categorical_crossentropy"},
    ),
    case(
        "two sigmoid units, binary cross-entropy",
        stack(dense(), end=dense(2, "sigmoid")),
        "two classes",
        options={"loss": "binary_crossentropy"},
        accuracy=lambda: "categorical_accuracy",
    ),
    case(
        "one softmax unit",
        stack(end=dense(1, "softmax")),
        "two classes",
        options={"loss": "binary_crossentropy"},
        says="softmax over one unit",
    ),
    case(
        "one unit for four classes",
        stack(end=dense(1, "sigmoid")),
        options={"loss": "mse"},
        says="the data has 4 classes",
    ),
    case(
        "three units for four classes, as ordinal networks have",
        stack(end=dense(3, "sigmoid")),
        options={"loss": "binary_crossentropy"},
        says="the data has 4 classes",
    ),
    case(
        "hinge, one tanh unit",
        stack(dense(), end=dense(1, "tanh")),
        "two classes",
        options={"loss": "hinge"},
        accuracy=by_sign,
        boundary=0.0,
    ),
    case(
        "squared hinge, one linear unit",
        stack(dense(), end=dense(1, "linear")),
        "two classes",
        options={"loss": "squared_hinge"},
        accuracy=by_sign,
        boundary=0.0,
    ),
    case(
        "hinge, one sigmoid unit",
        stack(end=dense(1, "sigmoid")),
        "two classes",
        options={"loss": "hinge"},
        says="every example gets the same answer",
    ),
    case(
        "one sigmoid unit and from_logits",
        stack(end=dense(1, "sigmoid")),
        "two classes",
        options={"loss": keras.losses.BinaryCrossentropy(from_logits=True)},
        says="every example gets the same answer",
    ),
    case(
        "log_softmax under cross-entropy",
        stack(end=dense(4, "log_softmax")),
        notes="its last activation is log_softmax",
    ),
    case(
        "log_softmax and from_logits",
        compiled(
            stack(end=dense(4, "log_softmax")), "adam", lambda: keras.losses.CategoricalCrossentropy(from_logits=True)
        ),
    ),
    case(
        "hinge of four units",
        stack(dense(), end=dense(4, "tanh")),
        options={"loss": "hinge"},
        accuracy=lambda: "categorical_accuracy",
    ),
    case("categorical hinge", stack(dense(), end=dense(4, "linear")), options={"loss": "categorical_hinge"}),
    case("squared errors of one-hot labels", stack(dense()), options={"loss": "mse"}),
    case(
        "label smoothing", stack(dense()), options={"loss": keras.losses.CategoricalCrossentropy(label_smoothing=0.2)}
    ),
    case("focal loss", stack(dense()), options={"loss": keras.losses.CategoricalFocalCrossentropy(gamma=1.0)}),
    case(
        "a loss that sums over the batch",
        stack(dense()),
        options={"loss": keras.losses.CategoricalCrossentropy(reduction="sum"), "optimizer": "sgd"},
    ),
    case(
        "a sparse loss that ignores a class",
        stack(dense()),
        options={"loss": keras.losses.SparseCategoricalCrossentropy(ignore_class=0)},
        says="ignore_class",
    ),
    case("class weights", stack(dense()), options={"class_weight": {0: 1.0, 1: 3.0, 2: 0.5, 3: 1.0}}),
    case("a function for a loss", stack(dense()), options={"loss": own.own_loss}, says="it is a loss of your own"),
    case("compiled with a list of losses", compiled(stack(dense()), "adam", ["mse"]), says="no loss, or with several"),
    case(
        "compiled with a dict of losses",
        compiled(stack(dense()), "adam", lambda: {"out": "mse"}),
        says="no loss, or with several",
    ),
    case(
        "compiled with loss_weights", compiled(stack(dense()), "adam", "mse", loss_weights=[2.0]), says="loss_weights"
    ),
]

OPTIMIZED = [
    case("SGD with Nesterov momentum", optimized(lambda: Optimizers.SGD(0.05, momentum=0.9, nesterov=True))),
    case(
        "a cosine schedule with warm-up",
        optimized(lambda: Optimizers.Adam(S.CosineDecay(0.0, 9, warmup_target=0.05, warmup_steps=4))),
    ),
    case("steps of a schedule", optimized(lambda: Optimizers.SGD(S.PiecewiseConstantDecay([3, 9], [0.1, 0.05, 0.01])))),
    case(
        "exponential decay in steps",
        optimized(lambda: Optimizers.RMSprop(S.ExponentialDecay(0.01, 4, 0.5, staircase=True))),
    ),
    case("a schedule of one's own", optimized(lambda: Optimizers.SGD(own.HalfWay())), says="HalfWay"),
    case("clipnorm", optimized(lambda: Optimizers.SGD(0.1, clipnorm=0.05))),
    case("clipvalue", optimized(lambda: Optimizers.SGD(0.1, clipvalue=0.01))),
    case("global_clipnorm", optimized(lambda: Optimizers.Adam(0.01, global_clipnorm=0.1))),
    case("an average of the weights (EMA)", optimized(lambda: Optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9))),
    case(
        "EMA that overwrites the weights",
        optimized(lambda: Optimizers.Adam(0.01, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=3)),
    ),
    case("gradient accumulation", optimized(lambda: Optimizers.Adam(0.01, gradient_accumulation_steps=3))),
    case("AdamW", optimized(lambda: Optimizers.AdamW(0.01, weight_decay=0.1))),
    case("AdamW without decay for biases", without_decay, says="exclude_from_weight_decay"),
    case("Lion", optimized(lambda: Optimizers.Lion(0.001))),
    case("Muon", optimized(lambda: Optimizers.Muon(0.01)), tolerance=2e-3),
    case(
        "a learning rate that was changed later",
        changed(optimized(lambda: Optimizers.SGD(0.1)), lambda m: setattr(m.optimizer, "learning_rate", 0.02)),
    ),
    case("a function for a learning rate", optimized(lambda: Optimizers.SGD(a_tenth)), says="a class of your own"),
    case(
        "compiled with metrics, jit_compile and steps_per_execution",
        compiled(
            stack(dense()),
            "adam",
            "categorical_crossentropy",
            metrics=["auc"],
            jit_compile=False,
            steps_per_execution=2,
        ),
    ),
    case("a loss scale", optimized(lambda: Optimizers.SGD(0.1, loss_scale_factor=128.0)), says="scales losses"),
    case(
        "LossScaleOptimizer",
        optimized(lambda: Optimizers.LossScaleOptimizer(Optimizers.SGD(0.1))),
        says="paribus does not scale losses",
    ),
]

WEIGHTS = [
    case(
        "a frozen layer", changed(stack(dense()), lambda m: setattr(m.layers[0], "trainable", False)), says="is frozen"
    ),
    case(
        "a frozen layer of a model that is not built",
        lambda: keras.Sequential([L.Dense(6, trainable=False), softmax()]),
    ),
    case("a frozen model", changed(stack(dense()), lambda m: setattr(m, "trainable", False)), says="is frozen"),
    case(
        "a frozen BatchNormalization",
        changed(stack(dense(), L.BatchNormalization), lambda m: setattr(m.layers[1], "trainable", False)),
        says="is frozen",
    ),
    case(
        "a frozen kernel",
        changed(stack(dense()), lambda m: setattr(m.layers[0].kernel, "trainable", False)),
        says="frozen variables",
    ),
    case("weights that were set, of layers without a bias", pretrained, says="weights were loaded or set"),
    case("low-rank adaptation", changed(stack(dense()), lambda m: m.layers[0].enable_lora(2)), says="enable_lora"),
    case("quantized", changed(stack(dense()), lambda m: m.layers[0].quantize("int8")), says="is quantized"),
    case("mixed_bfloat16", with_global_policy("mixed_bfloat16", stack(dense())), tolerance=2e-2),
    case("mixed_bfloat16 in one layer", stack(dense(dtype="mixed_bfloat16")), tolerance=2e-2),
    case("mixed_float16", with_global_policy("mixed_float16", stack(dense())), says="float16"),
    case("float64", stack(dense(dtype="float64"), end=lambda: L.Dense(4, "softmax", dtype="float64"))),
]

GROUPS = {
    "Forms of a network": SHAPED,
    "Sequences and words": SEQUENCES,
    "Pictures": PICTURES,
    "Normalization, dropout and noise": NORMALIZED,
    "Penalties and constraints": PENALIZED,
    "Classes of one's own": OWN,
    "Outputs and losses": ENDS,
    "Optimizers": OPTIMIZED,
    "Weights and types": WEIGHTS,
}
NETWORKS: list[NetworkCase] = [case for cases in GROUPS.values() for case in cases]
