"""The only place that turns a seed into randomness: three independent streams, *init*, *order* and *dropout*.

Every stream is a ``numpy.random.SeedSequence`` with the seed as entropy and the stream's number as spawn key, so
streams of one seed, and equal streams of different seeds, are independent of each other [O'Neill 2014; NumPy's
documentation of SeedSequence]. The order of the batches depends on nothing else, so all arms of a seed share it
(``docs/decisions/0006-three-streams.md``).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paribus.records import Seeds

_INIT, _ORDER, _DROPOUT, _CANDIDATES = range(4)


def _sequence(seed: int, stream: int, *more: int) -> np.random.SeedSequence:
    return np.random.SeedSequence(entropy=seed, spawn_key=(stream, *more))


def init_key(seeds: Seeds) -> NDArray[np.uint32]:
    """The key that initial weights are drawn from: uint32, shape ``(2,)``, a word of entropy and a counter at zero."""
    return np.array([_sequence(seeds.init, _INIT).generate_state(1)[0], 0], dtype=np.uint32)


def random_states(seeds: Seeds, count: int) -> list[int]:
    """Draw the arguments ``random_state`` of a scikit-learn estimator from the init stream: ``count`` numbers < 2**32.

    The first is the word of entropy from which a network's weights are drawn.
    """
    return [int(word) for word in _sequence(seeds.init, _INIT).generate_state(count)]


def dropout_keys(seeds: Seeds, generators: int) -> NDArray[np.uint32]:
    """One key for each seed generator of a network: uint32, shape ``(generators, 2)``.

    Every layer has its own, or two layers of equal shape would draw the same mask.
    """
    words = _sequence(seeds.dropout, _DROPOUT).generate_state(generators) if generators else np.empty(0, np.uint32)
    return np.stack([words, np.zeros_like(words)], axis=1).astype(np.uint32)


def epoch_order(seeds: Seeds, epoch: int, examples: int) -> NDArray[np.int32]:
    """The order in which epoch number ``epoch`` (from 0) visits the examples: a permutation, int32, ``(examples,)``."""
    generator = np.random.Generator(np.random.PCG64(_sequence(seeds.order, _ORDER, epoch)))
    return generator.permutation(examples).astype(np.int32)


def draw_sample(population: int, count: int) -> tuple[int, ...]:
    """Draw ``count`` different numbers below ``population``, sorted; the same ones every time.

    Arms whose grids have equal sizes therefore try the same combinations (``docs/decisions/0037-equal-budgets.md``).
    """
    if count >= population:
        return tuple(range(population))
    generator = np.random.Generator(np.random.PCG64(_sequence(population, _CANDIDATES, count)))
    return tuple(sorted(int(number) for number in generator.choice(population, count, replace=False)))
