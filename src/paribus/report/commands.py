"""How to repeat a study: the installation in a sentence, and the exact commands."""

from __future__ import annotations

import shlex

from paribus.analysis.wording import listed
from paribus.errors import UnknownNameError
from paribus.outcome.outcome import Outcome
from paribus.study.document import ComparisonSettings, StudyDocument
from paribus.study.identity import is_same_study
from paribus.study.load import load_study
from paribus.study.overrides import override
from paribus.study.predictions_request import PredictionsRequest
from paribus.version import __version__


def list_commands(outcome: Outcome) -> tuple[str, ...]:
    """The commands that run the study and report on it. ``study.toml`` is the study as the report prints it.

    Args:
        outcome: the outcome.
    """
    if outcome.predictions_request is not None:
        return (_judge_command(outcome.predictions_request),)
    document = outcome.document
    study = " ".join(_study_arguments(document))
    name = study.split()[0]
    return (
        f"paribus run {study} --seeds {count_seeds(outcome)}",
        f"paribus report {name} --format html -o {shlex.quote(document.name)}.html",
    )


def describe_installation(outcome: Outcome) -> str:
    """How to install the version that computed the runs. paribus is on no package index yet."""
    verb = "Computed" if outcome.predictions_request is None else "Judged"
    versions = dict.fromkeys(environment.paribus for environment in outcome.environments) or (__version__,)
    wheels = listed([f"paribus-{version}-py3-none-any.whl" for version in versions])
    return (
        f"{verb} with paribus {listed(list(versions))}, which is on no package index yet. Install it with "
        f"`pip install .` in a checkout of its source at that version, or from its wheel ({wheels}) with "
        "`pip install` and the file's name."
    )


def _judge_command(request: PredictionsRequest) -> str:
    """The command that judges a file again; for a frame, as for its file."""
    settings, default = request.comparison, ComparisonSettings()
    source = request.source if "." in request.source else f"{request.name}.parquet"
    words = ["paribus", "judge", source]
    for contrast in request.contrasts:
        words += ["--primary" if contrast.primary else "--contrast", f"{contrast.a}:{contrast.b}"]
    metrics = {contrast.metric for contrast in request.contrasts}
    words += ["--metric", *metrics] if len(metrics) == 1 and metrics != {"test_accuracy"} else []
    words += ["--margin", f"{settings.margin:g}"] if settings.margin is not None else []
    words += ["--level", f"{settings.level:g}"] if settings.level != default.level else []
    words += ["--scope", settings.scope] if settings.scope != default.scope else []
    return shlex.join(words)


def is_built_in(document: StudyDocument) -> bool:
    """Whether the command line can run the study by its name."""
    return _study_arguments(document)[0] != "study.toml"


def count_seeds(outcome: Outcome) -> int:
    """The number of seeds of the arm that has most, missing ones included."""
    runs = max((len(arm.runs) + len(arm.missing) for arm in outcome.arms), default=0)
    per_seed = 1 if outcome.predictions_request is not None else outcome.document.data.runs_per_seed
    return -(-runs // per_seed) if runs else outcome.design.seeds


def _study_arguments(document: StudyDocument) -> list[str]:
    """The built-in study's name with the options that change it, or the name of a file."""
    try:
        known = load_study(document.name) if ":" not in document.name else None
    except UnknownNameError:
        known = None
    if known is None:
        return ["study.toml"]
    epochs = document.protocol.epochs if document.protocol.epochs != known.protocol.epochs else None
    same = is_same_study(override(known, epochs=epochs), document)
    if not same or (known.data, known.question) != (document.data, document.question):
        return ["study.toml"]
    return [document.name] if epochs is None else [document.name, "--epochs", str(epochs)]
