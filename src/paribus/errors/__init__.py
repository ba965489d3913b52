"""Every error that paribus raises on purpose.

::

    ParibusError                    exit code 1
     ├── UsageError                 2   the request cannot be carried out as it is
     │    ├── StudyError                a study (or an override of it) breaks rules; carries every mistake
     │    ├── ModelError                Keras cannot build an arm, or the engine cannot train it
     │    └── UnknownNameError          no such study, arm, data source or metric
     ├── DataError                  1   a data file is corrupt, truncated, foreign or inconsistent
     ├── StoreError                 1   the store cannot be read or written
     │    ├── StoreBusyError        5   another process holds the store
     │    ├── StoreTooNewError      6   written by a newer version of paribus
     │    └── StoreDamagedError     1   weights or predictions of one run differ from those that were written
     ├── BackendError               1   worker processes cannot be started or talked to
     └── InterruptedRunError      130   stopped by the user; what was finished is stored

Each message names the value, the rule and the remedy::

    >>> import paribus as pb
    >>> try:
    ...     pb.Study.load("digit")
    ... except pb.errors.UnknownNameError as error:
    ...     print(str(error).partition("?")[0])
    no study 'digit': did you mean 'digits'
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from paribus.errors.control_characters import show_control_characters


class ParibusError(Exception):
    """Base of all errors that paribus raises on purpose; ``exit_code`` is what the command line exits with.

    Example:
        >>> import paribus as pb
        >>> try:
        ...     pb.Study.load("digit")
        ... except pb.ParibusError as error:
        ...     print(type(error).__name__, error.exit_code)
        UnknownNameError 2
    """

    exit_code = 1

    def __str__(self) -> str:
        """The message, with control characters of names that it quotes spelled out: tracebacks are printed, too."""
        return show_control_characters(super().__str__())


class UsageError(ParibusError):
    """The request cannot be carried out as it is: an option, a name or a value is wrong."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake in a study: where it is and what is wrong (value, rule, remedy)."""

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class StudyError(UsageError):
    """A study breaks rules. ``mistakes`` holds all of them, not only the first."""

    def __init__(self, source: str, mistakes: Sequence[Mistake]) -> None:
        self.source = source
        self.mistakes = tuple(mistakes)
        count = len(self.mistakes)
        lines = "\n".join(f"  - {mistake}" for mistake in self.mistakes)
        super().__init__(f"{source}: {count} mistake{'' if count == 1 else 's'}\n{lines}")

    def __reduce__(self) -> tuple[type[StudyError], tuple[str, tuple[Mistake, ...]]]:
        return type(self), (self.source, self.mistakes)


class ModelError(StudyError):
    """Keras cannot build an arm's network or optimizer, or the engine cannot train it."""


class UnknownNameError(UsageError):
    """A study, arm, data source or metric that does not exist; the message lists those that do."""


def unknown_name(kind: str, name: str, known: Iterable[str], where: str = "") -> UnknownNameError:
    """The error for a name that does not exist, with the names that do and the closest of them.

    Args:
        kind: the kind of the name: "arm", "study", "part".
        name: the name.
        known: the names that exist.
        where: the place that has these names: "study 'digits'".
    """
    names = [str(item) for item in known]
    close = difflib.get_close_matches(name, names, n=1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    place = f" in {where}" if where else ""
    return UnknownNameError(f"no {kind} '{name}'{place}: {hint}there are {', '.join(names) or 'none'}")


class DataError(ParibusError):
    """A data file is corrupt, truncated or foreign; the message names it, its content and the expected content."""


class StoreError(ParibusError):
    """The store cannot be read or written."""


class StoreBusyError(StoreError):
    """Another process holds the store."""

    exit_code = 5


class StoreDamagedError(StoreError):
    """The weights or predictions of one run differ from those that were written; the rest of the store is unchanged."""


class StoreTooNewError(StoreError):
    """The store was written by a newer version of paribus."""

    exit_code = 6


class BackendError(ParibusError):
    """Worker processes cannot be started or talked to."""


class InterruptedRunError(ParibusError):
    """The user stopped the run; what was finished is stored."""

    exit_code = 130
