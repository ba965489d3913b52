"""Importing ``module:object`` or ``path/to/file.py:object``: the only place where a user's Python is imported."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from paribus.errors import ParibusError, UsageError
from paribus.study.document import StudyDocument


def load_python_study(source: str) -> StudyDocument:
    """The study that ``module:object`` names.

    Args:
        source: ``module:object`` or ``path/to/file.py:object``; the module is imported.

    Raises:
        UsageError: it cannot be imported, or is no study.
    """
    value = import_object(source)
    document = getattr(value, "document", value)
    if not isinstance(document, StudyDocument):
        name = source.rpartition(":")[2]
        raise UsageError(f"{source}: '{name}' is {type(value).__name__}; expected a paribus.Study")
    return document


def import_object(source: str) -> Any:
    """Import the object that ``module:object`` or ``path/to/file.py:object`` names.

    Args:
        source: the name.

    Raises:
        UsageError: there is no such module, file or object, or importing it raised an error.
    """
    where, _, name = source.rpartition(":")
    if where.endswith(".py") and not Path(where).is_file():
        raise UsageError(f"{source}: there is no file {where}")
    try:
        module = _run_file(Path(where)) if where.endswith(".py") else _import(where)
    except ParibusError:
        raise
    except ModuleNotFoundError as error:
        raise UsageError(f"{source}: there is no module '{error.name or where}' here or installed") from error
    except Exception as error:  # the user's code may raise anything
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == Path(where).resolve()]
        place = f"line {lines[-1]} of " if lines else ""
        raise UsageError(f"{source}: {place}{where or 'it'} raised {type(error).__name__}: {error}") from error
    if not hasattr(module, name):
        raise UsageError(f"{source}: {where} has no '{name}'")
    return getattr(module, name)


def _run_file(path: Path) -> ModuleType:
    # Workers import the layers of this file by its name, which must not hide a module such as json or keras.
    loaded_file = getattr(sys.modules.get(path.stem), "__file__", None)
    if path.stem in sys.modules and (loaded_file is None or Path(loaded_file).resolve() != path.resolve()):
        raise UsageError(f"{path}: another module named '{path.stem}' is in use; rename the file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None, "a name that ends in .py has a loader"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(module.__name__)
    sys.modules[module.__name__] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        # As Python's own import: a module that failed is not there, least of all in the way of another of its name.
        if before is None:
            sys.modules.pop(module.__name__, None)
        else:
            sys.modules[module.__name__] = before
        raise
    return module


def _import(name: str) -> ModuleType:
    # The console script does not search the current folder. It comes last, so that it hides nothing installed.
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    return importlib.import_module(name)
