"""Our dropout masks obey the law of dropout: the right rate, and nothing that tells one element from another."""

from __future__ import annotations

import json

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from paribus.engine.dropout import CUSTOM_OBJECTS, Dropout, mask_words, mix, with_cheap_masks

ROWS, COLUMNS, STEPS = 100, 784, 64


def masks(rate: float, entropy: int, steps: int = STEPS) -> np.ndarray:
    draw = jax.jit(lambda key: mask_words(key, (ROWS, COLUMNS)) >= jnp.uint32(round(rate * 2**32)))
    return np.stack([draw(jnp.array([entropy, step], jnp.uint32)) for step in range(steps)])


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation in units of its standard error under independence."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1] * np.sqrt(a.size))


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.5, 0.9])
def test_units_are_dropped_at_the_rate(rate: float) -> None:
    kept = masks(rate, 12345)
    z = (kept.mean() - (1 - rate)) / np.sqrt(rate * (1 - rate) / kept.size)
    assert abs(z) < 4
    for axis in ((0, 1), (0, 2), (1, 2)):
        means = kept.mean(axis=axis)
        size = kept.size / means.size
        chi_squared = float((((means - (1 - rate)) ** 2) / (rate * (1 - rate) / size)).sum())
        assert abs(chi_squared - means.size) < 5 * np.sqrt(2 * means.size), axis


def test_nothing_is_correlated() -> None:
    kept, other = masks(0.5, 1), masks(0.5, 2)
    assert abs(correlation(kept[:, :, 1:], kept[:, :, :-1])) < 4, "neighbours"
    assert abs(correlation(kept[:, 1:], kept[:, :-1])) < 4, "rows"
    assert abs(correlation(kept[1:], kept[:-1])) < 4, "steps"
    assert abs(correlation(kept, other)) < 4, "layers and seeds"
    assert abs(correlation(kept[1:], other[:-1])) < 4, "layers a step apart"
    for shift in (1, 2, 16, 100):
        flat = kept.reshape(STEPS, -1)
        assert abs(correlation(flat[1:, shift:], flat[:-1, :-shift])) < 4.5, f"windows shifted by {shift}"


def test_bits_of_words_are_fair() -> None:
    words = np.asarray(mask_words(jnp.array([7, 9], jnp.uint32), (4096, 64)))
    bits = np.unpackbits(words.view(np.uint8)).reshape(-1, 8)
    assert np.abs(bits.mean(axis=0) - 0.5).max() < 5 * 0.5 / np.sqrt(len(bits))
    assert len(np.unique(words)) > words.size * 0.9999 - 20


def test_mix_is_a_bijection_on_a_sample() -> None:
    words = mix(jnp.arange(1 << 20, dtype=jnp.uint32))
    assert len(np.unique(np.asarray(words))) == 1 << 20


def test_the_layer_scales_what_it_keeps_and_only_while_training() -> None:
    layer = Dropout(0.25)
    x = jnp.ones((200, 300))
    kept = np.asarray(layer(x, training=True))
    assert set(np.unique(kept)) == {np.float32(0), np.float32(1 / 0.75)}
    assert kept.mean() == pytest.approx(1, abs=0.02)
    assert not np.array_equal(kept, layer(x, training=True)), "the next step draws another mask"
    np.testing.assert_array_equal(layer(x, training=False), x)


def test_noise_shape_is_kept() -> None:
    layer = Dropout(0.5, noise_shape=(None, 1, 8))
    out = np.asarray(layer(jnp.ones((16, 5, 8)), training=True))
    assert (out == out[:, :1]).all()
    assert 0.3 < (out == 0).mean() < 0.7


def test_only_keras_dropout_is_replaced_and_names_stay() -> None:
    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dropout(0.3, name="mine"),
            keras.layers.GaussianDropout(0.1),
            keras.layers.Dense(2),
        ]
    )
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    ours = keras.saving.deserialize_keras_object(with_cheap_masks(config), custom_objects=CUSTOM_OBJECTS)
    assert [type(layer) for layer in ours.layers] == [Dropout, keras.layers.GaussianDropout, keras.layers.Dense]
    assert ours.layers[0].name == "mine"
    assert ours.layers[0].rate == 0.3
