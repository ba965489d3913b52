"""How each layer class is used: in a network of its own, on examples of a shape that it reads."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import keras

L = keras.layers
FLAT, ROWS, IMAGE, VOLUME = (12,), (6, 5), (6, 6, 3), (4, 4, 4, 2)
SOFTMAX = {"Dense": {"units": 4, "activation": "softmax"}}


@dataclass(frozen=True)
class LayerCase:
    """A layer between the input and a softmax.

    Attributes:
        arguments: those that a study file would write.
        shape: of one example.
        random: whether it draws at random while it trains, so that it is compared by its distribution.
        highest: the largest value of the input.
        draws: how often it is drawn where it is compared by its distribution.
        build: makes the network in Python, where a stack of layers does not hold it.
        around: the layer in whose argument it is written, for cells.
    """

    arguments: dict[str, Any] = field(default_factory=dict)
    shape: tuple[int, ...] = FLAT
    random: bool = False
    highest: float = 1.0
    draws: int = 60
    build: Callable[[], keras.Model] | None = None
    around: Callable[[dict[str, Any]], dict[str, Any]] | None = None


def two_branches(name: str, **arguments: Any) -> Callable[[], keras.Model]:
    """A network that merges two branches."""

    def build() -> keras.Model:
        inputs = keras.Input(FLAT)
        merged = getattr(L, name)(**arguments)([L.Dense(5, "tanh")(inputs), L.Dense(5, "relu")(inputs)])
        return keras.Model(inputs, L.Dense(4, "softmax")(merged))

    return build


def attention(name: str, *, listed: bool, **arguments: Any) -> Callable[[], keras.Model]:
    """A network whose examples attend to themselves; ``listed`` where the layer reads a list."""

    def build() -> keras.Model:
        inputs = keras.Input(ROWS)
        layer = getattr(L, name)(**arguments)
        attended = layer([inputs, inputs]) if listed else layer(inputs, inputs)
        return keras.Model(inputs, L.Dense(4, "softmax")(L.Flatten()(attended)))

    return build


def dropped(rate: float = 0.3) -> LayerCase:
    return LayerCase({"rate": rate}, random=True)


def pictures(random: bool = True, **arguments: Any) -> LayerCase:
    return LayerCase(arguments, IMAGE, random=random)


def tied_embedding() -> keras.Model:
    inputs = keras.Input((7,))
    return keras.Model(inputs, L.Dense(4, "softmax")(L.Flatten()(L.ReversibleEmbedding(20, 4)(inputs))))


CASES: dict[str, LayerCase] = {
    "Activation": LayerCase({"activation": "gelu"}),
    "ActivityRegularization": LayerCase({"l1": 0.001, "l2": 0.01}),
    "Add": LayerCase(build=two_branches("Add")),
    "AdditiveAttention": LayerCase(shape=ROWS, build=attention("AdditiveAttention", listed=True)),
    "AlphaDropout": dropped(),
    "Attention": LayerCase(shape=ROWS, build=attention("Attention", listed=True, use_scale=True)),
    # Its chains of operations take minutes.
    "AugMix": replace(pictures(value_range=[0, 1]), draws=24),
    "AutoContrast": pictures(random=False, value_range=[0, 1]),
    "Average": LayerCase(build=two_branches("Average")),
    "BatchNormalization": LayerCase({"momentum": 0.9}),
    "Bidirectional": LayerCase({"layer": {"GRU": {"units": 3}}}, ROWS),
    "CategoryEncoding": LayerCase({"num_tokens": 8, "output_mode": "multi_hot"}, (5,), highest=7.0),
    "CenterCrop": pictures(random=False, height=4, width=4),
    "Concatenate": LayerCase(build=two_branches("Concatenate")),
    "ContrastLimitedAdaptiveHistogramEqualization": pictures(random=False, value_range=[0, 1]),
    "CutMix": pictures(),
    "Dense": LayerCase({"units": 6, "activation": "relu"}),
    "DepthwiseConv1D": LayerCase({"kernel_size": 2}, ROWS),
    "DepthwiseConv2D": LayerCase({"kernel_size": 2}, IMAGE),
    "Discretization": LayerCase({"bin_boundaries": [0.2, 0.5, 0.8], "output_mode": "one_hot"}),
    "Dot": LayerCase(build=two_branches("Dot", axes=1)),
    "Dropout": dropped(),
    "EinsumDense": LayerCase({"equation": "abc,cd->abd", "output_shape": [6, 3], "bias_axes": "d"}, ROWS),
    "Embedding": LayerCase({"input_dim": 20, "output_dim": 4}, (7,), highest=19.0),
    "Equalization": pictures(random=False, value_range=[0, 1]),
    "GRU": LayerCase({"units": 4}, ROWS),
    "GRUCell": LayerCase({"units": 4}, ROWS, around=lambda cell: {"RNN": {"cell": cell}}),
    "GaussianDropout": dropped(),
    "GaussianNoise": LayerCase({"stddev": 0.2}, random=True),
    "GroupNormalization": LayerCase({"groups": 3}, IMAGE),
    "GroupQueryAttention": LayerCase(
        shape=ROWS,
        build=attention("GroupQueryAttention", listed=False, head_dim=3, num_query_heads=4, num_key_value_heads=2),
    ),
    "HashedCrossing": LayerCase({"num_bins": 8}),
    "Hashing": LayerCase({"num_bins": 8}, highest=20.0),
    "JaxLayer": LayerCase({"call_fn": "f"}),
    "LSTM": LayerCase({"units": 4}, ROWS),
    "LSTMCell": LayerCase({"units": 4}, ROWS, around=lambda cell: {"RNN": {"cell": cell}}),
    "Lambda": LayerCase({"function": "f"}),
    "FlaxLayer": LayerCase({"module": "f"}),
    "Masking": LayerCase({"mask_value": 0.5}, ROWS),
    "MaxNumBoundingBoxes": pictures(random=False, max_number=3),
    "Maximum": LayerCase(build=two_branches("Maximum")),
    "MelSpectrogram": LayerCase(
        {"fft_length": 16, "sequence_stride": 8, "num_mel_bins": 4, "sampling_rate": 100}, (64,)
    ),
    "Minimum": LayerCase(build=two_branches("Minimum")),
    "MixUp": pictures(),
    "MultiHeadAttention": LayerCase(
        shape=ROWS, build=attention("MultiHeadAttention", listed=False, num_heads=2, key_dim=3)
    ),
    "Multiply": LayerCase(build=two_branches("Multiply")),
    "Normalization": LayerCase({"mean": 0.4, "variance": 0.2}),
    "Permute": LayerCase({"dims": [2, 1]}, ROWS),
    "Pipeline": LayerCase({"layers": [{"Rescaling": {"scale": 2.0}}]}),
    "RNN": LayerCase({"cell": {"SimpleRNNCell": {"units": 4}}}, ROWS),
    "RandAugment": pictures(value_range=[0, 1]),
    "RandomBrightness": pictures(factor=0.2, value_range=[0, 1]),
    "RandomColorDegeneration": pictures(factor=0.5, value_range=[0, 1]),
    "RandomColorJitter": pictures(value_range=[0, 1], brightness_factor=0.2),
    "RandomContrast": pictures(factor=0.3, value_range=[0, 1]),
    "RandomCrop": pictures(height=4, width=4),
    "RandomElasticTransform": pictures(value_range=[0, 1]),
    "RandomErasing": pictures(value_range=[0, 1]),
    "RandomFlip": pictures(),
    "RandomGaussianBlur": pictures(value_range=[0, 1]),
    "RandomGrayscale": pictures(),
    "RandomHue": pictures(factor=0.3, value_range=[0, 1]),
    "RandomInvert": pictures(value_range=[0, 1]),
    "RandomPerspective": pictures(),
    "RandomPosterization": pictures(factor=4, value_range=[0, 1]),
    "RandomRotation": pictures(factor=0.1),
    "RandomSaturation": pictures(factor=0.3, value_range=[0, 1]),
    "RandomSharpness": pictures(factor=0.3, value_range=[0, 1]),
    "RandomShear": pictures(x_factor=[0.0, 0.2], y_factor=[0.0, 0.2]),
    "RandomTranslation": pictures(height_factor=0.2, width_factor=0.2),
    "RandomZoom": pictures(height_factor=0.2),
    "RepeatVector": LayerCase({"n": 3}),
    "Rescaling": LayerCase({"scale": 2.0, "offset": -1.0}),
    "Reshape": LayerCase({"target_shape": [3, 4]}),
    "Resizing": pictures(random=False, height=4, width=8),
    "ReversibleEmbedding": LayerCase(shape=(7,), highest=19.0, build=tied_embedding),
    "STFTSpectrogram": LayerCase({"fft_length": 16, "frame_length": 16, "frame_step": 8}, (64, 1)),
    "SimpleRNN": LayerCase({"units": 4}, ROWS),
    "SimpleRNNCell": LayerCase({"units": 4}, ROWS, around=lambda cell: {"RNN": {"cell": cell}}),
    "Solarization": pictures(random=False, value_range=[0, 1], threshold_factor=0.5),
    "SpatialDropout1D": LayerCase({"rate": 0.3}, ROWS, random=True),
    "SpatialDropout2D": LayerCase({"rate": 0.3}, IMAGE, random=True),
    "SpatialDropout3D": LayerCase({"rate": 0.3}, VOLUME, random=True),
    "SpectralNormalization": LayerCase({"layer": {"Dense": {"units": 5}}}),
    "StackedRNNCells": LayerCase(
        shape=ROWS,
        build=lambda: keras.Sequential(
            [keras.Input(ROWS), L.RNN(L.StackedRNNCells([L.GRUCell(3), L.LSTMCell(4)])), L.Dense(4, "softmax")]
        ),
    ),
    "Subtract": LayerCase(build=two_branches("Subtract")),
    "TFSMLayer": LayerCase({"filepath": "f"}),
    "TimeDistributed": LayerCase({"layer": {"Dense": {"units": 3, "activation": "relu"}}}, ROWS),
    "TorchModuleWrapper": LayerCase({"module": "f"}),
    "Wrapper": LayerCase({"layer": {"Dense": {"units": 3}}}),
}

_SIZED = {
    r"Adaptive(Average|Max)Pooling\dD": {"output_size": 2},
    r"(Average|Max|Avg)Pool(ing)?\dD": {"pool_size": 2},
    r"Conv(olution)?\dD(Transpose)?|SeparableConv(olution)?\dD": {"filters": 3, "kernel_size": 2},
    r"ConvLSTM\dD": {"filters": 2, "kernel_size": 2},
    r"Cropping\dD": {"cropping": 1},
    r"UpSampling\dD": {"size": 2},
    r"ZeroPadding\dD": {"padding": 1},
}
_SHAPES = {"1D": ROWS, "2D": IMAGE, "3D": VOLUME}


def case_of(name: str) -> LayerCase:
    """How a layer class is used; by default as it is, on flat examples or on those that its name asks for."""
    if name in CASES:
        return CASES[name]
    arguments = next((dict(given) for pattern, given in _SIZED.items() if re.fullmatch(pattern, name)), {})
    shape = next((shape for ending, shape in _SHAPES.items() if ending in name), FLAT)
    if name.startswith("ConvLSTM"):
        shape = (3, *{"1": (4, 2), "2": (4, 4, 2), "3": (3, 3, 3, 1)}[name[8]])
    return LayerCase(arguments, shape)
