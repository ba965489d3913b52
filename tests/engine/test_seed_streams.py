"""Each stream does what its name says, in networks that are really trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from digits_jobs import DROPOUT, PLAIN, SOFTMAX, TWO_EPOCHS, arm, describe_job, train, train_job
from paribus import seeds as streams
from paribus.engine.engine import Engine
from paribus.engine.network import Network
from paribus.records import Seeds

ORDINARY = Seeds.of(3)
NOISE = (PLAIN[0], {"GaussianNoise": {"stddev": 0.2}}, SOFTMAX)


def initial_weights(engine: Engine, layers: Any, seeds: Seeds) -> dict[str, np.ndarray]:
    """The weights before the first step, drawn as the engine draws them."""
    network = Network.rebuild(engine.describe(describe_job(arm(layers))), TWO_EPOCHS)
    state = network.initial_state(streams.init_key(seeds), streams.dropout_keys(seeds, len(network.seed_states)))
    return {path: np.asarray(value) for path, value in network.named_weights(state).items()}


def same(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    """Equal paths and equal bits."""
    return a.keys() == b.keys() and all(np.array_equal(a[path], b[path]) for path in a)


def test_the_same_seed_twice_gives_the_same_bits(engine: Engine) -> None:
    first, second = train(engine, DROPOUT, 3), train(Engine(), DROPOUT, 3)
    assert first.weights_digest == second.weights_digest
    assert (first.scores, first.curve) == (second.scores, second.curve)
    assert first.predictions is not None
    assert second.predictions is not None
    np.testing.assert_array_equal(first.predictions.true_probability, second.predictions.true_probability)


@pytest.mark.parametrize("layers", [PLAIN, DROPOUT], ids=["plain", "dropout"])
def test_different_seeds_give_different_weights(engine: Engine, layers: Any) -> None:
    digests = {train(engine, layers, seed).weights_digest for seed in range(5)}
    assert len(digests) == 5


@pytest.mark.parametrize(
    ("stream", "layers", "counts"),
    [
        ("init", PLAIN, True),
        ("order", PLAIN, True),
        ("dropout", PLAIN, False),
        ("init", DROPOUT, True),
        ("order", DROPOUT, True),
        ("dropout", DROPOUT, True),
        ("dropout", NOISE, True),
    ],
)
def test_a_stream_changes_the_result_where_it_is_used(
    engine: Engine, stream: str, layers: Any, *, counts: bool
) -> None:
    """An arm that draws no masks has nothing to do with the dropout seed: not one bit of it."""
    before = train(engine, layers, ORDINARY)
    after = train(engine, layers, Seeds(**{"init": 3, "order": 3, "dropout": 3, stream: 4}))
    assert (before.weights_digest != after.weights_digest) == counts


@pytest.mark.parametrize(("stream", "counts"), [("init", True), ("order", False), ("dropout", False)])
def test_initial_weights_come_from_the_init_stream_alone(engine: Engine, stream: str, *, counts: bool) -> None:
    before = initial_weights(engine, DROPOUT, ORDINARY)
    after = initial_weights(engine, DROPOUT, Seeds(**{"init": 3, "order": 3, "dropout": 3, stream: 4}))
    assert same(before, after) != counts


def test_arms_that_differ_in_dropout_alone_start_from_the_same_weights(engine: Engine) -> None:
    """Dropout layers have no weights and take nothing from the init stream, wherever they stand."""
    plain, dropout = (list(initial_weights(engine, layers, ORDINARY).values()) for layers in (PLAIN, DROPOUT))
    assert len(plain) == len(dropout) == 4
    for a, b in zip(plain, dropout, strict=True):
        np.testing.assert_array_equal(a, b)


def test_arms_of_one_seed_see_the_batches_in_the_same_order(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """What all arms share must not depend on the arm: neither on its network nor on how many masks it draws."""
    seen: list[list[bytes]] = []
    real = streams.epoch_order

    def spy(seeds: Seeds, epoch: int, examples: int) -> np.ndarray:
        order = real(seeds, epoch, examples)
        seen[-1].append(order.tobytes())
        return order

    monkeypatch.setattr(streams, "epoch_order", spy)
    for layers in (PLAIN, DROPOUT, NOISE):
        seen.append([])
        train(engine, layers, ORDINARY)
    assert len(seen[0]) == TWO_EPOCHS.epochs
    assert len(set(seen[0])) == TWO_EPOCHS.epochs, "every epoch has its own order"
    assert seen[0] == seen[1] == seen[2]


def test_no_dropout_at_rate_zero(engine: Engine) -> None:
    """A rate of zero drops nothing: the bits are those of the network without the layer."""
    nothing = ({"Dropout": {"rate": 0.0}}, *PLAIN)
    without, with_nothing = train(engine, PLAIN, ORDINARY), train(engine, nothing, ORDINARY)
    assert without.weights_digest == with_nothing.weights_digest


def test_masks_differ_from_epoch_to_epoch(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The state of a mask's generator moves on. Without learning and always in one order only masks change the loss."""
    monkeypatch.setattr(streams, "epoch_order", lambda _seeds, _epoch, examples: np.arange(examples, dtype=np.int32))
    still = {"SGD": {"learning_rate": 0.0}}
    layers = ({"Dropout": {"rate": 0.5}}, SOFTMAX)
    job = train_job(engine.describe(describe_job(arm(layers, still))), ORDINARY)
    losses = engine.run(job).curve.fit_loss
    assert abs(losses[0] - losses[1]) > 1e-4, "more than rounding"


def test_every_layer_draws_its_own_masks(engine: Engine) -> None:
    """Two layers of equal shape with one key would drop the same units: half of them instead of three quarters."""
    network = Network.rebuild(
        engine.describe(describe_job(arm(({"Dropout": {"rate": 0.5}}, {"Dropout": {"rate": 0.5}}, SOFTMAX)))),
        TWO_EPOCHS,
    )
    keys = streams.dropout_keys(ORDINARY, len(network.seed_states))
    state = network.initial_state(streams.init_key(ORDINARY), keys)
    first, second = (layer for layer in network.model.layers if type(layer).__name__ == "Dropout")
    assert len(keys) == 2
    kept = []
    for layer, position in zip((first, second), network.seed_states, strict=True):
        ones = np.ones((100, 64), np.float32)
        output, _ = layer.stateless_call([], [state.non_trainable[position]], ones, training=True)
        kept.append(np.asarray(output) > 0)
    both = float(np.mean(kept[0] & kept[1]))
    assert both == pytest.approx(0.25, abs=0.03)
