"""A study as TOML, so that a report holds everything that is needed to run it again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from paribus.study.document import StudyDocument

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_LONG = 88


def to_toml(document: StudyDocument) -> str:
    """The study's TOML without values that equal their defaults. Reading it gives an equal study."""
    values = document.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    values["data"] = {key: _relative_path(value) for key, value in values["data"].items()}
    lines = [f"{key} = {_value(value)}" for key, value in values.items() if not isinstance(value, dict | list)]
    for table in ("data", "protocol", "comparison", "tuning"):
        if values.get(table):
            lines += ["", f"[{table}]", *_entries(values[table])]
    for name, arm in values["arms"].items():
        if "initial_weights" in arm:
            arm["initial_weights"] = {key: _relative_path(value) for key, value in arm["initial_weights"].items()}
        lines += ["", f"[arms.{_key(name)}]", *_entries(arm)]
    for contrast in values.get("contrasts", ()):
        lines += ["", "[[contrasts]]", *_entries(contrast)]
    return "\n".join(lines) + "\n"


def _relative_path(value: Any) -> Any:
    """A path inside the current folder, relative to it: a report does not tell the folders of this machine."""
    if isinstance(value, str) and Path(value).is_absolute() and Path(value).is_relative_to(Path.cwd()):
        return str(Path(value).relative_to(Path.cwd()))
    return value


def _entries(table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        line = f"{_key(key)} = {_value(value)}"
        if isinstance(value, list) and len(line) > _LONG:
            line = "\n".join((f"{_key(key)} = [", *(f"  {_value(item)}," for item in value), "]"))
        yield line


def _value(value: Any) -> str:
    """A value on one line. A Keras class without arguments is its name, as users write it."""
    if isinstance(value, dict):
        if len(value) == 1 and next(iter(value.values())) == {}:
            return _value(next(iter(value)))
        inner = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items() if item is not None)
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list):
        return f"[{', '.join(_value(item) for item in value)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else _value(key)
