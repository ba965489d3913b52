"""From what a user names as STUDY to a checked study: a built-in name, a ``.toml`` file, or ``module:object``."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from paribus import studies
from paribus.errors import Mistake, StudyError, UnknownNameError, UsageError
from paribus.study import MAX_SEED, StudyDocument

MAX_BYTES = 4 << 20
"""A study file above this is refused: nobody writes 4 MiB by hand, and parsing costs memory."""


def load(source: str) -> StudyDocument:
    """Find and check a study.

    Raises:
        UnknownNameError: there is no such study; the message lists the built-in ones.
        StudyError: it breaks rules; the error carries every mistake with its place.
        UsageError: the file cannot be read, or the Python object is not a study.
    """
    if source in studies.NAMES:
        return parse(studies.text(source), source)
    if source.endswith(".toml"):
        return parse(_read(Path(source)), source)
    if ":" in source:
        return _python_object(source)
    close = difflib.get_close_matches(source, studies.NAMES, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    raise UnknownNameError(
        f"no study '{source}': {hint}built in are {', '.join(studies.NAMES)}; "
        "otherwise name a .toml file or module:object"
    )


def parse(text: str, source: str) -> StudyDocument:
    """Check a study's TOML. ``source`` is what errors call it.

    Raises:
        StudyError: not TOML, or rules are broken.
    """
    try:
        return StudyDocument.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise StudyError(source, [Mistake("", f"not TOML: {error}")]) from error
    except RecursionError as error:
        raise StudyError(
            source, [Mistake("", "not TOML: nested too deeply; a study needs fewer than 20 levels")]
        ) from error
    except ValidationError as error:
        raise StudyError(source, mistakes_of(error)) from error


def overridden(
    document: StudyDocument,
    *,
    seeds: int | None = None,
    epochs: int | None = None,
    arms: Sequence[str] = (),
    data: str | None = None,
) -> StudyDocument:
    """The study with what the command line says instead. With ``arms``, contrasts between the named arms remain.

    Raises:
        UsageError: a value is out of range.
        UnknownNameError: the study has no such arm.
    """
    if seeds is not None and not 1 <= seeds <= MAX_SEED:
        raise UsageError(f"--seeds {seeds}: the number of seeds is 1 or more (5 is a good start)")
    if epochs is not None and epochs < 1:
        raise UsageError(f"--epochs {epochs}: the number of epochs is 1 or more")
    unknown = [arm for arm in arms if arm not in document.arms]
    if unknown:
        raise UnknownNameError(
            f"--arm {unknown[0]}: study '{document.name}' has no such arm; its arms are {', '.join(document.arms)}"
        )
    kept = [name for name in document.arms if not arms or name in arms]
    contrasts = [c for c in document.contrasts if c.a in kept and c.b in kept]
    changes: dict[str, Any] = {"arms": {name: document.arms[name] for name in kept}, "contrasts": tuple(contrasts)}
    if seeds is not None:
        changes["seeds"] = seeds
    if epochs is not None:
        changes["protocol"] = document.protocol.model_copy(update={"epochs": epochs})
    if data is not None:
        changes["data"] = document.data.model_copy(update={"source": data})
    return document.model_copy(update=changes)


def mistakes_of(error: ValidationError) -> list[Mistake]:
    """Every mistake pydantic found, in our words and with places a person would give."""
    return [Mistake(_place(item["loc"]), _message(item)) for item in error.errors(include_url=False)]


def _place(location: Sequence[str | int]) -> str:
    """``('arms', 'big', 'layers', 2, ...)`` -> ``arm 'big', layer 3``."""
    parts = [part for part in location if not str(part).startswith(("function-", "dict["))]
    words: list[str] = []
    while parts:
        match parts:
            case ["arms", name, *rest]:
                words.append(f"arm '{name}'")
            case ["layers", int(index), *rest]:
                words.append(f"layer {index + 1}")
            case ["contrasts", int(index), *rest]:
                words.append(f"contrast {index + 1}")
            case [other, *rest]:
                words.append(str(other))
        parts = rest
    return ", ".join(words)


def _message(item: Any) -> str:
    value, kind = item["input"], item["type"]
    message = str(item["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return "unknown key; see docs/studies.md for what a study may say"
    if kind == "missing":
        return "missing; it must be given"
    if kind == "value_error":
        return message
    shown = repr(value)
    return f"{shown if len(shown) <= 60 else shown[:57] + '...'}: {message[0].lower()}{message[1:]}"


def _read(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise UsageError(f"{path}: {size} bytes; a study file has at most {MAX_BYTES}")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: the study file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise StudyError(
            str(path), [Mistake("", f"not UTF-8 text (byte {error.start}): a study is a TOML file")]
        ) from error


def _python_object(source: str) -> StudyDocument:
    """``module:object`` or ``path/to/file.py:object``. The only place where a user's Python is imported."""
    where, _, name = source.rpartition(":")
    if where.endswith(".py"):
        spec = importlib.util.spec_from_file_location(Path(where).stem, where)
        if spec is None or spec.loader is None or not Path(where).is_file():
            raise UsageError(f"{source}: there is no file {where}")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module.__name__] = module
        spec.loader.exec_module(module)
    else:
        try:
            module = importlib.import_module(where)
        except ImportError as error:
            raise UsageError(f"{source}: module '{where}' cannot be imported: {error}") from error
    found = getattr(module, name, None)
    document = getattr(found, "document", found)
    if not isinstance(document, StudyDocument):
        raise UsageError(f"{source}: '{name}' is {type(found).__name__}; expected a paribus.Study")
    return document
