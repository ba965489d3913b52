"""Importing Keras and JAX without what no run needs.

Keras imports packages for figures, tables and notebooks where they are installed, and does without them where they are
not: ``ABSENT``. Others it, or JAX, imports without asking: ``LATER`` are imported when something of them is used, which
is never in a worker. See ``docs/decisions/0147-imported-when-used.md``.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Collection, Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

from paribus.errors import BackendError

ABSENT = ("IPython", "matplotlib", "pandas", "sklearn")

_SPLASH = "jax.experimental.pallas.ops.tpu.splash_attention"
LATER = (
    # attention kernels for TPUs, and with them all of Pallas
    _SPLASH,
    f"{_SPLASH}.splash_attention_kernel",
    f"{_SPLASH}.splash_attention_mask",
    "jax.extend.pallas",
    # jax.experimental.sparse.linalg solves sparse systems with it
    "scipy.sparse",
    "scipy.sparse.linalg",
    # files of whole models, their summaries, callbacks that post to a server
    "h5py",
    "psutil",
    "requests",
    "rich",
    "rich.console",
    "rich.markup",
    "rich.table",
)


@contextlib.contextmanager
def imports_uncollected() -> Iterator[None]:
    """Import inside this block without Python's cyclic collector, which then leaves what was imported alone.

    Modules are never freed; walking through them again and again takes a fifth of the time of importing Keras and JAX.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def import_keras() -> None:
    """Import Keras without what no run needs.

    All of that can be imported as ever afterwards. Keras finds what is imported later when it uses it, and does without
    what is absent, as where that is not installed. What the user's ``keras.json`` says does not count: a loss is
    clipped with ``epsilon``, and runs name no such setting.

    Raises:
        BackendError: Keras refuses to be imported with the user's ``keras.json``.
    """
    try:
        with _absent(ABSENT), _later(LATER):
            import jax.extend  # noqa: F401 - the engine needs it, and it imports Pallas
            import keras
    except (ValueError, TypeError, AttributeError) as error:
        file = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras", "keras.json")
        raise BackendError(f"{file}: Keras refuses this configuration: {error}; correct or remove the file") from error
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")


class _Later(ModuleType):
    """Takes the place of a module until something of it is used; from then on it hands out what the module has."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # the import system looks for __spec__ and __path__
        submodule = f"{self.__name__}.{name}"
        if sys.modules.get(self.__name__) is self:
            if isinstance(sys.modules.get(submodule), _Later):
                return sys.modules[submodule]
            del sys.modules[self.__name__]
        module = importlib.import_module(self.__name__)
        if hasattr(module, name):
            return getattr(module, name)
        try:
            return importlib.import_module(submodule)
        except ModuleNotFoundError as error:
            if error.name not in (submodule, self.__name__):
                raise
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}") from None


@contextlib.contextmanager
def _later(names: Collection[str]) -> Iterator[None]:
    """Inside this block, the place of modules that are not imported yet is taken by what imports them when it is used.

    Where a package is not installed, importing it fails as ever.
    """
    absent = {package for package in {name.partition(".")[0] for name in names} if find_spec(package) is None}
    postponed = [name for name in names if name not in sys.modules and name.partition(".")[0] not in absent]
    stand_ins = {name: _Later(name) for name in postponed}
    sys.modules.update(stand_ins)
    try:
        yield
    finally:
        for name, stand_in in stand_ins.items():
            if sys.modules.get(name) is stand_in:
                del sys.modules[name]


@contextlib.contextmanager
def _absent(names: Collection[str]) -> Iterator[None]:
    """Inside this block, importing one of these raises ``ModuleNotFoundError``, unless it is imported already."""
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        sys.modules[name] = None  # type: ignore[assignment]  # that is what None does
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]
