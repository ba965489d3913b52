"""Flags that must be set before JAX is imported, and the record of what a run was computed with.

Why these flags on a core:

- ``--xla_cpu_experimental_ynn_fusion_type=`` (empty): jaxlib 0.10.2 computes a vmapped matrix-vector product followed
  by a reduction wrongly with its default (jax issue 39103); ``tests/engine/test_flags.py`` fails where that is so.
- ``--xla_cpu_copy_insertion_use_region_analysis=true``: without it XLA copies every weight that the backward pass reads
  once a step, up to 4 % of a step. The bits are the same.
- One thread (``--xla_cpu_multi_thread_eigen=false``, ``PJRT_NPROC=1``): with more, the same
  program can vary from call to call in its last bits (jax issue 39741), and a worker per core is faster anyway.

On a GPU (``docs/decisions/0025-lanes.md``; ``docs/lanes.md`` has what was measured on one):

- ``--xla_gpu_deterministic_ops=true``: operations that could vary from call to call are replaced or refused, and
  kernels are not selected by timing them, which could select others in the next process.
- ``JAX_DEFAULT_MATMUL_PRECISION=float32``: JAX's own default rounds the operands of float32 products to TF32.
- ``XLA_PYTHON_CLIENT_PREALLOCATE=false``: no worker takes three quarters of the GPU's memory for a small network.

Compiled programs are stored in the user's cache directory, so that the next process need not compile them. They are
machine code: the folder is named after processor and flags. ``tests/engine/test_compilation_cache.py`` shows that no
bit depends on whether a program was compiled or read.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import os
import platform
import sys
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

from paribus.engine.variables import is_removed
from paribus.errors import BackendError
from paribus.machine import Core, Gpu, Place, list_cores, read_cpu_name
from paribus.records import Environment
from paribus.version import __version__

XLA_FLAGS = (
    "--xla_cpu_experimental_ynn_fusion_type=",
    "--xla_cpu_copy_insertion_use_region_analysis=true",
    "--xla_cpu_multi_thread_eigen=false",
)

XLA_GPU_FLAGS = ("--xla_gpu_deterministic_ops=true",)

_allowed: list[frozenset[int]] = []
"""The cores on which this process was allowed before it was pinned to one; empty where it is not pinned."""


def prepare(place: Place | None = None) -> None:
    """Set this process up for training in a place: stay there and set the flags. Call before anything imports JAX.

    Without a place it computes on the CPU, on whatever core, or where the user's ``JAX_PLATFORMS`` says. Flags in the
    user's ``XLA_FLAGS`` stay, before ours; what else the libraries would read is removed (``variables.py``). Calling
    again, here or in a child, changes nothing.

    Args:
        place: the core or GPU to compute on.

    Raises:
        BackendError: JAX is already imported, so that flags would come too late.
    """
    if "jax" in sys.modules:
        raise BackendError(
            "JAX is already imported in this process, so that its flags can no longer be set; call prepare() before it"
        )
    if isinstance(place, Core) and hasattr(os, "sched_setaffinity"):
        _allowed[:] = [frozenset(os.sched_getaffinity(0))]
        os.sched_setaffinity(0, {place.number})
    for name in [name for name in os.environ if is_removed(name)]:
        del os.environ[name]
    os.environ["KERAS_BACKEND"] = "jax"
    if isinstance(place, Gpu):
        os.environ["CUDA_VISIBLE_DEVICES"] = place.name
        # The CPU comes second: Keras computes small things there.
        os.environ["JAX_PLATFORMS"] = "cuda,cpu"
        os.environ["JAX_DEFAULT_MATMUL_PRECISION"] = "float32"
        os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
    else:
        os.environ["JAX_PLATFORMS"] = "cpu" if place is not None else os.environ.get("JAX_PLATFORMS", "cpu")
        os.environ["PJRT_NPROC"] = "1"
    ours = XLA_GPU_FLAGS if isinstance(place, Gpu) else XLA_FLAGS
    users = [flag for flag in os.environ.get("XLA_FLAGS", "").split() if flag not in (*XLA_FLAGS, *XLA_GPU_FLAGS)]
    os.environ["XLA_FLAGS"] = " ".join((*users, *ours))
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"
    os.environ["JOBLIB_MULTIPROCESSING"] = "0"
    _keep_programs()


def roam(cores: Collection[int]) -> None:
    """Go, with all threads, wherever the system sends this process among these cores. Where it cannot, it stays.

    It still computes in one thread: no bit depends on the core.

    Args:
        cores: their numbers, as the operating system counts them.
    """
    if hasattr(os, "sched_setaffinity"):
        with contextlib.suppress(OSError):
            for thread in Path("/proc/self/task").iterdir():
                os.sched_setaffinity(int(thread.name), cores)


def count_cores() -> int:
    """On how many cores this process may compile; pinned or not, those on which its command may run."""
    return len(_allowed[0]) if _allowed else len(list_cores())


@contextlib.contextmanager
def on_all_cores() -> Iterator[None]:
    """Let this process's threads use idle cores inside this block, in which programs are compiled and nothing is run.

    XLA divides a program's machine code into as many parts whatever the number of threads, which its first compilation
    determines: so each block that compiles is one of these. Of a process that is not pinned nothing changes. See
    ``docs/decisions/0114-compiled-on-all-cores.md``.
    """
    if not _allowed:
        yield
        return
    before = os.sched_getaffinity(0)
    roam(_allowed[0])
    try:
        yield
    finally:
        roam(before)


def _keep_programs() -> None:
    """Have JAX keep compiled programs, unless the user has decided otherwise or there is nowhere to keep them."""
    if "JAX_COMPILATION_CACHE_DIR" in os.environ or os.environ.get("PARIBUS_CACHE") == "":
        return
    flags = os.environ["XLA_FLAGS"]
    machine = hashlib.sha256(f"{read_cpu_name()} {flags}".encode()).hexdigest()[:12]
    folder = cache_folder() / f"programs-{machine}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder)
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"


def cache_folder() -> Path:
    """``$PARIBUS_CACHE``, else ``paribus`` in the user's cache directory. If empty, nothing is cached."""
    folder = os.environ.get("PARIBUS_CACHE")
    if folder:
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "paribus"


@cache
def current(lanes: int = 1) -> Environment:
    """What this process computes with; the number of lanes, if there are several, is part of the device's name."""
    import jax

    device = jax.devices()[0]
    side_by_side = f", {lanes} lanes" if lanes > 1 else ""
    return Environment(
        paribus=__version__,
        python=platform.python_version(),
        keras=importlib.metadata.version("keras"),
        jax=importlib.metadata.version("jax"),
        jaxlib=importlib.metadata.version("jaxlib"),
        numpy=importlib.metadata.version("numpy"),
        platform=f"{platform.system()}-{platform.machine()}",
        cpu=read_cpu_name(),
        device=f"{device.platform}:{device.device_kind}{side_by_side}",
        flags=os.environ.get("XLA_FLAGS", ""),
    )
