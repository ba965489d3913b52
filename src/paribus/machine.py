"""The machine that computes runs, and the devices that a worker can use: cores and GPUs."""

from __future__ import annotations

import importlib.util
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

_PLUGINS = ("jax_cuda13_plugin", "jax_cuda12_plugin")
"""The plugins for NVIDIA's GPUs that jax 0.10 looks for."""

_CUDA = frozenset({"cuda", "gpu"})
"""The names of that platform in ``JAX_PLATFORMS``."""


@final
@dataclass(frozen=True, slots=True)
class Core:
    """One core of the processor, by its number."""

    number: int


@final
@dataclass(frozen=True, slots=True)
class Gpu:
    """One NVIDIA GPU, by its name in ``CUDA_VISIBLE_DEVICES``: a number or a UUID."""

    name: str


Place = Core | Gpu


def list_places() -> tuple[Place, ...]:
    """The devices that workers use: the GPUs, if there are any and JAX can use them, else the cores."""
    return list_gpus() or list_cores()


def list_cores() -> tuple[Core, ...]:
    """The cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(Core(number) for number in sorted(os.sched_getaffinity(0)))
    return tuple(Core(number) for number in range(os.cpu_count() or 1))


def list_gpus(devices: Path = Path("/dev"), environ: Mapping[str, str] = os.environ) -> tuple[Gpu, ...]:
    """The NVIDIA GPUs that JAX would use here, listed without importing JAX.

    They are those of ``CUDA_VISIBLE_DEVICES`` where it is set, else all. There are none where JAX has no plugin for
    them, and where the first of ``JAX_PLATFORMS`` is another platform: ``JAX_PLATFORMS=cpu`` computes on the cores.
    """
    first = environ.get("JAX_PLATFORMS", "").split(",")[0].strip()
    if (first and first not in _CUDA) or not any(importlib.util.find_spec(plugin) for plugin in _PLUGINS):
        return ()
    # In a container with the third GPU alone, CUDA numbers that one 0. WSL 2 has one device file for all GPUs.
    numbered = sum(re.fullmatch(r"nvidia\d+", path.name) is not None for path in devices.glob("nvidia*"))
    count = numbered or int((devices / "dxg").exists())
    if not count or "CUDA_VISIBLE_DEVICES" not in environ:
        return tuple(Gpu(str(number)) for number in range(count))
    visible = []
    for name in (name.strip() for name in environ["CUDA_VISIBLE_DEVICES"].split(",")):
        if not name or name.startswith("-"):  # CUDA ignores all devices after an invalid one
            break
        visible.append(Gpu(name))
    return tuple(visible)


def format_place(place: Place) -> str:
    """The text of a device: ``core:0``, ``gpu:1``."""
    return f"core:{place.number}" if isinstance(place, Core) else f"gpu:{place.name}"


def parse_place(text: str) -> Place:
    """The device that ``format_place`` wrote."""
    kind, _, name = text.partition(":")
    return Gpu(name) if kind == "gpu" else Core(int(name))


def read_memory_limit(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> int:
    """Bytes of memory that processes may use: all of the machine, or the limit of its control group."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        return min(physical, int(limit.read_text(encoding="ascii")))
    except (OSError, ValueError):  # no control groups, or no limit: ``max``
        return physical


def read_cpu_name() -> str:
    """The processor's name with family, model and stepping (the kernels that XLA picks depend on them)."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines[:30] if ":" in line)
    values = {key.strip(): value.strip() for key, value in fields.items()}
    numbers = "/".join(values.get(key, "?") for key in ("cpu family", "model", "stepping"))
    return f"{values.get('model name', platform.machine())} {numbers}"
