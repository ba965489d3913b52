"""From what a user names as STUDY to a checked study: a built-in name, a ``.toml`` file, or ``module:object``."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import os
import re
import sys
import tomllib
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ValidationError

from paribus import studies
from paribus.errors import Mistake, ParibusError, StudyError, UnknownNameError, UsageError
from paribus.factors import expanded
from paribus.study import MAX_SEED, Arm, Comparison, Contrast, Data, Protocol, StudyDocument, Tuning
from paribus.tuning import mistakes as tuning_mistakes

_TABLES: Mapping[str | int, type[BaseModel]] = {
    "data": Data,
    "protocol": Protocol,
    "comparison": Comparison,
    "tuning": Tuning,
    "arms": Arm,
    "contrasts": Contrast,
}
_WORDS = {
    "string_pattern_mismatch": "letters, digits and . _ - are allowed, a letter or digit first",
    "string_too_short": "must not be empty",
    "string_type": "text in quotes is expected",
    "int_type": "a whole number is expected",
    "float_type": "a number is expected",
    "finite_number": "a finite number is expected",
    "bool_type": "true or false is expected, without quotes",
    "tuple_type": "a list in brackets is expected",
    "dict_type": "a table is expected",
    "model_type": "a table is expected",
    "invalid-json-value": "text, a number, true or false, a list or a table is expected",
}
"""What pydantic calls a mistake, in the words of a study file; its own words do where none stand here."""

MAX_BYTES = 4 << 20
"""A study file above this is refused: nobody writes 4 MiB by hand, and parsing costs memory."""

MAX_RUNS = 100_000
"""A study with more runs, or more pairs of arms to compare, is refused before anything is made of them."""

TOO_LONG = "not TOML: a whole number of more than 64 bits; TOML has none"

_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{40}}")
"""A key like ``a.a.a...``: tomllib takes memory by the square of its parts (100 kB take 10 GB in CPython 3.11)."""


def load(source: str) -> StudyDocument:
    """Find and check a study. Relative paths in a study file start at the file's folder.

    Raises:
        UnknownNameError: there is no such study; the message lists the built-in ones.
        StudyError: it breaks rules; the error carries every mistake with its place.
        UsageError: the file cannot be read, or the Python object is not a study.
    """
    if source in studies.NAMES:
        return parse(studies.text(source), source)
    if source.endswith(".toml"):
        return located(parse(_read(Path(source)), source), Path(source).parent)
    if ":" in source:
        return _python_object(source)
    close = difflib.get_close_matches(source, studies.NAMES, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    raise UnknownNameError(
        f"no study '{source}': {hint}built in are {', '.join(studies.NAMES)}; "
        "otherwise name a .toml file or module:object"
    )


def located(document: StudyDocument, folder: Path) -> StudyDocument:
    """The study with the paths of its data absolute, where they are relative to a folder; names stay."""
    from paribus.data.sources import is_name  # brings NumPy, which `paribus --help` does without

    data, changes = document.data, {}
    if not is_name(data.source) and _is_path(data.source, folder):
        changes["source"] = _absolute(data.source, folder)
    if data.test is not None:
        changes["test"] = _absolute(data.test, folder)
    return document.model_copy(update={"data": data.model_copy(update=changes)}) if changes else document


def _is_path(source: str, folder: Path) -> bool:
    """Whether this is meant for a path; a single word that is nowhere is rather a name with a slip of the pen."""
    try:
        return Path(source).name != source or "." in source or (folder / source).exists() or Path(source).exists()
    except (OSError, ValueError):
        return False  # no name that a file could have; reading it will say so


def _absolute(path: str, folder: Path) -> str:
    return path if path.startswith("~") else os.path.abspath(folder / path)  # noqa: PTH100 - links stay as they are named


def parse(text: str, source: str) -> StudyDocument:
    """Check a study's TOML. ``source`` is what errors call it.

    Raises:
        StudyError: not TOML, or rules are broken.
    """
    if _LONG_KEY.search(text):
        raise StudyError(source, [Mistake("", "not TOML: a key of more than 40 parts; a study needs fewer than 20")])
    try:
        table = tomllib.loads(text)
        too_large = _beyond_64_bits(table)
    except RecursionError as error:
        raise StudyError(
            source, [Mistake("", "not TOML: nested too deeply; a study needs fewer than 20 levels")]
        ) from error
    except ValueError as error:
        if not isinstance(error, tomllib.TOMLDecodeError):  # a number of more than 4,300 digits (CPython 3.11.7)
            raise StudyError(source, [Mistake("", TOO_LONG)]) from error
        raise StudyError(source, [Mistake("", f"not TOML: {error}")]) from error
    if too_large:
        raise StudyError(source, [Mistake("", TOO_LONG)])
    try:
        return checked(table, source)
    except RecursionError as error:
        raise StudyError(source, [Mistake("", "nested too deeply; a study needs fewer than 20 levels")]) from error


def _beyond_64_bits(value: object) -> bool:
    """Whether there is a number that TOML does not have; Python cannot even print the longest."""
    if isinstance(value, dict):
        return any(_beyond_64_bits(item) for item in value.values())
    if isinstance(value, list):
        return any(_beyond_64_bits(item) for item in value)
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def checked(table: Mapping[str, Any], source: str) -> StudyDocument:
    """Check a study that is already a table; factors become arms. ``source`` is what errors call it.

    Raises:
        StudyError: rules are broken.
    """
    whole = expanded(table, source)
    wrong = tuning_mistakes(whole)
    try:
        document = StudyDocument.model_validate(whole)
    except ValidationError as error:
        raise StudyError(source, [*mistakes_of(error), *wrong]) from error
    if wrong:
        raise StudyError(source, wrong)
    return document


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
        UsageError: a value is out of range, or the study has more than ``MAX_RUNS`` runs.
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
    _check_size(document, len(kept), document.seeds if seeds is None else seeds)
    contrasts = [c for c in document.contrasts if c.a in kept and c.b in kept]
    changes: dict[str, Any] = {"arms": {name: document.arms[name] for name in kept}, "contrasts": tuple(contrasts)}
    if seeds is not None:
        changes["seeds"] = seeds
    if epochs is not None:
        changes["protocol"] = document.protocol.model_copy(update={"epochs": epochs})
    changed = document.model_copy(update=changes)
    if data is None:
        return changed
    return located(changed.model_copy(update={"data": document.data.model_copy(update={"source": data})}), Path())


def _check_size(document: StudyDocument, arms: int, seeds: int) -> None:
    if arms * seeds > MAX_RUNS:
        raise UsageError(
            f"study '{document.name}': {arms:,} arms with {seeds:,} seeds each are {arms * seeds:,} runs; "
            f"at most {MAX_RUNS:,} are planned: take fewer seeds or arms"
        )
    trainings = len(document.tuned) * (document.tuning.budget or 0)
    if trainings > MAX_RUNS:
        raise UsageError(
            f"study '{document.name}': tuning {len(document.tuned):,} arms takes {trainings:,} trainings; at most "
            f"{MAX_RUNS:,} are planned: say a smaller `budget` in [tuning]"
        )
    pairs = arms * (arms - 1) // 2
    if document.comparison.all_pairs and pairs > MAX_RUNS:
        raise UsageError(
            f"study '{document.name}': `all_pairs` of {arms:,} arms are {pairs:,} contrasts; at most {MAX_RUNS:,} "
            "are judged: declare the contrasts that matter"
        )


def mistakes_of(error: ValidationError) -> list[Mistake]:
    """Every mistake pydantic found, in our words and with places a person would give."""
    return [Mistake(_place(item["loc"]), _message(item)) for item in error.errors(include_url=False)]


def _place(location: Sequence[str | int]) -> str:
    """``('arms', 'big', 'layers', 2, ...)`` -> ``arm 'big', layer 3``."""
    parts = list(location)
    words: list[str] = []
    while parts:
        match parts:
            case ["arms", name, *rest]:
                words.append(f"arm '{name}'")
            case ["layers", int(index), *rest]:
                words.append(f"layer {index + 1}")
            case ["contrasts", int(index), *rest]:
                words.append(f"contrast {index + 1}")
            case ["dict" | "list" | "float" | "[key]", *rest]:
                pass  # pydantic's own: the kind of a JSON value, or that a key is meant
            case [int(index), *rest]:
                words.append(f"item {index + 1}")
            case [other, *rest]:
                words.append(str(other))
        parts = rest
    return ", ".join(words)


def _message(item: Any) -> str:
    value, kind = item["input"], item["type"]
    message = str(item["msg"]).removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return _unknown_key(item["loc"])
    if kind == "missing":
        return "missing; it must be given"
    if kind in {"value_error", "contradiction"}:
        return message
    shown = repr(value)
    message = _WORDS.get(kind, f"{message[0].lower()}{message[1:]}")
    return f"{shown if len(shown) <= 60 else shown[:57] + '...'}: {message}"


def _unknown_key(location: Sequence[str | int]) -> str:
    table = _TABLES.get(location[0], StudyDocument) if len(location) > 1 else StudyDocument
    known = list(table.model_fields)
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return f"unknown key; {hint}known here are {', '.join(known)}"


def _read(path: Path) -> str:
    try:
        # No more than that is read, whatever the size says: the name may lead to a device.
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            size = max(path.stat().st_size, len(content))
            raise UsageError(f"{path}: {size} bytes; a study file has at most {MAX_BYTES}")
        return content.decode()
    except OSError as error:
        raise UsageError(f"{path}: the study file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise StudyError(
            str(path), [Mistake("", f"not UTF-8 text (byte {error.start}): a study is a TOML file")]
        ) from error


def _python_object(source: str) -> StudyDocument:
    found = python_object(source)
    document = getattr(found, "document", found)
    if not isinstance(document, StudyDocument):
        name = source.rpartition(":")[2]
        raise UsageError(f"{source}: '{name}' is {type(found).__name__}; expected a paribus.Study")
    return document


def python_object(source: str) -> Any:
    """What ``module:object`` or ``path/to/file.py:object`` names. The only place where a user's Python is imported.

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
    except Exception as error:  # it is the user's code: whatever it raises is told
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == Path(where).resolve()]
        place = f"line {lines[-1]} of " if lines else ""
        raise UsageError(f"{source}: {place}{where or 'it'} raised {type(error).__name__}: {error}") from error
    if not hasattr(module, name):
        raise UsageError(f"{source}: {where} has no '{name}'")
    return getattr(module, name)


def _run_file(path: Path) -> ModuleType:
    # Its own name, by which workers find the layers it defines; it must not take the place of json or keras.
    before = getattr(sys.modules.get(path.stem), "__file__", None)
    if path.stem in sys.modules and (before is None or Path(before).resolve() != path.resolve()):
        raise UsageError(f"{path}: another module named '{path.stem}' is in use; rename the file")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None, "a name that ends in .py has a loader"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    spec.loader.exec_module(module)
    return module


def _import(name: str) -> ModuleType:
    # The console script does not look in the current folder; last of all, so that nothing installed is hidden.
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    return importlib.import_module(name)
