"""Dropout with cheaper masks: the same law as Keras's layer, other bits.

Keras draws a threefry block for every pair of mask elements, a tenth to a fifth of a step of the networks here on a
CPU. A mask needs less than a cipher: here element *i* of a mask is drawn from the 32-bit word ``mix(mix(i + a) ^ b)``,
where ``mix`` is a full-avalanche integer hash (two multiplications; constants by C. Wellons, "prospecting for hash
functions", bias 0.107) and *a*, *b* are hashed from the layer's key and its step counter.
``tests/engine/test_dropout.py`` tests the masks against the law: rate, and no correlation between neighbours, rows,
steps, layers and seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import keras

GOLDEN = 0x9E3779B9


def mix(word: jax.Array) -> jax.Array:
    """A bijection of uint32 whose every output bit depends on every input bit."""
    word = word ^ (word >> 16)
    word = word * jnp.uint32(0x21F0AAAD)
    word = word ^ (word >> 15)
    word = word * jnp.uint32(0x735A2D97)
    return word ^ (word >> 15)


def mask_words(key: jax.Array, shape: Sequence[int]) -> jax.Array:
    """Uniform 32-bit words of a shape, from a layer's key: uint32 ``(2,)``, a word of entropy and a step counter.

    Args:
        key: the layer's key.
        shape: that of the mask.
    """
    entropy, counter = key[0], key[1]
    first = mix(entropy + mix(counter))
    second = mix(mix(counter + jnp.uint32(GOLDEN)) ^ entropy)
    index = jnp.zeros(shape, jnp.uint32)
    stride = 1
    for axis in reversed(range(len(shape))):
        index = index + jax.lax.broadcasted_iota(jnp.uint32, tuple(shape), axis) * jnp.uint32(stride)
        stride *= shape[axis]
    return mix(mix(index + first) ^ second)


class Dropout(keras.layers.Dropout):  # type: ignore[misc]  # Keras has no types
    """``keras.layers.Dropout`` that draws its masks with ``mask_words``."""

    def call(self, inputs: jax.Array, training: bool = False) -> jax.Array:
        """Drop units at ``rate`` while training and scale the others by 1 / (1 - rate); else pass everything."""
        if not training or self.rate == 0:
            return inputs
        if self.rate == 1:
            return jnp.zeros_like(inputs)
        shape = [inputs.shape[i] if n is None else n for i, n in enumerate(self.noise_shape or [None] * inputs.ndim)]
        words = mask_words(self.seed_generator.next(), shape)
        keep = words >= jnp.uint32(round(self.rate * 2**32))
        return jnp.where(keep, inputs * (1.0 / (1.0 - self.rate)), jnp.zeros((), inputs.dtype))


def with_cheap_masks(config: Any) -> Any:
    """A Keras config in which every ``keras.layers.Dropout`` is the one above; names, rates and all else stay."""
    if isinstance(config, list):
        return [with_cheap_masks(item) for item in config]
    if not isinstance(config, dict):
        return config
    changed = {key: with_cheap_masks(item) for key, item in config.items()}
    if changed.get("module") == "keras.layers" and changed.get("class_name") == "Dropout":
        changed |= {"module": __name__, "registered_name": "paribus>Dropout"}
    return changed


CUSTOM_OBJECTS = {"paribus>Dropout": Dropout}
"""What Keras needs to read such a config."""
