"""The exact commands that repeat a study."""

from __future__ import annotations

import shlex

from paribus.errors import UnknownNameError
from paribus.outcome.outcome import Outcome
from paribus.study.document import StudyDocument
from paribus.study.load import load_study
from paribus.study.overrides import override
from paribus.version import __version__


def list_commands(outcome: Outcome) -> tuple[str, ...]:
    """Install, run, report. ``study.toml`` is the study as the report prints it, unless it is a built-in one."""
    document = outcome.document
    study = " ".join(_study_arguments(document))
    versions = dict.fromkeys(environment.paribus for environment in outcome.environments)
    name = study.split()[0]
    return (
        *(f"pip install paribus=={version}" for version in versions or (__version__,)),
        f"paribus run {study} --seeds {count_seeds(outcome)}",
        f"paribus report {name} --format html -o {shlex.quote(document.name)}.html",
    )


def is_built_in(document: StudyDocument) -> bool:
    """Whether the command line knows the study by name."""
    return _study_arguments(document)[0] != "study.toml"


def count_seeds(outcome: Outcome) -> int:
    """How many seeds the largest arm has, or was asked for."""
    return max((len(arm.runs) + len(arm.missing) for arm in outcome.arms), default=outcome.document.seeds)


def _study_arguments(document: StudyDocument) -> list[str]:
    """The built-in study's name with what was changed of it, or a file."""
    try:
        known = load_study(document.name) if ":" not in document.name else None
    except UnknownNameError:
        known = None
    if known is None or not set(document.arms) <= set(known.arms):
        return ["study.toml"]
    words = [document.name]
    epochs = document.protocol.epochs if document.protocol.epochs != known.protocol.epochs else None
    arms = tuple(document.arms) if len(document.arms) < len(known.arms) else ()
    changed = override(known, seeds=document.seeds, epochs=epochs, arms=arms)
    if changed != document:
        return ["study.toml"]
    words += [] if epochs is None else ["--epochs", str(epochs)]
    words += [word for arm in arms for word in ("--arm", arm)]
    return words
