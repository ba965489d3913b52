"""Whether a network has convolutions, pooling over windows or images transformed, as far as its config says."""

from __future__ import annotations

import re

from paribus.records import Recipe

_WORDS = (
    r"(?:Conv|Pool|Blur|Elastic|Extract|Sharpness|Aug|Sobel|Spectrogram|STFT"
    r"|RandomRotation|RandomTranslation|RandomZoom|RandomShear)"
)
_NAMED = re.compile(rf'"class_name":"(?!Global)[^"]*{_WORDS}')
_KIND = re.compile(rf"(?!Global).*{_WORDS}")


def has_windows(recipe: Recipe) -> bool:
    """Whether a layer or operation is named as one of Keras's that go over windows of their input, or transform images.

    ``tests/keras_config/test_windows.py`` compares the names with Keras. What a user's own class does inside is not in
    a config: it counts where its name says so. Global pooling has no windows.

    Such networks are computed in the forms of ``paribus.engine.kernels`` on a CPU, and their fingerprints say so.
    """
    kinds = (layer.kind for layer in recipe.layers)
    return _NAMED.search(recipe.model) is not None or any(_KIND.match(kind) for kind in kinds)
