"""An architecture's network, and its programs compiled for a data set and a number of lanes; all seeds share them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import numpy as np
from numpy.typing import DTypeLike, NDArray

from paribus import seeds
from paribus.data.training import class_weights
from paribus.engine import environment, steps
from paribus.engine.compile_once import compile_once
from paribus.engine.draws import drawn_at_once
from paribus.engine.initial_weights import read_job_weights
from paribus.engine.lanes import Lanes
from paribus.engine.network import Network, State
from paribus.engine.rebuild import as_read, input_shape
from paribus.engine.splits import Splits
from paribus.records import Seeds, TrainJob

DRAW_ONCE: dict[str, str | bool] = {"xla_backend_optimization_level": "1", "xla_cpu_use_fusion_emitters": "False"}
"""Drawing weights runs for milliseconds, once a run; compiling it with full effort would take seconds.

Neither option changes a bit of what any of Keras's initializers draws (``tests/engine/test_compilation_cache.py``).
"""


FEW_CORES = 2
"""On so few cores a worker that waits for its training program to be compiled would only slow that down by compiling
the evaluation meanwhile; it is compiled when it is needed. On more cores it is compiled on those that are idle."""


class Late:
    """A program that is compiled when it is first needed.

    Args:
        compile_now: compiles it.
    """

    def __init__(self, compile_now: Callable[[], Any]) -> None:
        self._compile_now: Callable[[], Any] | None = compile_now
        self._program: Any = None

    def ready(self) -> float:
        """Compile the program if it is not; the seconds that this takes."""
        started = time.perf_counter()
        if self._compile_now is not None:
            self._program, self._compile_now = self._compile_now(), None
        return time.perf_counter() - started

    def __call__(self, *arguments: Any) -> Any:
        """Call the program, which is compiled by now or is compiled first."""
        self.ready()
        return self._program(*arguments)


@dataclass(frozen=True, slots=True, eq=False)
class Programs:
    """A network and its compiled programs, each of which computes all lanes.

    Attributes:
        network: the structure.
        lanes: how many runs a program computes at a time.
        draw: see :meth:`Network.initial_state`, or :meth:`Network.state_from` where runs start from the user's.
        initial_weights: those weights, in the order of the network's; empty where they are drawn.
        chunks: see :func:`paribus.engine.steps.chunk_program`; one for each number of examples trained on in one call
            and each number of examples in the chunk.
        stepwise: whether a call trains on one batch, or on a whole chunk.
        evaluate: see :func:`paribus.engine.steps.evaluation_program`; compiled when training has begun, on few cores.
        outputs: see :func:`paribus.engine.steps.outputs_program`; compiled where metrics ask for it.
        evaluation_batch: how many examples ``evaluate`` takes.
    """

    network: Network
    lanes: Lanes
    draw: Any
    initial_weights: list[NDArray[np.generic]]
    chunks: Mapping[tuple[int, int], Any]
    stepwise: bool
    evaluate: Late
    outputs: Any
    evaluation_batch: int

    def initial_state(self, seeds: Sequence[Seeds]) -> State:
        """The state of all lanes before the first epoch.

        Args:
            seeds: those of each run, at most as many as there are lanes; the last ones fill the lanes that are left.
        """
        keys = _keys(self.network, self.lanes, seeds)
        state: State = self.draw(*keys, self.initial_weights) if self.initial_weights else self.draw(*keys)
        return state

    def zero(self) -> steps.Sums:
        """The sums before the first batch."""
        return self.lanes.together([steps.Sums.zero()])


def compiled(job: TrainJob, data: Splits, lanes: Lanes) -> Programs:
    """Build a job's network and compile its programs, which all seeds of the arm share.

    Args:
        job: any job of the arm; its seeds do not count.
        data: the splits that its runs are trained on and measured on.
        lanes: how many runs the programs compute at a time.

    Raises:
        UsageError: the file of the initial weights cannot be read, or is not the one that the run was planned with.
    """
    network = Network.rebuild(job.recipe, job.training)
    reads = as_read(input_shape(network.model)[1:], data.train.example_shape)
    assert reads is not None, "describe has checked it"
    standard = data.train.standardization() if job.data.standardize else None
    prepare = steps.prepared(reads, job.data.scale, standard)
    keys = _keys(network, lanes, [job.seeds])
    start_weights = read_job_weights(job.recipe, job.initial_weights, network)
    on_cpu = jax.default_backend() == "cpu"
    drawn = drawn_at_once(network.initial_state) if on_cpu else network.initial_state
    initial = jax.jit(lanes.over(network.state_from, 0, 0, None) if start_weights else lanes.over(drawn, 0, 0))
    arguments = (*keys, start_weights) if start_weights else keys
    state = jax.eval_shape(initial, *arguments)
    batch_size, weights = job.training.batch_size, class_weights(job.training, data.train.labels, data.classes)
    axis, own = data.train.lane_axis, steps.chunk_program(network, prepare, batch_size, weights)
    chunk = jax.jit(lanes.over(own, 0, 0, 0, axis, axis), donate_argnums=0)

    def lowered(rows: int, length: int) -> jax.stages.Lowered:
        lead = () if axis is None else lanes.shape()
        x = _like((*lead, length, *data.train.example_shape), data.train.x.dtype)
        labels = _like((*lead, length), np.int32)
        return chunk.lower(state, lanes.together([steps.Sums.zero()]), _like(lanes.shape(rows), np.int32), x, labels)

    lengths = set(data.train.lengths(batch_size))
    hidden = on_cpu and not network.kernels

    def lower_training() -> Callable[[], dict[tuple[int, int], Any]]:
        whole = {(length, length): lowered(length, length) for length in lengths}
        if hidden and any(map(steps.convolves, whole.values())):
            parts = {length: batches(np.arange(length, dtype=np.int32), batch_size) for length in lengths}
            calls = {(len(part), length) for length in lengths for part in parts[length]}
            whole = {call: lowered(*call) for call in calls}
        return lambda: {call: program.compile() for call, program in whole.items()}

    def lower_drawing() -> Callable[[], Any]:
        return partial(initial.lower(*arguments).compile, compiler_options=DRAW_ONCE if on_cpu else None)

    one_by_one = on_cpu and lanes.count > 1
    measuring = Lanes() if one_by_one else lanes
    measured = jax.tree.map(lambda a: _like(a.shape[1:], a.dtype), state) if one_by_one else state
    size = min(steps.EVALUATION_BATCH, *(len(split) for split in data.every))
    # Shapes: what is compiled late holds no data.
    asked = _like((size, *data.test.example_shape), data.test.x.dtype), _like((size,), np.int32)

    def lower_evaluation() -> Callable[[], Any]:
        evaluation = jax.jit(measuring.over(steps.evaluation_program(network, prepare), 0, None, None))
        return evaluation.lower(measured, *asked).compile

    identity = repr((job.recipe, job.training, job.data, lanes.count))
    programs: dict[str, Callable[[], Callable[[], Any]]] = {"train": lower_training, "draw": lower_drawing}
    if environment.count_cores() > FEW_CORES:
        programs["evaluate"] = lower_evaluation
    compiled_first = compile_once(programs, identity)

    def compile_evaluation() -> Any:
        program = compiled_first.get("evaluate")
        if program is None:
            with environment.on_all_cores():
                program = compile_once({"evaluate": lower_evaluation}, identity)["evaluate"]
        return lanes.one_by_one(program) if one_by_one else program

    chunks = compiled_first["train"]
    stepwise = any(rows < length for rows, length in chunks)
    outputs: Callable[..., Any] = jax.jit(measuring.over(steps.outputs_program(network, prepare), 0, None))
    if one_by_one:
        outputs = lanes.one_by_one(outputs)
    draw, evaluate = compiled_first["draw"], Late(compile_evaluation)
    return Programs(network, lanes, draw, start_weights, chunks, stepwise, evaluate, outputs, size)


def batches(order: NDArray[np.int32], batch_size: int) -> list[NDArray[np.int32]]:
    """An order, of one lane or of all, cut into batches; the last may be short.

    Args:
        order: int32 ``(examples,)``, or ``(lanes, examples)``.
        batch_size: the number of examples of a batch.
    """
    return np.split(order, range(batch_size, order.shape[-1], batch_size), axis=-1)


def _keys(network: Network, lanes: Lanes, run_seeds: Sequence[Seeds]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    generators = len(network.seed_states)
    dropout = [seeds.dropout_keys(of_run, generators) for of_run in run_seeds]
    return lanes.together([seeds.init_key(of_run) for of_run in run_seeds]), lanes.together(dropout)


def _like(shape: tuple[int, ...], kind: DTypeLike) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, kind)  # type: ignore[no-untyped-call]  # JAX has no types for it
