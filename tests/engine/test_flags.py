"""JAX's CPU flags: what they must prevent, and that they are set before JAX is imported."""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from digits_jobs import DIGITS, DROPOUT, TWO_EPOCHS, arm, describe_job
from miscompilation import SHAPES, wrong_rows
from paribus import seeds
from paribus.data import load
from paribus.engine import environment, steps
from paribus.engine.engine import Engine
from paribus.engine.network import Network, State
from paribus.errors import BackendError
from paribus.machine import list_cores
from paribus.records import Seeds
from processes import run_python

MISCOMPILED_BY = "0.10.2"


@pytest.mark.parametrize(("rows", "width"), SHAPES)
def test_nothing_is_miscompiled_with_our_flags(rows: int, width: int) -> None:
    assert wrong_rows(rows, width) == 0


def test_the_check_above_sees_the_miscompilation_where_it_is() -> None:
    """Without our flags the jaxlib that needs them gets rows wrong. With a later one this says that they may go."""
    script = str(Path(__file__).parents[1] / "miscompilation.py")
    done = run_python(script)
    assert done.returncode == 0, done.stderr
    found = int(done.stdout)
    if importlib.metadata.version("jaxlib") == MISCOMPILED_BY:
        assert found > 0, "this jaxlib no longer miscompiles here: the check no longer shows that the flags are needed"
    elif found == 0:
        pytest.skip(f"jaxlib is no longer {MISCOMPILED_BY} and does not miscompile: the fusion flag can be dropped")
    mended = run_python(script, XLA_FLAGS=" ".join(environment.XLA_FLAGS))
    assert mended.stdout.strip() == "0"


def test_lanes_of_a_vmap_are_bit_equal_to_single_runs(engine: Engine) -> None:
    network = Network.rebuild(engine.describe(describe_job(arm(DROPOUT))), TWO_EPOCHS)
    data = load(DIGITS)
    epoch = steps.chunk_program(network, lambda x: x.astype(jnp.float32) / 16, 100)
    each = [Seeds.of(seed) for seed in range(3)]
    orders = [seeds.epoch_order(one, 0, 400) for one in each]
    draw = jax.jit(network.initial_state)
    states = [draw(seeds.init_key(one), seeds.dropout_keys(one, len(network.seed_states))) for one in each]
    x, labels = data.x_train, data.y_train
    lanes: State = jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)
    together, _ = jax.jit(jax.vmap(epoch, in_axes=(0, None, 0, None, None)))(
        lanes, steps.Sums.zero(), np.stack(orders), x, labels
    )
    single = jax.jit(epoch)
    for lane, (state, order) in enumerate(zip(states, orders, strict=True)):
        alone, _ = single(state, steps.Sums.zero(), order, x, labels)
        for mine, theirs in zip(jax.tree.leaves(alone), jax.tree.leaves(together), strict=True):
            np.testing.assert_array_equal(np.asarray(mine), np.asarray(theirs[lane]))


def test_flags_cannot_come_after_jax() -> None:
    before = dict(os.environ)
    with pytest.raises(BackendError, match=r"JAX is already imported.*call prepare\(\) before it"):
        environment.prepare()
    assert dict(os.environ) == before


PREPARED = """
import os
from paribus.engine import environment
from paribus.machine import Core
environment.prepare(Core({core}))
environment.prepare(Core({core}))
print(os.environ["XLA_FLAGS"])
print(sorted(os.sched_getaffinity(0)))
import keras
print(keras.backend.backend())
print(environment.current().flags == os.environ["XLA_FLAGS"])
"""


def test_a_prepared_process_has_one_core_our_flags_and_the_jax_backend() -> None:
    """The user's own flags stay in front of ours; what another process of ours has set is not set twice."""
    core = list_cores()[-1].number
    mine = "--xla_cpu_enable_fast_math=false"
    inherited = f"{environment.XLA_FLAGS[1]} {mine}"
    done = run_python("-c", PREPARED.format(core=core), XLA_FLAGS=inherited, KERAS_BACKEND="torch")
    assert done.returncode == 0, done.stderr
    flags, affinity, backend, recorded = done.stdout.splitlines()
    assert flags == " ".join((mine, *environment.XLA_FLAGS))
    assert affinity == f"[{core}]"
    assert (backend, recorded) == ("jax", "True")
