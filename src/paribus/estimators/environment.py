"""The record of what an estimator's run was computed with."""

from __future__ import annotations

import importlib.metadata
import platform
from functools import cache

from paribus.machine import read_cpu_name
from paribus.records import Environment
from paribus.version import __version__


@cache
def current() -> Environment:
    """What this process fits estimators with: no Keras and no JAX."""
    used = ("scikit-learn", "scipy")
    return Environment(
        paribus=__version__,
        python=platform.python_version(),
        keras="",
        jax="",
        jaxlib="",
        numpy=importlib.metadata.version("numpy"),
        platform=f"{platform.system()}-{platform.machine()}",
        cpu=read_cpu_name(),
        device="cpu",
        flags=" ".join(f"{name}={importlib.metadata.version(name)}" for name in used),
    )
