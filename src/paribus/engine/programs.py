"""An architecture's network, and its programs compiled for a data set; all seeds share them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import DTypeLike, NDArray

from paribus import seeds
from paribus.data import standardization
from paribus.data.training import class_weights
from paribus.engine import program
from paribus.engine.examples import Splits
from paribus.engine.network import Network
from paribus.engine.revive import as_read, input_shape
from paribus.records import TrainJob

DRAW_ONCE: dict[str, str | bool] = {"xla_backend_optimization_level": "1", "xla_cpu_use_fusion_emitters": "False"}
"""Drawing weights runs for milliseconds, once a run; compiling it with full effort would take seconds.

Neither option changes a bit of what any of Keras's initializers draws (``tests/test_engine_cache.py``).
"""


@dataclass(frozen=True, slots=True, eq=False)
class Programs:
    """A network and its compiled programs.

    Attributes:
        network: the structure.
        draw: see :meth:`Network.initial_state`.
        chunks: see :func:`paribus.engine.program.chunk_program`; one for each number of examples trained on in one call
            and each number of examples in the chunk.
        stepwise: whether a call trains on one batch, or on a whole chunk.
        evaluate: see :func:`paribus.engine.program.evaluation_program`.
        outputs: see :func:`paribus.engine.program.outputs_program`; compiled where metrics ask for it.
        evaluation_batch: how many examples ``evaluate`` takes.
    """

    network: Network
    draw: Any
    chunks: Mapping[tuple[int, int], Any]
    stepwise: bool
    evaluate: Any
    outputs: Any
    evaluation_batch: int


def compiled(job: TrainJob, data: Splits) -> Programs:
    """Compile what all seeds of a job's arm share."""
    network = Network.rebuild(job.recipe, job.training)
    reads = as_read(input_shape(network.model)[1:], data.train.example_shape)
    assert reads is not None, "describe has checked it"
    standard = standardization(data.train.x) if job.data.standardize else None
    prepare = program.prepared(reads, job.data.scale, standard)
    keys = (seeds.init_key(job.seeds), seeds.dropout_keys(job.seeds, len(network.seed_states)))
    draw = jax.jit(network.initial_state).lower(*keys).compile(compiler_options=DRAW_ONCE)
    state = jax.eval_shape(network.initial_state, *keys)
    batch_size, weights = job.training.batch_size, class_weights(job.training, data.train.labels, data.classes)
    chunk = jax.jit(program.chunk_program(network, prepare, batch_size, weights), donate_argnums=0)

    def lowered(rows: int, length: int) -> jax.stages.Lowered:
        x = _like((length, *data.train.example_shape), data.train.x.dtype)
        labels = _like((length,), np.int32)
        return chunk.lower(state, program.Sums.zero(), _like((rows,), np.int32), x, labels)

    lengths = set(data.train.lengths(batch_size))
    whole = {(length, length): lowered(length, length) for length in lengths}
    stepwise = jax.default_backend() == "cpu" and any(map(program.convolves, whole.values()))
    if stepwise:
        calls = {
            (len(part), length) for length in lengths for part in batches(np.arange(length, dtype=np.int32), batch_size)
        }
        whole = {call: lowered(*call) for call in calls}
    chunks = {call: each.compile() for call, each in whole.items()}
    size = min(program.EVALUATION_BATCH, *(len(split) for split in data.every))
    evaluation = jax.jit(program.evaluation_program(network, prepare))
    evaluate = evaluation.lower(state, data.test.rows(0, size), data.test.labels[:size]).compile()
    outputs = jax.jit(program.outputs_program(network, prepare))
    return Programs(network, draw, chunks, stepwise, evaluate, outputs, size)


def batches(order: NDArray[np.int32], batch_size: int) -> list[NDArray[np.int32]]:
    """An order cut into batches; the last may be short."""
    return np.split(order, range(batch_size, len(order), batch_size))


def _like(shape: tuple[int, ...], kind: DTypeLike) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, kind)  # type: ignore[no-untyped-call]  # JAX has no types for it
