"""Factors of a study file, expanded into arms: every combination of their levels, or one factor changed at a time.

::

    design = "every combination"                 # or "one at a time"

    [factors]
    activation = ["relu", "tanh"]                # levels that name themselves
    dropout = { off = 0.0, on = 0.3 }            # levels with names
    normalization = { off = [], on = ["BatchNormalization"] }

    [template]
    layers = [
      { Dense = { units = 64, activation = "$activation" } },
      "$normalization",                          # a list takes the place of one element
      { Dropout = { rate = "$dropout" } },
      { Dense = { units = 10, activation = "softmax" } },
    ]

The first level of each factor is its baseline. Arms are named after their levels: ``relu``, ``relu-dropout``.
"""

from __future__ import annotations

import copy
import difflib
import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from paribus.errors import Mistake, StudyError

EVERY, ONE = "every combination", "one at a time"
BASELINE = "baseline"
MAX_ARMS = 200
"""More arms than this are no design but a search."""

_ON, _OFF = frozenset({"on", "yes"}), frozenset({"off", "no", "none"})


@dataclass(frozen=True, slots=True)
class _Factor:
    """A factor, its levels in their order, and the value that each level has in the template."""

    name: str
    levels: Mapping[str, Any]


def expand_factors(table: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Turn the factors of a study's table into arms; a table without factors is returned as it is.

    With every combination, the study is made factorial and its arms get their levels; one at a time, each arm is
    declared to be compared with the baseline on test accuracy, before all other contrasts.

    Args:
        table: a study as its TOML is parsed.
        source: the name of the study in errors.

    Returns:
        A table with ``arms``, and without ``design``, ``factors`` and ``template``.

    Raises:
        StudyError: the factors break rules; every mistake is listed.
    """
    keys = {"design", "factors", "template"} & set(table)
    if not keys:
        return dict(table)
    mistakes = list(_find_table_mistakes(table))
    factors = [] if mistakes else list(_read_factors(table["factors"], mistakes))
    if not mistakes:
        mistakes += _find_placeholder_mistakes(table["template"], [factor.name for factor in factors])
    design = table.get("design", EVERY)
    if not mistakes and (count := _count_arms(factors, design)) > MAX_ARMS:
        mistakes.append(Mistake("factors", f"{count} arms; at most {MAX_ARMS} are expanded: leave levels out"))
    if mistakes:
        raise StudyError(source, mistakes)
    cells = list(_list_cells(factors, design))
    names = _name_arms(factors, cells, design)
    rest = {key: value for key, value in table.items() if key not in keys}
    rest["arms"] = {
        name: {**_fill_template(table["template"], _placeholder_values(factors, cell)), "levels": cell}
        for name, cell in zip(names, cells, strict=True)
    }
    if design == EVERY:
        rest["comparison"] = {"factorial": True, **rest.get("comparison", {})}
    else:
        rest["contrasts"] = [*({"a": n, "b": BASELINE} for n in names if n != BASELINE), *rest.get("contrasts", [])]
    return rest


def _find_table_mistakes(table: Mapping[str, Any]) -> Iterator[Mistake]:
    """Both tables are there and are tables, and `design` is one of the two."""
    for key in ("factors", "template"):
        if key not in table:
            yield Mistake(key, f"missing; [factors] and [template] belong together: add [{key}]")
        elif not isinstance(table[key], dict) or not table[key]:
            yield Mistake(key, f"a table is expected, found {table[key]!r}")
    if "arms" in table:
        yield Mistake("arms", "arms are made from [factors] and [template]; write either those or [arms]")
    design = table.get("design", EVERY)
    if design not in (EVERY, ONE):
        yield Mistake("design", f'{design!r}: "{EVERY}" or "{ONE}" is expected')
    for key in ("comparison",):
        if not isinstance(table.get(key, {}), dict):
            yield Mistake(key, "a table is expected")


def _read_factors(table: Mapping[str, Any], mistakes: list[Mistake]) -> Iterator[_Factor]:
    for name, levels in table.items():
        place = f"factors, {name}"
        if isinstance(levels, list):
            plain = [level for level in levels if isinstance(level, str | int | float)]
            if len(plain) < len(levels):
                mistakes.append(
                    Mistake(place, "levels that are lists or tables need names, like { a = [...], b = [...] }")
                )
                continue
            named = {_level_name(level): level for level in plain}
            if len(named) < len(plain):
                mistakes.append(Mistake(place, "a level is listed twice; list it once"))
                continue
        elif isinstance(levels, dict):
            named = dict(levels)
        else:
            mistakes.append(Mistake(place, f'{levels!r}: a list of levels is expected, like ["relu", "tanh"]'))
            continue
        if len(named) < 2:
            mistakes.append(Mistake(place, f"{len(named)} level; a factor has two or more"))
        yield _Factor(name, named)


def _level_name(level: str | float) -> str:
    if isinstance(level, bool):
        return "on" if level else "off"
    return str(level)


def _find_placeholder_mistakes(template: Any, factors: list[str]) -> Iterator[Mistake]:
    """Every ``$name`` names a factor, and every factor is named."""
    placeholders = {text[1:] for text in _texts(template) if text.startswith("$")}
    for name in sorted(placeholders - set(factors)):
        close = difflib.get_close_matches(name, factors, n=1)
        hint = f"; did you mean '${close[0]}'?" if close else ""
        yield Mistake("template", f"'${name}' is not a factor; the factors are {', '.join(factors)}{hint}")
    for name in factors:
        if name not in placeholders:
            yield Mistake("template", f"factor '{name}' is not in it; write \"${name}\" where its levels go")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _texts(item)


def _count_arms(factors: list[_Factor], design: str) -> int:
    sizes = [len(factor.levels) for factor in factors]
    return math.prod(sizes) if design == EVERY else 1 + sum(size - 1 for size in sizes)


def _list_cells(factors: list[_Factor], design: str) -> Iterator[dict[str, str]]:
    """The level of every factor, for each arm; the baseline first."""
    if design == EVERY:
        for levels in itertools.product(*(factor.levels for factor in factors)):
            yield {factor.name: level for factor, level in zip(factors, levels, strict=True)}
        return
    baseline = {factor.name: next(iter(factor.levels)) for factor in factors}
    yield baseline
    for factor in factors:
        for level in list(factor.levels)[1:]:
            yield {**baseline, factor.name: level}


def _name_arms(factors: list[_Factor], cells: list[dict[str, str]], design: str) -> list[str]:
    """Short names where they are unique, else names with every factor in them."""
    words = [level for factor in factors for level in factor.levels if level not in _ON | _OFF]
    shared = {word for word in words if words.count(word) > 1} | {factor.name for factor in factors}
    for qualified in (shared, set(words)):
        names = [_name_arm(factors, cell, cells[0], design, qualified) for cell in cells]
        if len(set(names)) == len(names):
            return names
    return ["-".join(f"{name}-{level}" for name, level in cell.items()) for cell in cells]


def _name_arm(
    factors: list[_Factor], cell: dict[str, str], baseline: dict[str, str], design: str, qualified: set[str]
) -> str:
    if design == ONE:
        changed = [factor for factor in factors if cell[factor.name] != baseline[factor.name]]
        if not changed:
            return BASELINE
        (factor,) = changed
        level = cell[factor.name]
        return f"no-{factor.name}" if level in _OFF else _name_level(factor.name, level, qualified)
    return "-".join(word for name, level in cell.items() if (word := _name_level(name, level, qualified))) or "plain"


def _name_level(factor: str, level: str, qualified: set[str]) -> str:
    """``dropout`` for on, nothing for off, ``units-64`` for a number, else the level if no other factor has it."""
    if level in _ON:
        return factor
    if level in _OFF:
        return ""
    return f"{factor}-{level}" if level in qualified or _is_number(level) else level


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _placeholder_values(factors: list[_Factor], cell: Mapping[str, str]) -> dict[str, Any]:
    return {f"${factor.name}": factor.levels[cell[factor.name]] for factor in factors}


def _fill_template(value: Any, values: Mapping[str, Any]) -> Any:
    """A template with its placeholders replaced; a list in the place of a list's element is spliced in."""
    if isinstance(value, str):
        return copy.deepcopy(values.get(value, value))
    if isinstance(value, dict):
        return {key: _fill_template(item, values) for key, item in value.items()}
    if isinstance(value, list):
        filled: list[Any] = []
        for item in value:
            new = _fill_template(item, values)
            filled += new if isinstance(item, str) and isinstance(new, list) else [new]
        return filled
    return value
