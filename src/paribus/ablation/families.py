"""What belongs together in a network: kinds of layers that are left out together, and what may replace what."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from paribus.keras_config.graph import Json


@dataclass(frozen=True, slots=True)
class Family:
    """Layers that are left out together.

    Attributes:
        name: as in ``no-dropout``.
        part: what leaving them out measures.
        pattern: their class names.
        arguments: arguments of other layers that do the same, and are set to zero.
        wrapper: whether they wrap the layer that stays.
    """

    name: str
    part: str
    pattern: str
    arguments: tuple[str, ...] = ()
    wrapper: bool = False

    def holds(self, layer: Json) -> bool:
        """Whether a layer is one of them and can be taken out."""
        return not self.wrapper and re.fullmatch(self.pattern, layer["class_name"]) is not None

    def wraps(self, layer: Json) -> bool:
        """Whether a layer is one of them around another layer."""
        return self.wrapper and re.fullmatch(self.pattern, layer["class_name"]) is not None


FAMILIES = (
    Family("dropout", "dropout", r"(Spatial|Gaussian|Alpha)?Dropout(\dD)?", ("dropout", "recurrent_dropout")),
    Family("noise", "noise", "GaussianNoise"),
    Family(
        "augmentation",
        "augmentation",
        "Random[A-Z].*|RandAugment|AugMix|CutMix|MixUp|AutoContrast|Equalization|Solarization",
    ),
    Family("batch-normalization", "batch normalization", "BatchNormalization"),
    Family("layer-normalization", "layer normalization", "LayerNormalization"),
    Family("group-normalization", "group normalization", "GroupNormalization"),
    Family("unit-normalization", "unit normalization", "UnitNormalization|RMSNormalization"),
    Family("spectral-normalization", "spectral normalization", "SpectralNormalization", wrapper=True),
    Family("activity-penalty", "activity penalty", "ActivityRegularization"),
)

OTHER_ACTIVATION = {"relu": "tanh"}
"""What replaces an activation; relu for all others."""

WIDTHS = ("units", "filters", "output_dim")
"""Arguments that say how wide a layer is."""

_ACTIVATION_LAYERS = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu"}
_RECURRENT = re.compile(r"(LSTM|GRU|SimpleRNN|ConvLSTM\dD)(Cell)?")
_NONE = frozenset({"linear", "softmax"})
_SERVES = re.compile(
    r"Activation|(Leaky|P)?ReLU|ELU|.*Normalization|(Spatial|Gaussian|Alpha)?Dropout(\dD)?|GaussianNoise"
)


def activation_of(layer: Json) -> str | None:
    """The name of a layer's activation; None for linear ones, a user's own, and the gates of recurrent layers."""
    if layer["class_name"] in _ACTIVATION_LAYERS:
        return _ACTIVATION_LAYERS[layer["class_name"]]
    name = layer["config"].get("activation")
    if not isinstance(name, str) or name in _NONE or ">" in name or _RECURRENT.fullmatch(layer["class_name"]):
        return None
    return name


def serves(layer: Json) -> bool:
    """Whether a layer only serves the one before it, and goes when that one goes."""
    return _SERVES.fullmatch(layer["class_name"]) is not None


def described(layer: Json) -> str:
    """``Dense(200)``."""
    width = next((layer["config"][key] for key in WIDTHS if isinstance(layer["config"].get(key), int)), None)
    return f"{layer['class_name']}({width})" if width is not None else str(layer["class_name"])


def other_optimizer(name: str) -> tuple[str, dict[str, Any]]:
    """Another optimizer with usual arguments: SGD with momentum for adaptive ones, Adam for SGD."""
    if name == "SGD":
        return "Adam", {}
    return "SGD", {"learning_rate": 0.01, "momentum": 0.9}
