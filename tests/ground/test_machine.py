"""Where workers compute: GPUs are found without JAX, by what a made-up folder of devices and an environment say."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from paribus import machine
from paribus.backends import local
from paribus.backends.local import LocalBackend
from paribus.backends.worker_count import GPU_LANES
from paribus.engine import environment
from paribus.machine import Core, Gpu, Place, format_place, list_cores, list_gpus, list_places, parse_place
from processes import run_python

Found = tuple[str, ...]


@pytest.fixture
def plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    """JAX's plugin for CUDA 12 is installed, as far as anybody can see."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name == "jax_cuda12_plugin" else None)


@pytest.fixture
def found(tmp_path: Path, plugin: None) -> Callable[..., Found]:
    """The names of the GPUs that there are with these devices and variables."""

    def of(*devices: str, **environ: str) -> Found:
        for device in devices:
            (tmp_path / device).touch()
        return tuple(gpu.name for gpu in list_gpus(tmp_path, environ))

    return of


EIGHT = ("nvidiactl", "nvidia-uvm", *(f"nvidia{number}" for number in range(8)))


def test_every_device_is_a_gpu(found: Callable[..., Found]) -> None:
    assert found("nvidiactl", "nvidia-uvm", "null") == ()
    assert found("nvidia0", "nvidia10") == ("0", "1")


def test_in_a_container_the_only_gpu_is_number_0(found: Callable[..., Found]) -> None:
    assert found("nvidiactl", "nvidia3") == ("0",)


def test_wsl_has_one(found: Callable[..., Found]) -> None:
    assert found("dxg") == ("0",)


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("0", ("0",)),
        ("3, 1", ("3", "1")),
        ("GPU-1234,MIG-5678", ("GPU-1234", "MIG-5678")),
        ("", ()),
        ("-1", ()),
        ("2,-1,0", ("2",)),
    ],
)
def test_what_cuda_shows_is_what_there_is(found: Callable[..., Found], said: str, names: Found) -> None:
    assert found(*EIGHT, CUDA_VISIBLE_DEVICES=said) == names


@pytest.mark.parametrize(
    ("platforms", "count"), [("", 8), ("cuda", 8), ("gpu,cpu", 8), ("cpu", 0), ("cpu,cuda", 0), ("tpu", 0)]
)
def test_whoever_asks_jax_for_another_platform_gets_cores(
    found: Callable[..., Found], platforms: str, count: int
) -> None:
    assert len(found(*EIGHT, JAX_PLATFORMS=platforms)) == count


def test_without_devices_or_without_the_plugin_there_are_none(
    tmp_path: Path, found: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(CUDA_VISIBLE_DEVICES="0") == ()
    assert len(found("nvidia0")) == 1
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    assert found("nvidia0") == ()
    assert list_places() == list_cores()
    assert list_cores()


@pytest.mark.parametrize("place", [Core(0), Core(17), Gpu("0"), Gpu("MIG-12:34")])
def test_places_are_written_for_workers(place: Place) -> None:
    assert parse_place(format_place(place)) == place


@pytest.mark.parametrize(
    ("said", "least"), [("1048576\n", True), ("max\n", False), (None, False), (str(1 << 60), False)]
)
def test_memory_is_the_machines_or_what_a_container_may_use(tmp_path: Path, said: str | None, least: bool) -> None:
    limit = tmp_path / "memory.max"
    if said is not None:
        limit.write_text(said)
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert machine.read_memory_limit(limit) == (1 << 20 if least else physical)


def test_one_worker_a_gpu_with_lanes_one_a_core_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "list_places", lambda: (Gpu("0"), Gpu("1"), Gpu("2")))
    on_gpus = LocalBackend()
    assert (on_gpus.fleet.limit, on_gpus.fleet.lanes) == (3, GPU_LANES)
    assert LocalBackend(lanes=2).fleet.lanes == 2
    monkeypatch.setattr(local, "list_places", machine.list_cores)
    on_cores = LocalBackend()
    assert (on_cores.fleet.limit, on_cores.fleet.lanes) == (len(machine.list_cores()), 1)


PREPARED = """
import json, os, sys
from paribus.engine import environment
from paribus.machine import Core, Gpu
before = os.sched_getaffinity(0)
environment.prepare({place})
assert os.sched_getaffinity(0) == before and "jax" not in sys.modules
names = ("CUDA_VISIBLE_DEVICES", "JAX_PLATFORMS", "JAX_DEFAULT_MATMUL_PRECISION", "PJRT_NPROC", "XLA_FLAGS",
         "XLA_PYTHON_CLIENT_PREALLOCATE", "KERAS_BACKEND")
print(json.dumps({{name: os.environ.get(name) for name in names}}))
"""


def prepared(place: str, **variables: str) -> dict[str, str | None]:
    done = run_python("-c", PREPARED.format(place=place), **variables)
    assert done.returncode == 0, done.stderr
    said: dict[str, str | None] = json.loads(done.stdout)
    return said


def test_a_worker_on_a_gpu_sees_that_gpu_alone_and_computes_in_float32() -> None:
    """What a process for the CPU has set before does not stay: the driver may have been one."""
    inherited = " ".join(("--xla_mine=1", *environment.XLA_FLAGS))
    assert prepared("Gpu('GPU-7')", XLA_FLAGS=inherited, PJRT_NPROC="1", JAX_PLATFORMS="cuda") == {
        "CUDA_VISIBLE_DEVICES": "GPU-7",
        "JAX_PLATFORMS": "cuda,cpu",
        "JAX_DEFAULT_MATMUL_PRECISION": "float32",
        "PJRT_NPROC": None,
        "XLA_FLAGS": " ".join(("--xla_mine=1", *environment.XLA_GPU_FLAGS)),
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "KERAS_BACKEND": "jax",
    }


def test_elsewhere_jax_computes_on_the_cpu_unless_the_user_says_otherwise() -> None:
    assert prepared("None")["JAX_PLATFORMS"] == "cpu"
    assert prepared("None", JAX_PLATFORMS="cuda")["JAX_PLATFORMS"] == "cuda"


ACCEPTED = """
import os
import jax, jax.numpy as jnp
from jax.extend import core
from paribus.engine.precision import with_bf16_products
square = jnp.ones((2, 2), jnp.float32)
print(jax.make_jaxpr(lambda a: a @ a)(square).eqns[0].params["precision"])
print(jax.make_jaxpr(with_bf16_products(lambda a: a @ a))(square).eqns[-1].params["precision"])
jax.jit(lambda a: a @ a)(square).block_until_ready()
"""


def test_xla_knows_the_flags_for_gpus_and_jax_its_precision() -> None:
    """An unknown flag ends the process. All builds of XLA read the same list; bf16 operands need no precision."""
    flags = " ".join(environment.XLA_GPU_FLAGS)
    done = run_python("-c", ACCEPTED, XLA_FLAGS=flags, JAX_DEFAULT_MATMUL_PRECISION="float32", JAX_PLATFORMS="cpu")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["(Precision.HIGHEST, Precision.HIGHEST)", "None"]
