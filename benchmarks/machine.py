"""The machine of a measurement, which is part of every result."""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import os
import platform
import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHOWN_FLAGS = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16", "avx512_fp16")


@dataclass(frozen=True, slots=True)
class Busy:
    """Processor seconds so far: of everything on this machine, and of the processes that this one has waited for."""

    machine: float
    ours: float

    @classmethod
    def now(cls) -> Busy:
        """What Linux counts; where there is no /proc, nothing foreign is ever seen."""
        children, own = resource.getrusage(resource.RUSAGE_CHILDREN), resource.getrusage(resource.RUSAGE_SELF)
        ours = sum(usage.ru_utime + usage.ru_stime for usage in (children, own))
        try:
            user, nice, system, *_ = Path("/proc/stat").read_text(encoding="utf-8").split(maxsplit=5)[1:4]
        except OSError:
            return cls(ours, ours)
        return cls(sum(map(int, (user, nice, system))) / os.sysconf("SC_CLK_TCK"), ours)

    def foreign_since(self, before: Busy, wall: float) -> float:
        """The share of the machine that other processes have taken since."""
        taken = (self.machine - before.machine) - (self.ours - before.ours)
        return max(0.0, taken) / (wall * (os.cpu_count() or 1))


def processor() -> dict[str, str]:
    """The first processor's fields as Linux names them; empty where there is no /proc."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    except OSError:
        return {}
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def describe(packages: Sequence[str] = ("paribus", "keras", "jax", "jaxlib", "numpy")) -> dict[str, object]:
    """Processor, cores, memory, system, date and the versions of some packages."""
    cpu = processor()
    flags = cpu.get("flags", "").split()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "cpu": cpu.get("model name", platform.machine()),
        "family_model_stepping": "/".join(cpu.get(key, "?") for key in ("cpu family", "model", "stepping")),
        "cores": len(os.sched_getaffinity(0)),
        "flags": [flag for flag in SHOWN_FLAGS if flag in flags],
        "memory_gib": round(memory, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }


def measured_on(entries: Sequence[Mapping[str, Any]], results: Path) -> dict[str, Any]:
    """The machine that measurements were made on, which need not be the one that reports them.

    Args:
        entries: lines of a log, each with its ``machine``; older ones have none.
        results: the results that were written of the log before, which say it for those.

    Raises:
        SystemExit: they are of several machines.
    """
    machines = [entry["machine"] for entry in entries if "machine" in entry]
    if len(machines) < len(entries) and results.exists():
        machines.insert(0, json.loads(results.read_text(encoding="utf-8"))["machine"])
    machines = machines or [describe()]
    kinds = {f"{each['cpu']} ({each['family_model_stepping']}), {each['cores']} cores" for each in machines}
    if len(kinds) > 1:
        raise SystemExit(f"measured on several machines: {'; '.join(sorted(kinds))}. Use a log for each (--log)")
    return machines[-1]


def sentence(machine: dict[str, object]) -> str:
    """The machine in one line."""
    versions = machine["versions"]
    assert isinstance(versions, dict)
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"{machine['date']}: {machine['cores']} cores of {machine['cpu']} ({machine['family_model_stepping']}), "
        f"{machine['memory_gib']} GiB, Python {machine['python']}, {packages}"
    )


def peaks(driver: int) -> dict[int, float]:
    """The peak resident memory (MiB) of a process and of its children, by process; nothing for those that are gone."""
    by_process = {}
    try:
        children = Path(f"/proc/{driver}/task/{driver}/children").read_text(encoding="ascii").split()
    except OSError:
        return {}
    for process in (driver, *map(int, children)):
        try:
            lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        for line in lines:
            if line.startswith("VmHWM"):
                by_process[process] = int(line.split()[1]) / 1024
    return by_process
