"""Loading a study: from a built-in name, a ``.toml`` file, or ``module:object``."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from paribus.errors import Mistake, StudyError, UnknownNameError, UsageError
from paribus.study import builtin
from paribus.study.document import (
    StudyDocument,
)
from paribus.study.factors import expand_factors
from paribus.study.grid_rules import find_grid_mistakes
from paribus.study.initial_weights import with_files
from paribus.study.mistakes import translate_mistakes
from paribus.study.overrides import absolute, with_absolute_paths
from paribus.study.python_object import load_python_study

MAX_BYTES = 4 << 20
"""The largest study file in bytes: no one writes 4 MiB by hand, and parsing costs memory."""


TOO_LONG = "not TOML: a whole number of more than 64 bits; TOML has none"

_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_LONG_KEY = re.compile(rf"(?<![A-Za-z0-9_-]){_PART}(?:[ \t]*+\.[ \t]*+{_PART}){{40}}")
"""A key like ``a.a.a...``: tomllib takes memory by the square of its parts (100 kB take 10 GB in CPython 3.11)."""


def load_study(source: str) -> StudyDocument:
    """Load and check a study. Relative paths in a study file start at the file's folder (decision 0043).

    Args:
        source: a built-in name, the path of a ``.toml`` file, ``module:object`` or ``path/to/file.py:object``.

    Returns:
        The checked document, with absolute paths.

    Raises:
        UnknownNameError: there is no such study; the message lists the built-in ones.
        StudyError: it breaks rules; the error carries every mistake with its place.
        UsageError: the file cannot be read, or the Python object is not a study.
    """
    if source in builtin.NAMES:
        return parse_study(builtin.text(source), source)
    if source.endswith(".toml"):
        path = _expand_home(source)
        document = with_absolute_paths(parse_study(_read(path), source), path.parent)
        arms = with_files(dict(document.arms), partial(absolute, folder=path.parent), source)
        return document if arms == document.arms else document.model_copy(update={"arms": arms})
    if ":" in source:
        return load_python_study(source)
    close = difflib.get_close_matches(source, builtin.NAMES, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    raise UnknownNameError(
        f"no study '{source}': {hint}built in are {', '.join(builtin.NAMES)}; "
        "otherwise name a .toml file or module:object"
    )


def parse_study(text: str, source: str) -> StudyDocument:
    """Check a study's TOML; paths stay as they are written.

    Args:
        text: the TOML.
        source: the study in errors.

    Raises:
        StudyError: it is not TOML, or rules are broken.
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
        raise StudyError(source, [Mistake("", f"not TOML: {error}{_backslash_advice(text, str(error))}")]) from error
    if too_large:
        raise StudyError(source, [Mistake("", TOO_LONG)])
    try:
        return check_table(table, source)
    except RecursionError as error:
        raise StudyError(source, [Mistake("", "nested too deeply; a study needs fewer than 20 levels")]) from error


_ESCAPE = re.compile("unescaped|backslash|hex value|codepoint|scalar", re.IGNORECASE)
"""Matches the messages of tomllib about a backslash in double quotes that begins no escape of TOML."""


def _backslash_advice(text: str, error: str) -> str:
    if "\\" not in text or not _ESCAPE.search(error):
        return ""
    return (
        ". In double quotes a backslash begins an escape, such as \\n; write a path with / or in single quotes: "
        r"'C:\data\train.csv'"
    )


def _beyond_64_bits(value: object) -> bool:
    """Whether there is a number that TOML does not have; Python cannot even print the longest."""
    if isinstance(value, dict):
        return any(_beyond_64_bits(item) for item in value.values())
    if isinstance(value, list):
        return any(_beyond_64_bits(item) for item in value)
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def check_table(table: Mapping[str, Any], source: str) -> StudyDocument:
    """Check a study that is a table already; factors become arms.

    Args:
        table: the study as its TOML is parsed.
        source: the study in errors.

    Raises:
        StudyError: rules are broken.
    """
    whole = expand_factors(table, source)
    grid_mistakes = find_grid_mistakes(whole)
    try:
        document = StudyDocument.model_validate(whole)
    except ValidationError as error:
        raise StudyError(source, [*translate_mistakes(error), *grid_mistakes]) from error
    if grid_mistakes:
        raise StudyError(source, grid_mistakes)
    return document


def _expand_home(source: str) -> Path:
    try:
        return Path(source).expanduser()
    except RuntimeError:
        return Path(source)  # "~someone" has no home: reading says that there is no such file


def _read(path: Path) -> str:
    try:
        # The size of a device is 0, so that the limit is on what is read.
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            size = max(path.stat().st_size, len(content))
            raise UsageError(f"{path}: {size} bytes; a study file has at most {MAX_BYTES}")
        # Editors on Windows begin a file with a byte order mark.
        return content.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: the study file cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise StudyError(
            str(path), [Mistake("", f"not UTF-8 text (byte {error.start}): a study file is TOML in UTF-8")]
        ) from error
    except ValueError as error:  # a byte 0 in its name, says Python
        raise UsageError(f"{path}: the study file cannot be read: {error}") from error
