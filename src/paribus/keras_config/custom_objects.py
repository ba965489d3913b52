"""A user's own Keras classes and functions: which a network needs, and which modules define them.

Workers get networks as configs, so they must import the module that registers such a class before they can build one.
Nothing is imported because a file says so: only modules whose classes are registered in this very process count, that
is, modules that the user imported. Their source is part of a recipe, so that a changed class is another recipe.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

SOURCES = "sources"
"""The key under which a network's config carries the digests of the modules that define its own classes."""


@dataclass(frozen=True, slots=True)
class Imports:
    """What a worker imports before its first job: module names, and folders to look for them in, last of all."""

    modules: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()


def registered_names(config: Any) -> tuple[str, ...]:
    """Names such as ``my_package>MyLayer`` in a config that are registered with Keras in this process, sorted."""
    return tuple(sorted({text for text in _strings(config) if ">" in text and _registered(text) is not None}))


def module_of(name: str) -> str:
    """The module in which a registered class or function was defined."""
    return str(getattr(_registered(name), "__module__", ""))


def importable(module: str) -> bool:
    """Whether another process can import a module by its name: it has a file and is not the running script."""
    return module not in {"__main__", "__mp_main__"} and _file(module) is not None


def source_digests(config: Any) -> dict[str, str]:
    """For each registered name in a config the sha256 of the file that defines it."""
    return {name: _file_digest(module_of(name)) for name in registered_names(config)}


def imports_for(models: Iterable[str], classes: Iterable[str] = ()) -> Imports:
    """What workers must import to build networks from configs in JSON, and other classes by registered name.

    Args:
        models: configs of networks, as JSON.
        classes: registered names of other classes, such as metrics.
    """
    of_models = (name for text in models if ">" in text for name in registered_names(json.loads(text)))
    names = (*of_models, *registered_names(list(classes)))
    modules = tuple(sorted({module for name in names if importable(module := module_of(name))}))
    return Imports(modules, tuple(sorted({str(folder) for m in modules if (folder := _folder(m)) is not None})))


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _strings(item)


def _registered(name: str) -> object | None:
    """Keras's registry, where Keras is in use; never a reason to import it."""
    keras: ModuleType | None = sys.modules.get("keras")
    registered: object | None = None if keras is None else keras.saving.get_registered_object(name)
    return registered


def _file(module: str) -> Path | None:
    file = getattr(sys.modules.get(module), "__file__", None)
    return None if file is None else Path(file).resolve()


def _file_digest(module: str) -> str:
    file = _file(module)
    return "" if file is None else hashlib.sha256(file.read_bytes()).hexdigest()


def _folder(module: str) -> Path | None:
    """The folder from which a module's topmost package was imported."""
    file = _file(module)
    if file is None:
        return None
    depth = module.count(".") + (file.name == "__init__.py")
    return file.parents[depth]
