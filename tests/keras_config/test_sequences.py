"""Which networks go over time steps: by name, and held against Keras's layers."""

from __future__ import annotations

import keras
import pytest

from paribus.keras_config.sequences import has_sequences
from paribus.records import LayerSummary, Recipe

LAYERS = {name: value for name, value in vars(keras.layers).items() if isinstance(value, type)}
RECURRENT = {
    name: kind
    for name, kind in LAYERS.items()
    if issubclass(kind, keras.layers.RNN | keras.layers.Bidirectional | keras.layers.TimeDistributed)
}
ATTENTION = {name for name in LAYERS if "attention" in name.lower()}


def recipe(class_name: str) -> Recipe:
    return Recipe(f'{{"class_name":"{class_name}","module":"keras.layers"}}', "{}", 0, ())


def test_keras_has_such_layers() -> None:
    assert {"LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional", "TimeDistributed"} <= RECURRENT.keys()
    assert {"MultiHeadAttention", "GroupQueryAttention", "Attention", "AdditiveAttention"} <= ATTENTION


@pytest.mark.parametrize("name", sorted(RECURRENT.keys() | ATTENTION | {"EinsumDense"}))
def test_what_goes_over_steps_is_known_by_its_name(name: str) -> None:
    assert has_sequences(recipe(LAYERS[name].__name__))


@pytest.mark.parametrize("name", ["Dense", "Conv1D", "Embedding", "GlobalAveragePooling1D", "LayerNormalization"])
def test_others_are_not(name: str) -> None:
    assert not has_sequences(recipe(name))


def test_the_layers_of_a_users_own_model_count() -> None:
    mine = Recipe('{"class_name":"Mine"}', "{}", 0, (LayerSummary("encoder", "LSTM", "", 10),))
    assert has_sequences(mine)


def test_a_name_that_only_holds_the_word_does_not() -> None:
    assert not has_sequences(Recipe('{"class_name":"Dense","config":{"name":"LSTM"}}', "{}", 0, ()))
