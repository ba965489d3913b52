"""Whether a network has attention, recurrent layers or layers applied at every time step, as its config says."""

from __future__ import annotations

import re

from paribus.records import Recipe

_WORDS = r"(?:Attention|LSTM|GRU|RNN|Bidirectional|TimeDistributed|EinsumDense)"
_NAMED = re.compile(rf'"class_name":"[^"]*{_WORDS}')
_KIND = re.compile(rf".*{_WORDS}")


def has_sequences(recipe: Recipe) -> bool:
    """Whether a layer is named as one of Keras's that go over the time steps of their input.

    ``tests/keras_config/test_sequences.py`` compares the names with Keras. A class of the user's counts where its name
    says so, as in ``has_windows``.

    Products and sums of such networks are computed in the forms of ``paribus.engine.kernels`` on a CPU, and their
    fingerprints say so.
    """
    return _NAMED.search(recipe.model) is not None or any(_KIND.match(layer.kind) for layer in recipe.layers)
