"""Completion of the names of studies and arms in a shell (``paribus --install-completion``).

Nothing is trained or written, and no Python file of the user is run. What cannot be read completes nothing.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import typer

from paribus.errors import ParibusError

DEFAULT_STORE = Path("paribus-runs")
"""Where runs are stored unless a command says otherwise."""


def complete_study(context: typer.Context, incomplete: str) -> list[str]:
    """Built-in studies, stored ones, and study files of this folder."""
    from paribus.study import builtin

    stored = _list_stored(context)
    files = sorted(str(path) for path in Path().glob("*.toml") if path.name not in _NO_STUDIES)
    return [name for name in dict.fromkeys((*stored, *builtin.NAMES, *files)) if name.startswith(incomplete)]


def complete_arm(context: typer.Context, incomplete: str) -> list[str]:
    """The arms of the study that was named before."""
    study = context.params.get("study")
    # Click parses nothing of a line that ends in an option without its value; the shell hands over all words.
    words = [study] if study else _list_words()
    arms = next((arms for word in words if (arms := _list_arms(context, word))), [])
    return [arm for arm in arms if arm.startswith(incomplete)]


def complete_place(context: typer.Context, incomplete: str) -> list[str]:
    """``STUDY``, then ``STUDY/ARM``, of what is stored."""
    study, slash, arm = incomplete.partition("/")
    if not slash:
        return [name for name in _list_stored(context) if name.startswith(incomplete)]
    return [f"{study}/{name}" for name in _list_arms(context, study) if name.startswith(arm)]


_NO_STUDIES = ("pyproject.toml",)


def _list_words() -> list[str]:
    """The words of the line after the command, without options."""
    line = os.environ.get("_TYPER_COMPLETE_ARGS") or os.environ.get("COMP_WORDS") or ""
    try:
        words = shlex.split(line)
    except ValueError:  # a quotation mark that is still open
        words = line.split()
    return [word for word in words[2:] if not word.startswith("-")]


def _list_stored(context: typer.Context) -> list[str]:
    from paribus.store.sqlite import SqliteStore

    try:
        with SqliteStore.open(_find_store(context), mode="read") as opened:
            return [study.label for study in opened.studies()]
    except (ParibusError, RuntimeError):
        return []


def _list_arms(context: typer.Context, study: str) -> list[str]:
    from paribus.results.stored_study import find_stored
    from paribus.store.sqlite import SqliteStore
    from paribus.study.load import load_study

    try:
        with SqliteStore.open(_find_store(context), mode="read") as opened:
            stored = find_stored(study, opened)
        if stored is not None:
            return [arm.name for arm in stored.arms]
        # A study in Python would be imported, which may do anything.
        return [] if ":" in study else list(load_study(study).arms)
    except (ParibusError, RuntimeError):
        return []


def _find_store(context: typer.Context) -> Path:
    return Path(context.params.get("store") or DEFAULT_STORE).expanduser()
