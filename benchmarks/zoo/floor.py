"""The least time of one core for an epoch of each network: `python -m benchmarks.zoo.floor -o FILE`.

Operations are counted in the traced step, before its convolutions are rewritten: those of every matrix product and
convolution, forward and gradients, without the zeros of dilated inputs. They are divided by the rate of a large product
on this core; the optimizer's passes over memory are added at the rate of a triad. Both rates are in processor time, the
best of some, so that a shared machine disturbs them little. Activations, pooling, normalization and gathering are not
in it.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from paribus.engine import environment
from paribus.machine import Core

environment.prepare(Core(sorted(os.sched_getaffinity(0))[-1]))

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
from jax.extend import core as jax_core  # noqa: E402

from benchmarks import machine  # noqa: E402
from benchmarks.floor.work import BYTES, WORDS  # noqa: E402
from benchmarks.zoo.networks import NETWORKS, Network  # noqa: E402

SIDE = 1024
TRIAD = 2**24


def operations(jaxpr: jax_core.Jaxpr) -> int:
    """Multiplications and additions of all matrix products and convolutions, a loop's as often as it goes round."""
    total = 0
    for equation in jaxpr.eqns:
        name, params = equation.primitive.name, equation.params
        if name == "dot_general":
            (contracted, _), _ = params["dimension_numbers"]
            shape = equation.invars[0].aval.shape
            total += 2 * math.prod(equation.outvars[0].aval.shape) * math.prod(shape[axis] for axis in contracted)
        elif name == "conv_general_dilated":
            kernel, spec = equation.invars[1].aval.shape, params["dimension_numbers"].rhs_spec
            each = math.prod(kernel[axis] for axis in spec[1:]) / math.prod(params["lhs_dilation"])
            total += round(2 * math.prod(equation.outvars[0].aval.shape) * each)
        times = params["length"] if name == "scan" else 1
        total += times * sum(operations(inner) for inner in _inner(params))
    return total


def _inner(params: dict[str, Any]) -> list[jax_core.Jaxpr]:
    items = [item for value in params.values() for item in (value if isinstance(value, tuple) else (value,))]
    closed = [item.jaxpr for item in items if isinstance(item, jax_core.ClosedJaxpr)]
    return closed + [item for item in items if isinstance(item, jax_core.Jaxpr)]


def step_of(network: Network) -> tuple[int, int]:
    """The operations of a step, and how many weights its optimizer updates."""
    model = network.build()
    x = np.zeros((network.batch, *network.shape), np.float32)
    trainable = [v.value for v in model.trainable_variables]
    others = [v.value for v in model.non_trainable_variables]

    def loss(weights: list[Any]) -> Any:
        outputs, _ = model.stateless_call(weights, others, x, training=True)
        return jnp.sum(keras.ops.log(outputs + 1e-7))

    traced = jax.make_jaxpr(jax.grad(loss))(trainable)
    return operations(traced.jaxpr), sum(math.prod(v.shape) for v in trainable)


def least(call: Callable[[], Any], rounds: int = 30) -> float:
    """Processor seconds of a call, the least of some."""
    call()
    taken = []
    for _ in range(rounds):
        begun = time.process_time()
        call()
        taken.append(time.process_time() - begun)
    return min(taken)


def rates() -> tuple[float, float]:
    """Operations a second of a large product, and bytes a second of a triad."""
    a = jnp.ones((SIDE, SIDE), jnp.float32)
    multiply = jax.jit(lambda x, y: x @ y)
    product = 2 * SIDE**3 / least(lambda: multiply(a, a).block_until_ready())
    b, c = np.ones(TRIAD, np.float32), np.ones(TRIAD, np.float32)
    return product, 3 * BYTES * TRIAD / least(lambda: np.add(b, c, out=c))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo.floor", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, help="a file for the JSON")
    options = parser.parse_args()
    product, triad = rates()
    floors = {}
    for name, network in NETWORKS.items():
        flops, weights = step_of(network)
        seconds = network.steps * (flops / product + WORDS["Adam"] * BYTES * weights / triad)
        floors[name] = {"operations_a_step": flops, "weights": weights, "floor_seconds": seconds}
        print(f"{name:18} {flops / 1e9:7.3f} GFLOP a step, {weights:9,} weights, floor {seconds:.3f} s an epoch")
    print(f"{product / 1e9:.0f} GFLOP/s, {triad / 1e9:.1f} GB/s")
    result = {"machine": machine.describe(), "gflops": product / 1e9, "gigabytes_a_second": triad / 1e9}
    if options.output is not None:
        options.output.write_text(json.dumps({**result, "networks": floors}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
